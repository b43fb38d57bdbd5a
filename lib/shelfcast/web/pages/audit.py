"""The audit: who did what, when and from where."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from shelfcast.api.routes.users import list_audit
from shelfcast.web.guard import PlannerVisit
from shelfcast.web.routing import page_router

ROUTER = page_router()
_OF_A_PAGE, _OF_A_DEED = 100, 20


@ROUTER.get("/audit")
def show_audit(visit: PlannerVisit, before: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    rows = list_audit(visit.request, visit.principal, before, _OF_A_PAGE + 1, None)
    shown = rows[:_OF_A_PAGE]
    following = shown[-1].id if len(rows) > _OF_A_PAGE else None
    return visit.show("audit.html", rows=shown, following=following, most=_OF_A_DEED)
