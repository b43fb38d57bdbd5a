from pyspark.sql import SparkSession

from builders import MONDAY, demand, frame
from shelfcast import schemas
from shelfcast.insights.items import describe
from shelfcast.insights.measures import MEASURES, weekly_totals


def test_a_price_is_what_was_paid_for_all_units_that_sold_however_many_count_as_demand(spark: SparkSession) -> None:
    rows = [demand(20.0, observed_quantity=500.0, revenue=1000.0), demand(10.0, MONDAY, store_id="s2",
            observed_quantity=10.0, revenue=40.0)]  # fmt: skip
    weekly = frame(spark, schemas.DEMAND["weekly"], *rows)
    series = frame(spark, schemas.SERIES, *[{**row, "level": "product"} for row in _named(rows)])
    totals = weekly_totals(weekly, MONDAY, MONDAY)
    found = describe(frame(spark, MEASURES), totals, weekly, series, MONDAY).collect()
    assert {(row.kind, row.item_id): (row.units, row.price) for row in found} == {
        ("product", "p1"): (30.0, 1040 / 510),
        ("store", "s1"): (20.0, 2.0),
        ("store", "s2"): (10.0, 4.0),
    }


def _named(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: row[name] for name in ("store_id", "item_id", "category_id")} for row in rows]
