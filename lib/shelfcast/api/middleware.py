"""What every request passes before it is answered: a number, limits of size and time, and headers that protect."""

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shelfcast.api.metrics import REFUSALS, REQUESTS, SECONDS
from shelfcast.api.problems import problem_response
from shelfcast.settings.serving import Limits

ACCESS_LOG = logging.getLogger("shelfcast.api.access")
_HEADER = "x-request-id"
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
_NUMBER = re.compile(r"[A-Za-z0-9_-]{8,64}")
_PROTECTING = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'",
}


class Under:
    """Puts the app under a path, whether the proxy before it sends the path on or keeps it to itself."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._prefix:
            path = scope["path"]
            if path == self._prefix:
                path += "/"
            is_whole = path.startswith(f"{self._prefix}/")
            scope.update(root_path=self._prefix, path=path if is_whole else self._prefix + path)
        await self._app(scope, receive, send)


class Numbered:
    """Gives each request a number, its client's own where that is one, and tells log and metrics of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, started, status = _number_of(scope), time.perf_counter(), [0]
        scope.setdefault("state", {})["request_id"] = number

        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                headers = MutableHeaders(scope=message)
                headers[_HEADER] = number
                for name, value in _PROTECTING.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, numbered)
        except Exception:
            logging.getLogger(__name__).exception("request %s", number)
            status[0] = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = problem_response(number, status[0], "an error of ours; the log knows the request by its number")
            await answer(scope, receive, numbered)
        finally:
            _tell(scope, status[0], time.perf_counter() - started)


class _BodyError(HTTPException):
    """One of Starlette's kind: whoever reads the body lets it pass."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, f"body: {detail}", {"connection": "close"})
        REFUSALS.labels("body").inc()


class Bounded:
    """Refuses bodies that are too large, or that take too long to come. larger: end of a path -> bytes, where more than
    most may is wanted."""

    def __init__(self, app: ASGIApp, limits: Limits, uploads: str, larger: Mapping[str, int]) -> None:
        self._app, self._limits, self._uploads, self._larger = app, limits, uploads, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits, is_upload = self._limits, scope["path"].endswith(self._uploads)
        most = limits.upload_bytes if is_upload else self._most(scope["path"])
        seconds = limits.upload_seconds if is_upload else limits.body_seconds
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > most:
            await self._refuse(scope, receive, send, _BodyError(_TOO_LARGE, f"wanted {most:,} bytes at most"))
            return
        bound = _Bound(receive, most, time.monotonic() + seconds)
        try:
            await self._app(scope, bound.receive, bound.watching(send))
        except _BodyError as error:
            if bound.has_answered:
                raise
            await self._refuse(scope, receive, send, error)

    def _most(self, path: str) -> int:
        return max([self._limits.body_bytes, *(size for end, size in self._larger.items() if path.endswith(end))])

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: _BodyError) -> None:
        answer = problem_response(scope["state"]["request_id"], error.status_code, error.detail, error.headers)
        await answer(scope, receive, send)


class _Bound:
    """The body of a request as it comes, counted and timed until it is there."""

    def __init__(self, receive: Receive, most: int, deadline: float) -> None:
        self._receive, self._most, self._deadline = receive, most, deadline
        self._read, self._is_whole = 0, False
        self.has_answered = False

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._deadline - time.monotonic())
        except TimeoutError:
            raise _BodyError(HTTPStatus.REQUEST_TIMEOUT, "too slow; wanted it sooner") from None
        self._read += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._read > self._most:
            raise _BodyError(_TOO_LARGE, f"wanted {self._most:,} bytes at most")
        return message

    def watching(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            self.has_answered = True
            await send(message)

        return watched


def _number_of(scope: Scope) -> str:
    given = dict(scope["headers"]).get(_HEADER.encode(), b"").decode("latin-1")
    return given if _NUMBER.fullmatch(given) else uuid.uuid4().hex[:16]


def _tell(scope: Scope, status: int, seconds: float) -> None:
    # Paths are many and the client's own to choose: metrics know the route alone.
    route = getattr(scope.get("route"), "path", "(none)")
    REQUESTS.labels(scope["method"], route, status).inc()
    SECONDS.labels(scope["method"], route).observe(seconds)
    told = {
        "request_id": scope["state"]["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 1),
        "address": (scope.get("client") or ("", 0))[0],
        "user": scope["state"].get("user"),
    }
    ACCESS_LOG.info("%s", json.dumps(told))
