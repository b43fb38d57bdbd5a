"""Routes of pages: no part of the API's document, and whatever goes wrong on the way is told as a page."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from shelfcast.api.problems import Problem, problem_response
from shelfcast.errors import ShelfcastError
from shelfcast.web.told import told_as_page

REFUSALS = (Problem, HTTPException, RequestValidationError, ShelfcastError, DataError)
_LOG = logging.getLogger(__name__)
Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class _PageRoute(APIRoute):
    def get_route_handler(self) -> Handle:
        return _telling(super().get_route_handler())


def page_router() -> APIRouter:
    return APIRouter(route_class=_PageRoute, include_in_schema=False, default_response_class=Response)


def _telling(handle: Callable[[Request], Awaitable[Response]]) -> Handle:
    async def told(request: Request) -> Response:
        try:
            return await handle(request)
        except REFUSALS:
            raise
        except Exception:
            number = request.state.request_id
            _LOG.exception("request %s", number)
            detail = "an error of ours; the log knows the request by its number"
            return told_as_page(request, problem_response(number, HTTPStatus.INTERNAL_SERVER_ERROR, detail))

    return told
