"""Refusals as RFC 9457 has them: application/problem+json."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from shelfcast.errors import ShelfcastError
from shelfcast.settings.problems import wanted

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)
_LONGEST = 100
# Fields whose value nobody but its owner is to see. The body as a whole may hold one.
_SECRETS = {"password", "again", "link", "token", "csrf"}


class ProblemBody(BaseModel):
    """Why a request was refused."""

    type: str = Field(
        default="about:blank", description="always about:blank: the status says what kind of problem it is"
    )
    title: str = Field(examples=["Forbidden"])
    status: int = Field(examples=[403])
    detail: str = Field(examples=["store 9 of region south: not yours"])
    request_id: str = Field(examples=["4f1c0c7e2b0d4c58"], description="by which the log knows the request")


class Problem(Exception):
    """A request that is refused: with a status, and a sentence that says what was found and what was wanted."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def problem_response(
    request_id: str, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    title = HTTPStatus(status).phrase
    body = ProblemBody(title=title, status=status, detail=detail, request_id=request_id)
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def install_problems(app: FastAPI) -> None:
    """Has the app answer in this form whatever goes wrong."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> JSONResponse:
        return problem_response(request.state.request_id, error.status, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _of_starlette(request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(request.state.request_id, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        detail = "; ".join(map(_told, error.errors()[:10]))
        return problem_response(request.state.request_id, HTTPStatus.UNPROCESSABLE_ENTITY, detail)

    @app.exception_handler(DataError)
    async def _not_kept(request: Request, error: DataError) -> JSONResponse:
        _LOG.warning("request %s: %s", request.state.request_id, type(error.orig).__name__)
        detail = "a value that the database does not keep, such as a text with a zero byte; wanted another"
        return problem_response(request.state.request_id, HTTPStatus.UNPROCESSABLE_ENTITY, detail)

    @app.exception_handler(ShelfcastError)
    async def _of_ours(request: Request, error: ShelfcastError) -> JSONResponse:
        return problem_response(request.state.request_id, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _told(problem: Mapping[str, Any]) -> str:
    """One wrong value: where it stands, what was found, what was wanted. What may be a secret is not said back: an
    answer is logged and shown where a request is not."""
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{place}: missing"
    if problem["type"] == "extra_forbidden":
        return f"{place}: not known here; wanted it left out"
    if tuple(problem["loc"]) == ("body",) or _SECRETS & {*problem["loc"]}:
        return f"{place}: wanted: {wanted(problem)}"
    found = repr(problem.get("input"))
    shown = found if len(found) <= _LONGEST else f"{found[:_LONGEST]}..."
    return f"{place}: found {shown}; wanted: {wanted(problem)}"
