"""Orders and transfers of the plan, with what was decided on them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from pydantic import BaseModel

from shelfcast.api.decisions import decided_ids, last_decisions, newest_decision
from shelfcast.api.index.reading import Row
from shelfcast.api.problems import Problem
from shelfcast.api.rows.plan import DecisionRow, OrderRow, TransferRow
from shelfcast.api.service import Service
from shelfcast.api.view import Condition, View


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
    with service.database.begin() as connection:
        return newest_decision(connection, view.region)


def with_decisions(service: Service, view: View) -> Callable[[Sequence[Row]], list[Row]]:
    """Adds to rows of orders what was decided last: here, or by a file that the jobs have collected."""

    def read(rows: Sequence[Row]) -> list[Row]:
        ids = [row["order_id"] for row in rows]
        with service.database.begin() as connection:
            ours = last_decisions(connection, view.region, ids)
        known = {row["order_id"]: _of_file(row) for row in _collected(view, ids)} | ours
        return [{**row, "decision": known.get(row["order_id"])} for row in rows]

    return read


def undecided(service: Service, view: View, is_wanted: bool | None) -> Condition | None:
    """That nothing was decided on an order of the day's plan, or that something was."""
    if is_wanted is None:
        return None
    with service.database.begin() as connection:
        ids = decided_ids(connection, view.region, forecast_day(view))
    collected = "select order_id from decided where problem is null and decided_on = ?"
    text = f"order_id {'not ' if is_wanted else ''}in (select value from json_each(?) union all {collected})"
    return Condition(text, (json.dumps(ids), view.index.origin["forecast_date"]))


def find_order(views: Sequence[View], kind: Kind, order_id: str) -> tuple[View, Row]:
    """The order of that number that is the user's. Raises Problem 404 where there is none: whether it is somebody
    else's is not told."""
    for view in views:
        own = [Condition.equal("order_id", order_id), view.own(*kind.stores)]
        found = view.select(f"select * from {kind.table}", own)
        if found:
            return view, found[0]
    raise Problem(HTTPStatus.NOT_FOUND, f"{kind.what} {order_id[:64]}: not among yours; wanted one of today's plan")


def _collected(view: View, ids: Sequence[str]) -> list[Row]:
    query = "select * from decided where problem is null and order_id in (select value from json_each(?))"
    return view.index.rows(f"{query} order by order_id, decided_on", (json.dumps(ids),))


def _of_file(row: Row) -> DecisionRow:
    told = {name: row[name] for name in ("decision", "quantity", "decided_on")}
    return DecisionRow(**told, decided_at=None, user=None, note=None)
