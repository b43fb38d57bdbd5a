"""Users and the audit: what admins see and change."""

import json
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from shelfcast.api.access.accounts import (
    add_user,
    change_user,
    list_users,
    make_link,
    set_grants,
    sign_out_everywhere,
    user_of,
)
from shelfcast.api.access.audit import record, visible_to
from shelfcast.api.access.guard import Admin, Planner, origin_of, refused
from shelfcast.api.access.principal import ROLES, Grant, Principal, unknown_grants
from shelfcast.api.access.tables import AUDIT
from shelfcast.api.problems import Problem
from shelfcast.api.service import Service, service_of

ROUTER = APIRouter(prefix="/v1", tags=["users"])
RoleName = Literal["viewer", "planner", "admin"]
Name = Annotated[str, Path(max_length=64)]
Grants = Annotated[
    list[Annotated[str, Field(max_length=200, pattern=r"^(\*|[a-z0-9_]+)(/.+)?$")]],
    Field(
        max_length=1000, examples=[["north", "south/9"]], description="regions (* for all), single stores of a region"
    ),
]
_DOCS: dict[int | str, dict[str, Any]] = {409: {"description": "changed by others since that `version`"}}


class UserRow(BaseModel):
    name: str
    role: RoleName
    grants: list[str]
    disabled: bool
    has_password: bool
    version: str = Field(description="may be sent back with a change: who has read an older one is refused")


class UserAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=64, examples=["ada"])
    role: RoleName
    grants: Grants


class UserChange(BaseModel):
    """What is given is changed."""

    model_config = ConfigDict(extra="forbid")
    role: RoleName | None = None
    grants: Grants | None = None
    disabled: bool | None = None
    version: str | None = Field(default=None, max_length=64, description="of the user as you have read it")


class Link(BaseModel):
    link: str = Field(description="an address by which the user chooses a password, once")


class AuditRow(BaseModel):
    """Who did what, when and from where."""

    id: int
    at: datetime
    user: str
    action: str = Field(examples=["approved"])
    subject: str = Field(examples=["order 9f86d081884c7d65"])
    region: str | None
    store: str | None
    detail: dict[str, Any]
    address: str
    request_id: str


@ROUTER.get("/users")
def list_all_users(request: Request, principal: Admin) -> list[UserRow]:
    """The users whose regions and stores you reach."""
    with service_of(request).database.read() as connection:
        users = [UserRow.model_validate(row) for row in list_users(connection)]
    return [user for user in users if all(principal.covers(Grant.parse(grant)) for grant in user.grants)]


@ROUTER.post("/users", status_code=HTTPStatus.CREATED)
def make_user(request: Request, principal: Admin, asked: UserAsked) -> Link:
    """Add a user, who chooses a password by the link."""
    service = service_of(request)
    grants = _new_grants(service, principal, asked.grants)
    with service.database.begin() as connection:
        user_id = add_user(connection, asked.name, ROLES[asked.role], grants)
        link = make_link(connection, user_id, service.settings.access.link_hours)
        _record(connection, request, principal, "user_added", asked.name, asked.model_dump())
    return Link(link=link_address(service, link))


@ROUTER.patch("/users/{name}", status_code=HTTPStatus.NO_CONTENT, responses=_DOCS)
def change_one_user(request: Request, principal: Admin, name: Name, asked: UserChange) -> None:
    """Change role, regions and stores, or shut the account. The sessions of another role end; a shut account's tokens
    do too."""
    service = service_of(request)
    grants = None if asked.grants is None else _new_grants(service, principal, asked.grants)
    with service.database.begin() as connection:
        user_id = user_of(connection, name)
        known = _require_reach(connection, principal, name)
        if name == principal.name:
            raise refused("role", HTTPStatus.FORBIDDEN, "yourself; wanted another admin to change you")
        _require_version(known, asked.version)
        if columns := _changed(known, asked):
            change_user(connection, name, **columns)
        if grants is not None:
            set_grants(connection, user_id, grants)
        if asked.disabled:
            sign_out_everywhere(connection, user_id)
        told = asked.model_dump(exclude_none=True, exclude={"version"})
        _record(connection, request, principal, "user_changed", name, told)


@ROUTER.post("/users/{name}/link", status_code=HTTPStatus.CREATED)
def make_user_link(request: Request, principal: Admin, name: Name) -> Link:
    """A new one-time link for a user who has lost the password."""
    service = service_of(request)
    with service.database.begin() as connection:
        user_id = user_of(connection, name)
        _require_reach(connection, principal, name)
        link = make_link(connection, user_id, service.settings.access.link_hours)
        _record(connection, request, principal, "link", name, {})
    return Link(link=link_address(service, link))


@ROUTER.get("/audit")
def list_audit(
    request: Request,
    principal: Planner,
    before: Annotated[
        int | None, Query(ge=1, le=2**53, description="the `id` of the last row of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    subject: Annotated[str | None, Query(max_length=256)] = None,
) -> list[AuditRow]:
    """The audit, the newest first: of your stores; what concerns no store, such as users, is shown to admins of all."""
    query = select(AUDIT).where(visible_to(principal)).order_by(AUDIT.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    if subject is not None:
        query = query.where(AUDIT.c.subject == subject)
    with service_of(request).database.read() as connection:
        rows = connection.execute(query).mappings()
        return [AuditRow.model_validate({**row, "detail": json.loads(row["detail"])}) for row in rows]


def link_address(service: Service, link: str) -> str:
    return f"{service.settings.address}/welcome#{link}"


def _new_grants(service: Service, principal: Principal, texts: list[str]) -> list[Grant]:
    """Raises Problem 403 as `_grants` does, 422 where there is no such region."""
    grants = _grants(principal, texts)
    unknown = unknown_grants(grants, service.regions)
    if unknown:
        wanted = f"wanted one of {', '.join(service.regions)}"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"grants {unknown}: no such region; {wanted}")
    return grants


def _grants(principal: Principal, texts: list[str]) -> list[Grant]:
    """Raises Problem 403 where somebody would be given what the admin does not reach."""
    grants = [Grant.parse(text) for text in texts]
    beyond = [str(grant) for grant in grants if not principal.covers(grant)]
    if beyond:
        raise refused("store", HTTPStatus.FORBIDDEN, f"grants {', '.join(beyond)[:200]}: not yours to give")
    return grants


def _require_reach(connection: Any, principal: Principal, name: str) -> UserRow:
    """The user of that name. Raises Problem 403 where it reaches what the admin does not."""
    known = next(UserRow.model_validate(row) for row in list_users(connection) if row["name"] == name)
    _grants(principal, known.grants)
    return known


def _require_version(known: UserRow, version: str | None) -> None:
    if version not in (None, known.version):
        found = f"{known.role} of {', '.join(known.grants)[:200] or 'nothing'}{', shut' if known.disabled else ''}"
        detail = f"user {known.name}: others have changed it since: {found}; wanted a look at it as it is now"
        raise Problem(HTTPStatus.CONFLICT, detail)


def _changed(known: UserRow, asked: UserChange) -> dict[str, Any]:
    """What of role and account is another than before: the same again ends no session."""
    given = asked.model_dump(include={"role", "disabled"}, exclude_none=True)
    return {column: value for column, value in given.items() if value != getattr(known, column)}


def _record(connection: Any, request: Request, principal: Principal, action: str, name: str, detail: Any) -> None:
    record(connection, origin_of(request), principal.name, action, f"user {name}", detail=detail)
