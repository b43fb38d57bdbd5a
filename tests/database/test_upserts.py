"""Rows put into real databases: all of a publication or nothing, and once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from servers import Sql
from shelfcast.database import upserts
from shelfcast.database.connection import Server
from shelfcast.database.upserts import SCOPE, Published, Target
from shelfcast.errors import LakeError
from shelfcast.settings.database import Database

_SCOPE = {"region": "string", "forecast_date": "date"}
MEANS = Target("put_means", {**_SCOPE, "item": "string", "mean": "double"}, (*SCOPE, "item"))
ORDERS = Target("put_orders", {**_SCOPE, "id": "string", "units": "double", "due": "boolean"}, (*SCOPE, "id"))
TOLD = upserts.publications("put_")
SUNDAY = "2016-11-27"


class Shop:
    """A database that runs are put into, and what it then holds."""

    def __init__(self, spark: SparkSession, database: Sql) -> None:
        self.spark, self.database = spark, database
        asked = database.asked
        self.server = Server(spark, Database(**asked))
        database.run("drop table if exists put_means, put_orders, put_publications;")

    def put(self, run: int, means: dict[str, float], orders: dict[str, float], **scope: str) -> dict[str, int]:
        region, day = scope.get("region", "shop"), scope.get("day", SUNDAY)
        frames = {
            MEANS: self._frame([(region, day, item, mean) for item, mean in means.items()], MEANS),
            ORDERS: self._frame([(region, day, number, units, True) for number, units in orders.items()], ORDERS),
        }
        return upserts.put(self.server, TOLD, frames, published(run, region, day), connections=2)

    def _frame(self, rows: list[tuple[object, ...]], target: Target) -> Any:
        texts = ", ".join(
            f"{name} {'string' if name == 'forecast_date' else kind}" for name, kind in target.columns.items()
        )
        return self.spark.createDataFrame(rows, texts).withColumn("forecast_date", F.col("forecast_date").cast("date"))

    def told(self, what: str) -> list[list[str]]:
        return self.database.run(f"select {what};")

    @property
    def held(self) -> tuple[dict[str, float], dict[str, float]]:
        means, orders = self.told("item, mean from put_means"), self.told("id, units from put_orders")
        return {item: float(mean) for item, mean in means}, {number: float(units) for number, units in orders}


def published(run: int, region: str = "shop", day: str = SUNDAY) -> Published:
    return Published(region, day, f"run {run}", "2016-12-05T01:00:00")


@pytest.fixture
def shop(spark: SparkSession, database: Sql) -> Shop:
    return Shop(spark, database)


def test_a_day_put_anew_takes_its_own_place_and_leaves_other_columns(shop: Shop) -> None:
    assert not upserts.is_there(shop.server, TOLD, published(1))
    assert shop.put(1, {"ale": 1.5, "bitter": 0.1}, {"o1": 12.0, "o2": 6.0}) == {"put_means": 2, "put_orders": 2}
    shop.database.run(
        "alter table put_orders add column bought_by varchar(9); update put_orders set bought_by = 'eve';"
    )
    shop.put(2, {"ale": 2.5, "cider": 0.5}, {"o1": 18.0})
    assert shop.held == ({"ale": 2.5, "cider": 0.5}, {"o1": 18.0})
    assert shop.told("bought_by from put_orders") == [["eve"]]
    assert upserts.is_there(shop.server, TOLD, published(2))
    assert not upserts.is_there(shop.server, TOLD, published(1))
    shop.put(2, {"ale": 2.5, "cider": 0.5}, {"o1": 18.0})
    assert shop.held == ({"ale": 2.5, "cider": 0.5}, {"o1": 18.0})


def test_days_and_regions_lie_side_by_side(shop: Shop) -> None:
    shop.put(1, {"ale": 1.0}, {"o1": 12.0})
    shop.put(2, {"ale": 2.0}, {}, day="2016-12-04")
    shop.put(3, {"ale": 3.0}, {}, region="elsewhere")
    found = shop.told("region, forecast_date from put_means order by mean")
    assert found == [["shop", SUNDAY], ["shop", "2016-12-04"], ["elsewhere", SUNDAY]]
    assert len(shop.told("id from put_orders")) == 1
    assert len(shop.told("run_id from put_publications")) == 3


@pytest.mark.parametrize("dies_in", ["_merge", "_tell"])
def test_a_run_that_dies_has_written_nothing_and_done_again_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """After the first of two tables, or after both and before it is told."""
    shop.put(1, {"ale": 1.0}, {"o1": 12.0})
    whole = getattr(upserts, dies_in)

    def die(*given: Any) -> None:
        if dies_in == "_tell" or given[2] is ORDERS:
            raise KeyboardInterrupt
        whole(*given)

    with monkeypatch.context() as patch:
        patch.setattr(upserts, dies_in, die)
        with pytest.raises(KeyboardInterrupt):
            shop.put(2, {"ale": 2.0}, {"o1": 6.0, "o2": 6.0})
    assert shop.held == ({"ale": 1.0}, {"o1": 12.0})
    shop.put(2, {"ale": 2.0}, {"o1": 6.0, "o2": 6.0})
    assert shop.held == ({"ale": 2.0}, {"o1": 6.0, "o2": 6.0})
    assert not [
        name
        for (name,) in shop.told("table_name from information_schema.tables")
        if "put_" in name and "staging" in name
    ]


def test_rows_that_a_task_staged_twice_are_written_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    once = Server.append

    def twice(self: Server, *given: Any) -> None:
        once(self, *given)
        once(self, *given)

    monkeypatch.setattr(Server, "append", twice)
    shop.put(1, {"ale": 1.0, "bitter": 2.0}, {})
    assert shop.held == ({"ale": 1.0, "bitter": 2.0}, {})


def test_rows_that_were_not_staged_stop_the_writing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "append", lambda *_: None)
    with pytest.raises(LakeError, match="table put_means: 0 rows staged, wanted 1; nothing is written"):
        shop.put(1, {"ale": 1.0}, {})


def test_a_reader_sees_one_run_or_the_other(shop: Shop) -> None:
    names = [f"{number}" for number in range(200)]
    shop.put(1, dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.0))
    ended, seen = Event(), set()
    of_all = ", ".join(f"(select {end}({column}) from {table})" for column, table in
                       (("mean", "put_means"), ("units", "put_orders")) for end in ("min", "max"))  # fmt: skip

    def look() -> None:
        while not ended.is_set():
            seen.add(tuple(map(float, shop.told(of_all)[0])))

    with ThreadPoolExecutor(1) as threads:
        looking = threads.submit(look)
        shop.put(2, dict.fromkeys(names, 2.0), dict.fromkeys(names, 2.0))
        ended.set()
        looking.result()
    assert seen <= {(1.0,) * 4, (2.0,) * 4}
    assert (1.0,) * 4 in seen
