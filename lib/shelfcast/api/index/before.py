"""What was published of the day before, as far as it is compared with what is published now."""

import sqlite3

from shelfcast.api.index.parts import Packed, Rows
from shelfcast.api.index.writing import insert, write_packed, write_rows
from shelfcast.api.reader import Lake, Publication
from shelfcast.errors import LakeError

_PAIR = ("store_id", "product_id")
ROWS = (
    Rows("risks_before", "inventory/risks", (*_PAIR, "risk"), ("units", "value")),
    Rows("orders_before", "inventory/orders", (*_PAIR, "order_id"), ("quantity", "status", "cost")),
    Rows("alerts_before", "monitoring/alerts", ("alert_id",), ("severity", "store_id")),
)
STORES = Packed(
    "forecasts_before", "forecasts/demand", ("level", "store_id", "item_id", "category_id"), (), ("week", "mean"),
    where={"level": ("store",)},
)  # fmt: skip
_OF_A_PLAN = "inventory/risks"
_TABLES = (*(part.name for part in (*ROWS, STORES)), "origin_before")


def write_before(file: sqlite3.Connection, lake: Lake, before: Publication | None) -> None:
    """Adds the tables `*_before`, and `origin_before` with the day that they are of and whether a plan was published of
    it: without a row where there is no such publication, or its files have been removed since, which is no reason not
    to serve the newest."""
    try:
        _write(file, lake, before)
    except (LakeError, OSError):
        # The file keeps no journal that could be rolled back.
        for name in _TABLES:
            file.execute(f"drop table if exists {name}")
        _write(file, lake, None)


def _write(file: sqlite3.Connection, lake: Lake, before: Publication | None) -> None:
    snapshot = lake.snapshot(before) if before else None
    for rows in ROWS:
        write_rows(file, rows, *(snapshot.rows(rows.source) if snapshot else ()))
    write_packed(file, STORES, *(snapshot.rows(STORES.source) if snapshot else ()))
    file.execute("create table origin_before (forecast_date, planned)")
    if before:
        row = (before.forecast_date.isoformat(), _OF_A_PLAN in before.tables)
        insert(file, "origin_before", ("forecast_date", "planned"), [row])
