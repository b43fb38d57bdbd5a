"""Signing in and out, passwords and API tokens: everybody's own."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from shelfcast.api.access.accounts import count_attempt, knows_password, use_link
from shelfcast.api.access.audit import record
from shelfcast.api.access.credentials import (
    close_session,
    list_tokens,
    make_token,
    of_session,
    open_session,
    revoke_token,
)
from shelfcast.api.access.guard import COOKIE, Viewer, open_to_all, origin_of, refused, require_own_origin
from shelfcast.api.access.principal import Principal
from shelfcast.api.service import Service, service_of
from shelfcast.api.waiting import waits

ROUTER = APIRouter(prefix="/v1", tags=["account"])
SignIns = Depends(open_to_all("sign_ins"))
_WRONG = "wrong name or password, or too many wrong ones lately"
_DENIED: dict[int | str, dict[str, Any]] = {401: {"description": _WRONG}}


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64, examples=["ada"])
    password: SecretStr = Field(max_length=1024)


class Welcome(BaseModel):
    """The secret of a one-time link, and the password that its user has chosen."""

    model_config = ConfigDict(extra="forbid")
    link: SecretStr = Field(max_length=128)
    password: SecretStr = Field(max_length=1024)


class Account(BaseModel):
    """Who you are."""

    name: str
    role: str
    grants: list[str] = Field(examples=[["north", "south/9"]], description="regions, and single stores of a region")
    csrf: str | None = Field(
        description="of a session: to be sent back in the header X-CSRF-Token by what changes things"
    )


class TokenAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: str = Field(min_length=1, max_length=64, examples=["nightly export"])
    days: int = Field(90, ge=1, le=3650, description="until it expires; no more than the setting access.token_days")


class TokenRow(BaseModel):
    id: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class TokenMade(BaseModel):
    id: str
    token: str = Field(description="shown this once: only its hash is kept")


def sign_in(request: Request, response: Response, asked: SignIn) -> Account:
    """Open a session: its cookie is for browsers, programs have tokens."""
    service = service_of(request)
    require_own_origin(service, request)
    settings, origin = service.settings.access, origin_of(request)
    with service.database.read() as connection:
        is_right = knows_password(connection, asked.name, asked.password.get_secret_value())
    with service.database.begin() as connection:
        user_id = count_attempt(connection, asked.name, is_right, settings)
        record(connection, origin, asked.name, "sign_in_failed" if user_id is None else "sign_in", "session")
    if user_id is None:
        raise refused("password", HTTPStatus.UNAUTHORIZED, _WRONG)
    with service.database.begin() as connection:
        secret = open_session(connection, user_id, settings)
        principal = of_session(connection, secret, settings)
    if principal is None:
        raise refused("password", HTTPStatus.UNAUTHORIZED, "the account is closed")
    set_cookie(service, response, secret)
    return _account(principal)


ROUTER.post("/session", dependencies=[SignIns], responses=_DENIED)(waits(sign_in))


@ROUTER.get("/session")
def get_session(principal: Viewer) -> Account:
    return _account(principal)


@ROUTER.delete("/session", status_code=HTTPStatus.NO_CONTENT)
def sign_out(request: Request, response: Response, principal: Viewer) -> None:
    service = service_of(request)
    with service.database.begin() as connection:
        close_session(connection, request.cookies.get(COOKIE, ""))
        record(connection, origin_of(request), principal.name, "sign_out", "session")
    response.delete_cookie(COOKIE, path=service.settings.prefix or "/")


def choose_password(request: Request, asked: Welcome) -> None:
    """Choose a password by a one-time link."""
    service = service_of(request)
    require_own_origin(service, request)
    link, password = asked.link.get_secret_value(), asked.password.get_secret_value()
    with service.database.begin() as connection:
        name = use_link(connection, link, password, service.settings.access)
        record(connection, origin_of(request), name, "password", f"user {name}")


ROUTER.post("/welcome", dependencies=[SignIns], status_code=HTTPStatus.NO_CONTENT)(waits(choose_password))


@ROUTER.get("/tokens")
def list_own_tokens(request: Request, principal: Viewer) -> list[TokenRow]:
    with service_of(request).database.read() as connection:
        return [TokenRow.model_validate(row) for row in list_tokens(connection, principal.user_id)]


@ROUTER.post("/tokens", status_code=HTTPStatus.CREATED)
def make_own_token(request: Request, principal: Viewer, asked: TokenAsked) -> TokenMade:
    """A token that may do what you may. A token makes no other: one that was stolen ends when it expires."""
    service = service_of(request)
    if principal.via != "session":
        raise refused("role", HTTPStatus.FORBIDDEN, "a token; wanted a session to make tokens")
    days = min(asked.days, service.settings.access.token_days)
    with service.database.begin() as connection:
        token_id, token = make_token(connection, principal.user_id, asked.label, days)
        detail = {"label": asked.label, "days": days}
        record(connection, origin_of(request), principal.name, "token", f"token {token_id}", detail=detail)
    return TokenMade(id=token_id, token=token)


@ROUTER.delete("/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_own_token(request: Request, principal: Viewer, token_id: Annotated[str, Path(max_length=32)]) -> None:
    with service_of(request).database.begin() as connection:
        revoke_token(connection, principal.user_id, token_id)
        record(connection, origin_of(request), principal.name, "revoke", f"token {token_id}")


def set_cookie(service: Service, response: Response, secret: str) -> None:
    """The session's cookie: no script reads it, no other site sends it, and it goes over https alone."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=service.settings.access.session_hours * 3600,
        path=service.settings.prefix or "/",
        secure=service.settings.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def _account(principal: Principal) -> Account:
    grants = sorted(map(str, principal.grants))
    return Account(name=principal.name, role=principal.role.title, grants=grants, csrf=principal.csrf)
