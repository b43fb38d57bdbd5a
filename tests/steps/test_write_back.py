"""Published forecasts and orders in real databases."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from servers import PASSWORD, Sql
from shelfcast import config
from shelfcast.command import run_job
from shelfcast.errors import ConfigError, ShelfcastError
from shelfcast.runner import Runner
from shelfcast.steps import write_back
from written_back import CONF, Shop


@pytest.fixture
def shop(spark: SparkSession, database: Sql, lake_root: Path) -> Shop:
    return Shop(spark, database, lake_root)


def test_what_is_published_is_in_the_database_once(shop: Shop) -> None:
    shop.publish(1, {"ale": 1.5, "bitter": 0.1}, {"o1": 12.0})
    assert shop.write_back()
    assert (shop.means, shop.orders) == ({"ale": 1.5, "bitter": 0.1}, {"o1": 12.0})
    assert not shop.write_back(), "it is there"
    (row,) = shop.told("level, store_id, step, week, p50, p90, method from shelfcast_forecasts where item_id = 'ale'")
    assert (*row[:4], float(row[4]), row[6]) == ("product", "1", "1", "2016-11-28", 2.0, "tsb")
    assert row[5] in ("", "NULL")
    assert shop.told("region, forecast_date, run_id from shelfcast_publications") == [["shop", "2016-11-27", "run 1"]]
    assert shop.told("need_by, status from shelfcast_orders") == [["2016-12-04", "suggested"]]


UNLISTED = [
    {"level": "unlisted", "item_id": "(not listed yet)", "category_id": name, "mean": mean}
    for name, mean in (("beer", 1.0), ("wine", 2.0))
]


def test_what_each_category_of_a_store_does_not_sell_yet_is_a_row_of_its_own(shop: Shop) -> None:
    shop.publish(1, {"ale": 1.5}, None, *UNLISTED)
    assert shop.write_back()
    told = shop.told("category_id, mean from shelfcast_forecasts where level = 'unlisted' order by category_id")
    assert [(name, float(mean)) for name, mean in told] == [("beer", 1.0), ("wine", 2.0)]


def test_a_table_whose_key_tells_fewer_rows_apart_takes_none(shop: Shop) -> None:
    shop.publish(1, {"ale": 1.5}, None)
    shop.write_back()
    is_postgresql = shop.database.asked["kind"] == "postgresql"
    key = "drop constraint shelfcast_forecasts_pkey" if is_postgresql else "drop primary key"
    shop.database.run(f"alter table shelfcast_forecasts {key};")
    shop.database.run("alter table shelfcast_forecasts add primary key (region, level, store_id, item_id, step);")
    shop.publish(2, {"ale": 2.5}, None, *UNLISTED)
    with pytest.raises(ShelfcastError):
        shop.write_back()
    assert shop.means == {"ale": 1.5}


def test_a_publication_without_a_plan_leaves_no_older_orders_of_its_day(shop: Shop) -> None:
    shop.publish(1, {"ale": 1.0, "bitter": 0.1}, {"o1": 12.0})
    shop.write_back()
    shop.publish(2, {"ale": 2.0}, None)
    assert shop.write_back()
    assert (shop.means, shop.orders) == ({"ale": 2.0}, {})


def test_a_database_that_is_away_ends_with_75(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.publish(1, {"ale": 1.0}, None)
    flags = [flag for change in shop.changes for flag in ("--set", change)]
    shop.database.process.stop()
    try:
        assert run_job("", write_back.job, ["--config", str(CONF), *flags]) == 75
    finally:
        shop.database.process.start()
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    assert line.endswith("wanted it to answer")
    assert PASSWORD not in line


def test_nothing_is_written_where_nothing_is_configured(spark: SparkSession, lake_root: Path) -> None:
    runner = Runner(spark, config.load(CONF, [f"lake={lake_root}"]))
    with pytest.raises(ConfigError, match="write_back: not given"):
        write_back.job(runner.config)
