"""What is told of stock, promotions and refused rows was known when it came, by the clock of sales."""

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from corner import KEY, REGION, Corner, line
from shelfcast import demand, schemas
from shelfcast.cleaning import supply
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.sources.ledger import LEDGER
from shelfcast.steps import ingest
from shelfcast.table import Table

KEYS = "{sales: [basket_id, product_id], closing_stock: [store_id, product_id, counted_on]}"
STOCK, LEAFLET = "store,product,day,left", "store,product,first,last"
TABLES = {
    "closing_stock": {
        "files": "stock*.csv",
        "received": STOCK.split(","),
        "columns": {"store_id": "store", "product_id": "product", "counted_on": "day", "on_hand": "left"},
    },
    "promotions": {
        "files": "leaflet*.csv",
        "received": LEAFLET.split(","),
        "columns": {"store_id": "store", "product_id": "product", "valid_from": "first", "valid_to": "last"},
    },
}
# Night -> what comes in it: files of sales, of stock and of a leaflet, by their first letters.
NIGHTS = {
    "02": {"sales": [line("a", "2017-01-02", 1)], "stock": ["s1,milk,2017-01-02,9"], "leaflet": []},
    "03": {"sales": [line("b", "2017-01-03", 1)], "stock": ["s1,milk,2017-01-03,8", "s1,milk,2017-01-02,7"]},
    # A count of the day before, and a leaflet whose week has begun, with a day's offer.
    "04": {"sales": [line("c", "2017-01-04", 1)], "stock": ["s1,oats,2017-01-03,5"],
           "leaflet": ["s1,milk,2017-01-02,2017-01-08", "s1,oats,2017-01-05,"]},
}  # fmt: skip
HEADERS = {"stock": STOCK, "leaflet": LEAFLET}
KNOWN = {
    "2017-01-02": ({("milk", 2): 9}, 0),
    "2017-01-03": ({("milk", 2): 7, ("milk", 3): 8}, 0),
    "2017-01-04": ({("milk", 2): 7, ("milk", 3): 8, ("oats", 3): 5}, 2),
}


def shop(spark: SparkSession, folder: Path, **told: Any) -> Corner:
    tables = [f"source.tables.{name}={yaml.safe_dump({**table, **told})}" for name, table in TABLES.items()]
    return Corner(spark, folder, KEYS, *tables, **told)


def deliver(corner: Corner, night: str) -> None:
    for name, rows in NIGHTS[night].items():
        corner.deliver(f"{name}201701{night}.csv", *rows, **({"header": HEADERS[name]} if name in HEADERS else {}))


def known(corner: Corner, table: Table, day: str, key: Sequence[str] = ()) -> list:
    return demand.newest_known(corner.runner.lake.read(table, REGION), date.fromisoformat(day), key).collect()


def known_on_all_days(corner: Corner) -> dict[str, tuple[dict[tuple[str, int], float], int]]:
    key = supply.version_key(supply.STOCK, corner.runner.config.cleaning)
    return {
        day: (
            {(row.product_id, row.counted_on.day): row.on_hand for row in known(corner, supply.STOCK, day, key)},
            len(known(corner, schemas.PROMOTIONS, day)),
        )
        for day in KNOWN
    }


def test_counts_and_leaflets_are_known_from_the_day_of_sales_with_which_they_come(
    spark: SparkSession, tmp_path: Path
) -> None:
    corner = shop(spark, tmp_path)
    for night in NIGHTS:
        deliver(corner, night)
        corner.take_in()
    assert known_on_all_days(corner) == KNOWN
    apart = corner.hashes()
    shutil.rmtree(Path(corner.runner.lake.path("clean")))
    assert corner.clean()
    assert corner.hashes() == apart


def test_days_that_come_at_once_are_known_as_they_were_day_by_day(spark: SparkSession, tmp_path: Path) -> None:
    corner = shop(spark, tmp_path, dated="yyyyMMdd")
    for night in NIGHTS:
        deliver(corner, night)
    corner.take_in()
    assert known_on_all_days(corner) == KNOWN


def test_what_came_with_sales_came_with_them_though_the_run_was_killed_between(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner = shop(spark, tmp_path)
    deliver(corner, "02")
    corner.ingest()
    deliver(corner, "03")
    # One after the other: of tables that are written at once the killed run may have written all.
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "side_by_side", lambda _, *parts: [part() for part in parts])
        corner.killed_after(monkeypatch, "raw/corner_sales")
    corner.ingest()
    lines = corner.runner.lake.read(LEDGER, REGION).where("source_table = 'closing_stock'").orderBy("delivery")
    assert [(line.after_sales, line.with_sales) for line in lines.collect()] == [(None, None), (1, 2)]


def test_what_was_received_of_a_day_is_counted_as_it_was_known(spark: SparkSession, tmp_path: Path) -> None:
    refused = line("", "2017-01-02", 9)
    corner = Corner(spark, tmp_path, KEY)
    corner.deliver("sales-2.csv", line("a", "2017-01-02", 1), refused)
    corner.take_in()
    corner.deliver("sales-3.csv", line("b", "2017-01-03", 1), line("a", "2017-01-02", 1), refused, refused)
    corner.take_in()
    corner.deliver("sales-2.csv", line("a", "2017-01-02", 1))
    corner.deliver("sales-4.csv", line("c", "2017-01-04", 1))
    corner.take_in()

    def counted(day: str) -> tuple[int, int, int]:
        rows = [row for row in known(corner, DAY_COUNTS, day) if row.day == date(2017, 1, 2)]
        return sum(row.raw for row in rows), sum(row.quarantined for row in rows), sum(row.duplicates for row in rows)

    assert {day: counted(day) for day in KNOWN} == {
        "2017-01-02": (2, 1, 0),
        "2017-01-03": (5, 3, 0),
        "2017-01-04": (4, 2, 1),
    }
