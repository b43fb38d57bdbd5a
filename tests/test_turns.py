"""Turns at a table, in a lake whose store keeps no writers apart."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from pyspark.sql import SparkSession

from shelfcast import turns, upkeep
from shelfcast.errors import TransientError
from shelfcast.folder import Folder
from shelfcast.lake import Lake
from shelfcast.schemas import SALES, STORES
from shelfcast.table import Table
from shelfcast.turns import turn

PRICES = Table("clean/prices", "region string, price double", key=("region",), checks={"positive": "price > 0"})
GAINED = replace(PRICES, columns=f"{PRICES.columns}, currency string", checks={"known": "price is not null"})


@pytest.fixture
def lake(spark: SparkSession, lake_root: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake on a disk, which is taken for such a store."""
    monkeypatch.setattr(turns, "_STORES", (str(lake_root),))
    return Lake(spark, str(lake_root))


def test_two_writers_of_one_table_are_never_at_it_together(lake: Lake) -> None:
    at_it, together = [0], []

    def write(_: int) -> None:
        with turn(lake, SALES.name):
            at_it[0] += 1
            time.sleep(0.05)
            together.append(at_it[0])
            at_it[0] -= 1

    with ThreadPoolExecutor(3) as writers:
        list(writers.map(write, range(6)))
    assert together == [1] * 6
    assert lake.names("_leases/tables/clean/sales/*") == []


def test_writers_of_two_tables_do_not_wait_for_each_other(lake: Lake) -> None:
    both = Event()

    def write() -> None:
        with turn(lake, STORES.name):
            both.set()

    with turn(lake, SALES.name), ThreadPoolExecutor(1) as writer:
        writer.submit(write).result()
    assert both.is_set()


def test_on_a_disk_nobody_waits(spark: SparkSession, lake_root: Path) -> None:
    lake = Folder(spark, str(lake_root))
    with turn(lake, SALES.name), turn(lake, SALES.name):
        assert not lake_root.exists()


def delete(lake: Lake) -> None:
    gone = lake.spark.createDataFrame([(1.0,)], "price double")
    upkeep.delete_matching(lake, PRICES.name, gone, "kept.price = gone.price", {"scope": {"region": "north"}})


UPKEEP: dict[str, Callable[[Lake], object]] = {
    "optimize": lambda lake: upkeep.optimize(lake, PRICES.name, "north"),
    "remember": lambda lake: upkeep.remember(lake, PRICES.name),
    "delete": delete,
    "add-columns": lambda lake: upkeep.add_columns(lake, GAINED),
    "renew-checks": lambda lake: upkeep.renew_checks(lake, GAINED),
}


@pytest.mark.parametrize("deed", UPKEEP.values(), ids=UPKEEP)
def test_who_puts_a_table_in_order_waits_for_its_writer(
    lake: Lake, deed: Callable[[Lake], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for price in (1.0, 2.0):
        lake.append(PRICES, lake.spark.createDataFrame([("north", price)], PRICES.schema))
    monkeypatch.setattr(turns, "_WAITED_SECONDS", 0)
    with turn(lake, PRICES.name), pytest.raises(TransientError, match="table clean/prices: process"):
        deed(lake)
    assert upkeep.newest_version(lake, PRICES.name) == 1
    deed(lake)
    assert upkeep.newest_version(lake, PRICES.name) > 1
