"""Recognises who asks for a page: by a session, whose forms send its secret back."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.concurrency import run_in_threadpool

from shelfcast.api.access.guard import SESSION_COOKIE, Needs
from shelfcast.api.access.principal import Principal, Role
from shelfcast.api.problems import Problem
from shelfcast.api.service import service_of
from shelfcast.web.visit import Visit

FIELD = "csrf"


class PageNeeds:
    """A dependency: the visit of somebody in that role at least. A page without one is shown to nobody (a test sees to
    it)."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(
        self,
        request: Request,
        cookie: Annotated[str | None, Security(SESSION_COOKIE)],
        region: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Visit:
        sent = await _field(request) if request.method == "POST" else ""
        principal: Principal = await run_in_threadpool(Needs(self.role).admit, request, None, cookie, sent)
        request.state.csrf = principal.csrf
        return Visit(request, service_of(request), principal, region)


async def _field(request: Request) -> str:
    value = (await request.form()).get(FIELD)
    if not isinstance(value, str):
        raise Problem(HTTPStatus.FORBIDDEN, f"field {FIELD}: missing; wanted that of the session")
    return value


def _visit(role: Role) -> Callable[..., object]:
    return PageNeeds(role)


ViewerVisit = Annotated[Visit, Depends(_visit(Role.VIEWER))]
PlannerVisit = Annotated[Visit, Depends(_visit(Role.PLANNER))]
AdminVisit = Annotated[Visit, Depends(_visit(Role.ADMIN))]
