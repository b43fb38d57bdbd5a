"""Adds the pages to the application of the API."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from shelfcast.web import files
from shelfcast.web.pages import (
    account,
    alerts,
    audit,
    models,
    orders,
    overview,
    products,
    quality,
    settings,
    stores,
    users,
    what_if,
)
from shelfcast.web.rendering import base_of
from shelfcast.web.routing import REFUSALS
from shelfcast.web.told import told_as_page

PAGES = (
    *(overview.ROUTER, orders.ROUTER, stores.ROUTER, products.ROUTER, alerts.ROUTER, what_if.ROUTER, models.ROUTER),
    *(quality.ROUTER, settings.ROUTER, users.ROUTER, audit.ROUTER, account.ROUTER, files.ROUTER),
)
Handler = Callable[[Request, Any], Response | Awaitable[Response]]


def install_pages(app: FastAPI) -> None:
    """Adds the pages, and has a browser told of refusals by a page."""
    for kind in REFUSALS:
        app.add_exception_handler(kind, _as_page(app.exception_handlers[kind]))
    for router in PAGES:
        app.include_router(router)


def _as_page(inner: Handler) -> Callable[[Request, Any], Awaitable[Response]]:
    async def handle(request: Request, error: Any) -> Response:
        found = inner(request, error)
        answer = found if isinstance(found, Response) else await found
        if not is_for_page(request):
            return answer
        if answer.status_code == HTTPStatus.UNAUTHORIZED and request.method == "GET":
            return _to_sign_in(request)
        return told_as_page(request, answer)

    return handle


def _to_sign_in(request: Request) -> Response:
    path, query = request.url.path.removeprefix(base_of(request)), request.url.query
    onward = urlencode({"next": f"{path}?{query}" if query else path})
    return RedirectResponse(f"{base_of(request)}/sign-in?{onward}", HTTPStatus.SEE_OTHER)


def is_for_page(request: Request) -> bool:
    """Whether a browser asks for a page: programs ask for JSON, or do not say."""
    path = request.url.path.removeprefix(base_of(request))
    return not path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")
