"""Orders and transfers: what the plan suggests, and decisions on it."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shelfcast.api.access.audit import record
from shelfcast.api.access.guard import Planner, Viewer, origin_of, refused
from shelfcast.api.access.principal import Principal
from shelfcast.api.answers import Paged, answer_one, answer_page, page_docs
from shelfcast.api.decisions import add_decision, hold_order
from shelfcast.api.index.reading import Row
from shelfcast.api.orders import (
    ORDERS,
    TRANSFERS,
    Kind,
    decisions_on,
    find_order,
    forecast_day,
    orders,
    state_of,
    transfers,
    with_decisions,
)
from shelfcast.api.problems import Problem
from shelfcast.api.rows.fields import Decision
from shelfcast.api.rows.plan import DecisionRow, OrderRow, TransferRow
from shelfcast.api.service import service_of
from shelfcast.api.view import Seen

ROUTER = APIRouter(prefix="/v1", tags=["orders"])
Named = Annotated[str | None, Query(max_length=128)]
Number = Annotated[str, Path(max_length=64, examples=["9f86d081884c7d65"])]
Status = Literal["suggested", "rejected", "over_limit", "below_minimum"]
Undecided = Annotated[bool | None, Query(description="on which nothing was decided yet, or something was")]
_DOCS: dict[int | str, dict[str, Any]] = {404: {"description": "no such order among yours"}}
_CLOSED: dict[int | str, dict[str, Any]] = {
    **_DOCS,
    409: {"description": "no job collects decisions of the region, or other units than `suggested` are suggested now"},
}


class Reason(BaseModel):
    """Why, in words, and of what."""

    model_config = ConfigDict(extra="forbid")
    note: str | None = Field(default=None, max_length=500, examples=["enough in the back room"])
    suggested: float | None = Field(
        default=None,
        allow_inf_nan=False,
        examples=[36],
        description="`quantity` as you were shown it: else it is refused",
    )


class Amendment(Reason):
    """How much instead of what is suggested."""

    quantity: float = Field(gt=0, le=1e9, allow_inf_nan=False, description="units", examples=[24])


@ROUTER.get("/orders", responses=page_docs(OrderRow))
def list_orders(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None,
    vendor_id: Named = None, status: Status | None = None, open: Undecided = None,
) -> Response:  # fmt: skip
    """The orders that the day's plan suggests, by store and product."""
    named = {"store_id": store_id, "product_id": product_id, "vendor_id": vendor_id, "status": status}
    return answer_page(request, view, orders(service_of(request), view, named, open), paging)


@ROUTER.get("/transfers", responses=page_docs(TransferRow))
def list_transfers(
    request: Request, view: Seen, paging: Paged, from_store: Named = None, to_store: Named = None,
    product_id: Named = None, open: Undecided = None,
) -> Response:  # fmt: skip
    """Moves of stock between stores that the plan suggests; those from or to a store of yours."""
    named = {"from_store": from_store, "to_store": to_store, "product_id": product_id}
    return answer_page(request, view, transfers(service_of(request), view, named, open), paging)


@ROUTER.get("/orders/{order_id}", responses={200: {"model": OrderRow}, **_DOCS})
def get_order(request: Request, principal: Viewer, order_id: Number) -> Response:
    return _get(request, principal, ORDERS, order_id)


@ROUTER.get("/transfers/{order_id}", responses={200: {"model": TransferRow}, **_DOCS})
def get_transfer(request: Request, principal: Viewer, order_id: Number) -> Response:
    return _get(request, principal, TRANSFERS, order_id)


@ROUTER.post("/orders/{order_id}/approve", responses=_CLOSED)
def approve_order(request: Request, principal: Planner, order_id: Number, reason: Reason | None = None) -> OrderRow:
    """Have the order made as it is suggested."""
    return OrderRow(**decide(request, principal, ORDERS, order_id, "approved", reason))


@ROUTER.post("/orders/{order_id}/reject", responses=_CLOSED)
def reject_order(request: Request, principal: Planner, order_id: Number, reason: Reason | None = None) -> OrderRow:
    """Have it not made, nor suggested again for a while unless it grows."""
    return OrderRow(**decide(request, principal, ORDERS, order_id, "rejected", reason))


