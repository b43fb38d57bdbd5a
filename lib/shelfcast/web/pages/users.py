"""Users: who is let in, in which role, and to which stores."""

from typing import Annotated

from fastapi import Form
from fastapi.responses import Response
from pydantic import ValidationError

from shelfcast.api.problems import Problem
from shelfcast.api.routes.users import (
    Link,
    RoleName,
    UserAsked,
    UserChange,
    change_one_user,
    list_all_users,
    make_user,
    make_user_link,
)
from shelfcast.errors import ShelfcastError
from shelfcast.web.guard import AdminVisit
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
Name = Annotated[str, Form(max_length=64)]
Grants = Annotated[str, Form(max_length=20_000)]
Version = Annotated[str, Form(max_length=64)]
_UNPROCESSABLE = 422
_WANTED = {"name": "one", "grants": "a region (* for all) or region/store, e.g. north/7, on each line"}


@ROUTER.get("/users")
def show_users(visit: AdminVisit) -> Response:
    return _show(visit)


@ROUTER.post("/users")
def take_user(visit: AdminVisit, name: Name, role: Annotated[RoleName, Form()], grants: Grants) -> Response:
    try:
        asked = UserAsked(name=name.strip(), role=role, grants=_lines(grants))
        return _show(visit, made=(asked.name, make_user(visit.request, visit.principal, asked)))
    except (Problem, ShelfcastError, ValidationError) as error:
        return _refused(visit, error)


@ROUTER.post("/users/change")
def take_change(
    visit: AdminVisit, name: Name, role: Annotated[RoleName, Form()], grants: Grants, version: Version
) -> Response:
    return _change(visit, name, {"role": role, "grants": _lines(grants), "version": version})


@ROUTER.post("/users/shut")
def shut_user(visit: AdminVisit, name: Name) -> Response:
    return _change(visit, name, {"disabled": True})


@ROUTER.post("/users/open")
def open_user(visit: AdminVisit, name: Name) -> Response:
    return _change(visit, name, {"disabled": False})


@ROUTER.post("/users/link")
def take_link(visit: AdminVisit, name: Name) -> Response:
    try:
        return _show(visit, made=(name, make_user_link(visit.request, visit.principal, name)))
    except (Problem, ShelfcastError) as error:
        return _refused(visit, error)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _change(visit: Visit, name: str, changes: dict[str, object]) -> Response:
    try:
        change_one_user(visit.request, visit.principal, name, UserChange.model_validate(changes))
    except (Problem, ShelfcastError, ValidationError) as error:
        return _refused(visit, error)
    return visit.back_to("/users")


def _show(visit: Visit, status: int = 200, problem: str = "", made: tuple[str, Link] | None = None) -> Response:
    users = list_all_users(visit.request, visit.principal)
    hours = visit.service.settings.access.link_hours
    return visit.show("users.html", status, users=users, problem=problem, made=made, hours=hours)


def _refused(visit: Visit, error: Problem | ShelfcastError | ValidationError) -> Response:
    if isinstance(error, Problem):
        return _show(visit, error.status, error.detail)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field = str(first["loc"][0])
        return _show(visit, _UNPROCESSABLE, f"{field}: found {first['input']!r}; wanted {_WANTED[field]}")
    return _show(visit, _UNPROCESSABLE, str(error))
