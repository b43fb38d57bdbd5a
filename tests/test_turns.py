"""Turns at a table, in a lake whose store keeps no writers apart."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from pyspark.sql import SparkSession

from shelfcast import turns
from shelfcast.folder import Folder
from shelfcast.schemas import SALES, STORES
from shelfcast.turns import turn


@pytest.fixture
def lake(spark: SparkSession, lake_root: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A lake on a disk, which is taken for such a store."""
    monkeypatch.setattr(turns, "_STORES", (str(lake_root),))
    return Folder(spark, str(lake_root))


def test_two_writers_of_one_table_are_never_at_it_together(lake: Folder) -> None:
    at_it, together = [0], []

    def write(_: int) -> None:
        with turn(lake, SALES):
            at_it[0] += 1
            time.sleep(0.05)
            together.append(at_it[0])
            at_it[0] -= 1

    with ThreadPoolExecutor(3) as writers:
        list(writers.map(write, range(6)))
    assert together == [1] * 6
    assert lake.names("_leases/tables/clean/sales/*") == []


def test_writers_of_two_tables_do_not_wait_for_each_other(lake: Folder) -> None:
    both = Event()

    def write() -> None:
        with turn(lake, STORES):
            both.set()

    with turn(lake, SALES), ThreadPoolExecutor(1) as writer:
        writer.submit(write).result()
    assert both.is_set()


def test_on_a_disk_nobody_waits(spark: SparkSession, lake_root: Path) -> None:
    lake = Folder(spark, str(lake_root))
    with turn(lake, SALES), turn(lake, SALES):
        assert not lake_root.exists()