@ROUTER.post("/orders/{order_id}/amend", responses=_CLOSED)
def amend_order(request: Request, principal: Planner, order_id: Number, amendment: Amendment) -> OrderRow:
    """Have another quantity ordered."""
    return OrderRow(**decide(request, principal, ORDERS, order_id, "amended", amendment))


@ROUTER.post("/transfers/{order_id}/approve", responses=_CLOSED)
def approve_transfer(
    request: Request, principal: Planner, order_id: Number, reason: Reason | None = None
) -> TransferRow:
    return TransferRow(**decide(request, principal, TRANSFERS, order_id, "approved", reason))


@ROUTER.post("/transfers/{order_id}/reject", responses=_CLOSED)
def reject_transfer(
    request: Request, principal: Planner, order_id: Number, reason: Reason | None = None
) -> TransferRow:
    return TransferRow(**decide(request, principal, TRANSFERS, order_id, "rejected", reason))


@ROUTER.post("/transfers/{order_id}/amend", responses=_CLOSED)
def amend_transfer(request: Request, principal: Planner, order_id: Number, amendment: Amendment) -> TransferRow:
    return TransferRow(**decide(request, principal, TRANSFERS, order_id, "amended", amendment))


def _get(request: Request, principal: Principal, kind: Kind, order_id: str) -> Response:
    service = service_of(request)
    view, row = find_order(service, principal, kind, order_id)

    def make() -> BaseModel:
        (told,) = with_decisions(service, view)([row])
        return kind.model(**told)

    return answer_one(request, view, make, state_of(service, view))


def decide(
    request: Request, principal: Principal, kind: Kind, order_id: str, decision: Decision, reason: Reason | None,
    seen: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Keep the decision and its audit together, lay it where the jobs read it, and return the order with it.

    seen: the mark of the last decision that the user was shown, or a word for none. Raises Problem 409 where
    another has been made since, or a plan that suggests other units.
    """
    service = service_of(request)
    view, row = find_order(service, principal, kind, order_id)
    for column in kind.stores:
        if not principal.reaches(view.region, row[column]):
            raise refused("store", HTTPStatus.FORBIDDEN, f"store {row[column]}: not yours; wanted one who reaches both")
    if not service.collects(view.region):
        detail = f"region {view.region}: inventory.decisions names no folder; wanted one that its jobs collect from"
        raise Problem(HTTPStatus.CONFLICT, detail)
    what, reason = f"{kind.what} {order_id}", reason or Reason()
    _require_suggested(row, what, reason.suggested)
    quantity = reason.quantity if isinstance(reason, Amendment) else row["quantity"]
    note, day, order = reason.note, forecast_day(view), kind.as_decided(row)
    with service.database.begin() as connection:
        hold_order(connection, view.region, order_id)
        _require_seen(decisions_on(connection, view, [order_id]).get(order_id), what, seen)
        decided = add_decision(connection, view.region, order, decision, quantity, principal.name, note, day)
        record(
            connection, origin_of(request), principal.name, decision, what, region=view.region,
            store=order["store_id"], detail={"product_id": row["product_id"], "suggested": row["quantity"],
                                             "quantity": quantity, "note": note},
        )  # fmt: skip
    service.outbox.put(view.region, day, order_id)
    return {**row, "decision": decided}


def _require_suggested(row: Row, what: str, shown: float | None) -> None:
    # A need keeps its order's number when the next plan suggests other units of it.
    if shown is not None and shown != row["quantity"]:
        units = f"{shown:.10g} units then, {row['quantity']:.10g} now"
        detail = f"{what}: the plan has changed since it was shown: {units}; wanted a look at it as it is now"
        raise Problem(HTTPStatus.CONFLICT, detail)


def _require_seen(last: DecisionRow | None, what: str, seen: str | None) -> None:
    if seen is not None and last is not None and last.mark != seen:
        by = last.user or "a file"
        detail = f"{what}: {last.decision} by {by} since it was shown; wanted a look at it as it is now"
        raise Problem(HTTPStatus.CONFLICT, detail)
