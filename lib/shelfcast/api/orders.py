"""Orders and transfers of the plan, with what was decided on them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection

from shelfcast.api.access.principal import Principal
from shelfcast.api.decisions import decided_ids, last_decisions, newest_decision
from shelfcast.api.index.reading import Row
from shelfcast.api.listing import Listing
from shelfcast.api.problems import Problem
from shelfcast.api.rows.plan import DecisionRow, OrderRow, TransferRow
from shelfcast.api.service import Service
from shelfcast.api.view import Condition, View, views


@dataclass(frozen=True)
class Kind:
    """Orders or transfers. stores: the columns that name one."""

    what: str
    table: str
    model: type[BaseModel]
    key: tuple[str, ...]
    stores: tuple[str, ...]

    def as_decided(self, row: Row) -> Row:
        """The row as a decision on it has to name it: a transfer is known by the store that takes."""
        if self.table == "orders":
            return {**row, "from_store": None}
        return {**row, "store_id": row["to_store"], "vendor_id": None}


ORDERS = Kind("order", "orders", OrderRow, ("store_id", "product_id", "order_id"), ("store_id",))
_MOVE = ("to_store", "product_id", "from_store", "order_id")
TRANSFERS = Kind("transfer", "transfers", TransferRow, _MOVE, ("to_store", "from_store"))


def forecast_day(view: View) -> date:
    return date.fromisoformat(view.index.origin["forecast_date"])


def state_of(service: Service, view: View) -> int:
    """What changes with each decision."""
    with service.database.read() as connection:
        return newest_decision(connection, view.region)


def with_decisions(service: Service, view: View) -> Callable[[Sequence[Row]], list[Row]]:
    """Adds to rows of orders what was decided last."""

    def read(rows: Sequence[Row]) -> list[Row]:
        with service.database.read() as connection:
            known = decisions_on(connection, view, [row["order_id"] for row in rows])
        return [{**row, "decision": known.get(row["order_id"])} for row in rows]

    return read


def decisions_on(connection: Connection, view: View, ids: Sequence[str]) -> dict[str, DecisionRow]:
    """Of each order what was decided last: here, or by a file that the jobs have collected."""
    collected = {row["order_id"]: _of_file(row) for row in _collected(view, ids)}
    return collected | last_decisions(connection, view.region, ids)


def undecided(service: Service, view: View, is_wanted: bool | None) -> Condition | None:
    """That nothing was decided on an order of the day's plan, or that something was."""
    if is_wanted is None:
        return None
    with service.database.read() as connection:
        ids = decided_ids(connection, view.region, forecast_day(view))
    collected = "select order_id from decided where decided_on = ?"
    text = f"order_id {'not ' if is_wanted else ''}in (select value from json_each(?) union all {collected})"
    return Condition(text, (json.dumps(ids), view.index.origin["forecast_date"]))


def orders(
    service: Service, view: View, named: Mapping[str, str | None], is_open: bool | None = None
) -> Listing[OrderRow]:
    """The orders of the day's plan with what was decided on them. named: column -> the value that is asked for.

    Raises Problem 403 where the store that is asked for is not the user's.
    """
    view.require_store(named.get("store_id"))
    return Listing(OrderRow, "select * from orders", ORDERS.key, **_rest(service, view, ORDERS, named, is_open))


def transfers(
    service: Service, view: View, named: Mapping[str, str | None], is_open: bool | None = None
) -> Listing[TransferRow]:
    """The transfers of the day's plan from or to the user's stores, with what was decided on them."""
    rest = _rest(service, view, TRANSFERS, named, is_open)
    return Listing(TransferRow, "select * from transfers", TRANSFERS.key, **rest)


def _rest(
    service: Service, view: View, kind: Kind, named: Mapping[str, str | None], is_open: bool | None
) -> dict[str, Any]:
    asked = [Condition.equal(column, value) for column, value in named.items()]
    conditions = [*asked, view.own(*kind.stores), undecided(service, view, is_open)]
    return {"conditions": conditions, "read": with_decisions(service, view), "state": state_of(service, view)}


def find_order(service: Service, principal: Principal, kind: Kind, order_id: str) -> tuple[View, Row]:
    """The order of that number that is the user's. Raises Problem 404 where there is none: whether it is somebody
    else's is not told."""
    for view in views(service, principal):
        own = [Condition.equal("order_id", order_id), view.own(*kind.stores)]
        found = view.select(f"select * from {kind.table}", own)
        if found:
            return view, found[0]
    raise Problem(HTTPStatus.NOT_FOUND, f"{kind.what} {order_id[:64]}: not among yours; wanted one of today's plan")


def find_decided(service: Service, principal: Principal, kind: Kind, order_id: str) -> tuple[View, Row]:
    """As `find_order`, with what was decided on it."""
    view, row = find_order(service, principal, kind, order_id)
    (told,) = with_decisions(service, view)([row])
    return view, told


def _collected(view: View, ids: Sequence[str]) -> list[Row]:
    query = "select * from decided where order_id in (select value from json_each(?))"
    return view.index.rows(f"{query} order by order_id, decided_on", (json.dumps(ids),))


def _of_file(row: Row) -> DecisionRow:
    told = {name: row[name] for name in ("decision", "quantity", "decided_on")}
    return DecisionRow(**told, decided_at=None, user=None, note=None)
