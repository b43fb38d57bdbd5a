"""Recognises who asks, and lets through who may: what each route depends on."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from shelfcast.api.access.audit import Origin
from shelfcast.api.access.credentials import is_unseen, of_session, of_token, see_session
from shelfcast.api.access.principal import Principal, Role
from shelfcast.api.access.secrets import digest
from shelfcast.api.metrics import REFUSALS
from shelfcast.api.problems import Problem
from shelfcast.api.service import Service, service_of

COOKIE = "shelfcast_session"
CSRF_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_BEARER = HTTPBearer(auto_error=False, description="an API token, as `POST /v1/tokens` gives it")
SESSION_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="a session, as `POST /v1/session` opens it")


class Needs:
    """A dependency: who asks, at least in that role. A route without one answers nobody (a test sees to it)."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(
        self,
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        cookie: Annotated[str | None, Security(SESSION_COOKIE)],
    ) -> Principal:
        return self.admit(request, bearer, cookie, request.headers.get(CSRF_HEADER, ""))

    def admit(
        self, request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None, csrf: str
    ) -> Principal:
        """Who asks. csrf: what was sent along to show that a page of ours asks. Raises Problem 401, 403 or 429."""
        service = service_of(request)
        principal = _recognise(service, request, bearer, cookie, csrf)
        request.state.user = principal.name
        service.limiter.count("requests", str(principal.user_id))
        if principal.role < self.role:
            raise refused("role", HTTPStatus.FORBIDDEN, f"a {principal.role.title}; wanted a {self.role.title}")
        return principal


viewer, planner, admin = (Needs(role) for role in Role)
Viewer = Annotated[Principal, Depends(viewer)]
Planner = Annotated[Principal, Depends(planner)]
Admin = Annotated[Principal, Depends(admin)]


class Open:
    """A dependency: anybody, so often from one address. kind: which of the limits counts."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    async def __call__(self, request: Request) -> None:
        service_of(request).limiter.count(self.kind, address_of(request))


def open_to_all(kind: str = "anonymous") -> Callable[[Request], Awaitable[None]]:
    return Open(kind)


def origin_of(request: Request) -> Origin:
    return Origin(address_of(request), request.state.request_id)


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def refused(reason: str, status: int, detail: str) -> Problem:
    REFUSALS.labels(reason).inc()
    challenge = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return Problem(status, detail, challenge)


def _recognise(
    service: Service, request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None, csrf: str
) -> Principal:
    # A token that is wrong is not made up for by a cookie: who sends one means it.
    if bearer is not None:
        with service.database.read() as connection:
            found = of_token(connection, bearer.credentials)
    else:
        found = _of_cookie(service, cookie) if cookie else None
    if found is None:
        service.limiter.count("anonymous", address_of(request))
        raise refused("credentials", HTTPStatus.UNAUTHORIZED, "no token or session that is good; wanted one")
    if found.via == "session" and request.method not in _SAFE:
        _require_own_form(service, request, csrf, found.csrf or "")
    return found


def _of_cookie(service: Service, cookie: str) -> Principal | None:
    with service.database.read() as connection:
        found = of_session(connection, cookie, service.settings.access)
        is_due = found is not None and is_unseen(connection, cookie)
    if is_due:
        with service.database.begin() as connection:
            see_session(connection, cookie)
    return found


def _require_own_form(service: Service, request: Request, sent: str, csrf: str) -> None:
    """Refuse what another site's page has a browser send with the user's cookie."""
    require_own_origin(service, request)
    if digest(sent) != digest(csrf):
        raise refused("csrf", HTTPStatus.FORBIDDEN, f"{CSRF_HEADER}: not that of the session; wanted a form of ours")


def require_own_origin(service: Service, request: Request) -> None:
    origin = request.headers.get("origin")
    if origin is not None and origin != service.origin:
        raise refused("csrf", HTTPStatus.FORBIDDEN, f"origin {origin[:100]}: wanted {service.origin}")
