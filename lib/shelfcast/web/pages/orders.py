"""Orders and transfers of the day, decided on in place."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError

from shelfcast.api.index.reading import Row
from shelfcast.api.listing import Listing
from shelfcast.api.orders import ORDERS, TRANSFERS, Kind, find_decided, orders, transfers
from shelfcast.api.problems import Problem
from shelfcast.api.routes.orders import Amendment, Reason, decide
from shelfcast.api.rows.fields import Decision
from shelfcast.api.rows.plan import OrderRow
from shelfcast.web.guard import PlannerVisit, ViewerVisit
from shelfcast.web.products import named_products
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
OF_A_PAGE = 50
Named = Annotated[str | None, Query(max_length=128)]
Cursor = Annotated[str | None, Query(max_length=2000)]
Number = Annotated[str, Path(max_length=64)]
Verb = Literal["approve", "amend", "reject"]
# Read where one amends: the form of it has other buttons too.
Amount = Annotated[str, Form(alias="quantity", max_length=40)]
Decided = Annotated[str | None, Form(max_length=200)]
Suggested = Annotated[str | None, Form(max_length=40)]
Note = Annotated[str, Form(max_length=500)]
Which = Literal["open", "decided", "all"]
_OPEN: Mapping[Which, bool | None] = {"open": True, "decided": False, "all": None}
_DECISIONS: Mapping[str, Decision] = {"approve": "approved", "amend": "amended", "reject": "rejected"}


async def _reason(verb: Verb, amount: Amount = "", note: Note = "", suggested: Suggested = None) -> Reason:
    told = {"note": note.strip() or None, "suggested": suggested}
    try:
        if verb == "amend":
            return Amendment.model_validate({**told, "quantity": amount})
        return Reason.model_validate(told)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


Told = Annotated[Reason, Depends(_reason)]


def urgent(visit: Visit, named: Mapping[str, str | None], is_open: bool | None) -> Listing[OrderRow]:
    """The orders that are suggested, those of the likeliest shortage first."""
    listing = orders(visit.service, visit.view, {**named, "status": "suggested"}, is_open)
    return replace(listing, key=("place", *ORDERS.key))


@ROUTER.get("/orders")
def show_orders(
    visit: ViewerVisit, store_id: Named = None, vendor_id: Named = None, which: Which = "open", cursor: Cursor = None
) -> Response:
    asked = {"store_id": store_id or None, "vendor_id": vendor_id or None}
    rows, following = urgent(visit, asked, _OPEN[which]).page(visit.view, OF_A_PAGE, cursor)
    query = {**asked, "which": which}
    return _show(visit, ORDERS, rows, query, following, held_back=_held_back(visit, asked))


@ROUTER.get("/transfers")
def show_transfers(visit: ViewerVisit, which: Which = "open", cursor: Cursor = None) -> Response:
    listing = transfers(visit.service, visit.view, {"status": "suggested"}, _OPEN[which])
    rows, following = listing.page(visit.view, OF_A_PAGE, cursor)
    return _show(visit, TRANSFERS, rows, {"which": which}, following, held_back=[])


@ROUTER.post("/orders/{order_id}/{verb}")
def take_decision(visit: PlannerVisit, order_id: Number, verb: Verb, reason: Told, seen: Decided = None) -> Response:
    return _take(visit, ORDERS, order_id, verb, reason, seen)


@ROUTER.post("/transfers/{order_id}/{verb}")
def take_decision_on_transfer(
    visit: PlannerVisit, order_id: Number, verb: Verb, reason: Told, seen: Decided = None
) -> Response:
    return _take(visit, TRANSFERS, order_id, verb, reason, seen)


def rows_for(visit: Visit, kind: Kind, rows: list[Any]) -> dict[str, Any]:
    """What the template of rows of orders or transfers needs."""
    names = named_products(visit.view, [row.product_id for row in rows])
    return {"kind": kind.table, "rows": rows, "names": names, "may_decide": visit.may_decide}


def _take(visit: Visit, kind: Kind, order_id: str, verb: str, reason: Reason, seen: str | None) -> Response:
    """Decide, and show the row again: alone where it is put in its place, else in its list. One that is not as it was
    shown says so, and is shown as it is now."""
    try:
        row = decide(visit.request, visit.principal, kind, order_id, _DECISIONS[verb], reason, seen)
    except Problem as problem:
        if problem.status != HTTPStatus.CONFLICT or not visit.wants_part:
            raise
        _, row = find_decided(visit.service, visit.principal, kind, order_id)
        return _show_row(visit, kind, row, problem.status, problem.detail)
    if not visit.wants_part:
        return visit.back_to(f"/{kind.table}", f"#row-{order_id}", which="all")
    return _show_row(visit, kind, row)


def _show_row(visit: Visit, kind: Kind, row: Row, status: int = HTTPStatus.OK, problem: str = "") -> Response:
    return visit.show("order_part.html", status, problem=problem, **rows_for(visit, kind, [kind.model(**row)]))


def _held_back(visit: Visit, asked: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """How many orders the plan holds back, and why."""
    listing = orders(visit.service, visit.view, asked)
    query = "select status, count(*) as n from orders"
    rows = visit.view.select(query, listing.conditions, "group by status")
    return [row for row in rows if row["status"] != "suggested"]


def _show(
    visit: Visit, kind: Kind, rows: list[Any], query: dict[str, Any], following: str | None, **told: Any
) -> Response:
    context = {**rows_for(visit, kind, rows), "query": query, "following": following, **told}
    return visit.show("orders.html", **context)
