"""What several deliveries tell of the same, as it was known on each day."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import frame
from mapped_company import config
from shelfcast import demand
from shelfcast.cleaning import supply, versions
from shelfcast.conditions import as_conditions
from shelfcast.config import Condition, Config
from shelfcast.judging.judged import Judged, judge_all
from shelfcast.sources import open_source
from shelfcast.sources.ledger import LEDGER
from shelfcast.table import Table

FEBRUARY, MARCH = date(2017, 2, 1), date(2017, 3, 1)
GOODS = {"product_id": "article", "category_id": "kind", "price": "price"}
DATED = GOODS | {"known_from": "since"}
FIRST = ["milk dairy 2 2017-01-01", "gouda dairy 9 2017-01-01"]
Delivery = tuple[str, date | None, Sequence[str]]


class Received:
    """A run's source table and ledger, of deliveries: a file each, the day of its name, and its rows."""

    def __init__(self, spark: SparkSession, settings: Config, name: str, *deliveries: Delivery) -> None:
        self.spark, self.config, (raw, columns) = spark, settings, _raw_of(settings, name)
        lines = [
            {"region": "here", "source_table": name, "delivery": number, "batch_id": f"{number}", "file": file,
             "content": f"{number}", "delivered_on": day}
            for number, (file, day, _) in enumerate(deliveries, 1)
        ]  # fmt: skip
        rows = [
            {"region": "here", "_source_file": file, "_batch_id": f"{number}"}
            | dict(zip(columns, row.split(), strict=True))
            for number, (file, _, rows) in enumerate(deliveries, 1)
            for row in rows
        ]
        self._tables = {LEDGER.name: frame(spark, LEDGER, *lines), raw.name: frame(spark, raw, *rows)}

    def read(self, table: Table) -> DataFrame:
        return self._tables[table.name]


def _raw_of(settings: Config, name: str) -> tuple[Table, list[str]]:
    return open_source(settings).raw[name], [*settings.source.tables[name].received]


def judged(spark: SparkSession, folder: Path, name: str, told: dict[str, Any], *deliveries: Delivery) -> Judged:
    settings = config(folder, name, files=f"{name}*", **told)
    settings = settings.model_copy(update={"conditions": {"warmth": Condition(known="past")}})
    return judge_all(Received(spark, settings, name, *deliveries), name, len(deliveries))  # type: ignore[arg-type]


# How a catalogue is read, and its deliveries; the prices known in February and in March, and the kind of each product.
CATALOGUES: dict[str, tuple[dict[str, str], list[Delivery], tuple[dict[str, int], dict[str, int]], dict[str, str]]] = {
    "a-price-in-a-file-of-a-later-day-is-known-from-that-day": (
        GOODS,
        [("1", date(2017, 1, 1), FIRST), ("2", MARCH, ["milk drinks 3 -", "gouda dairy 9 -"])],
        ({"milk": 2, "gouda": 9}, {"milk": 3, "gouda": 9}),
        {"milk": "drinks", "gouda": "dairy"},
    ),
    "a-row-that-tells-since-when-is-known-from-then": (
        DATED,
        [("1", None, FIRST), ("2", None, ["milk drinks 3 2017-03-01"])],
        ({"milk": 2, "gouda": 9}, {"milk": 3, "gouda": 9}),
        {"milk": "drinks", "gouda": "dairy"},
    ),
    "a-file-that-comes-again-withdraws-what-it-tells-no-more": (
        DATED,
        [("1", None, FIRST), ("1", None, ["milk drinks 3 2017-01-01", "bread bakery 1 2017-03-01"])],
        ({"milk": 2, "gouda": 9}, {"milk": 3, "bread": 1}),
        {"milk": "drinks", "bread": "bakery"},
    ),
    "a-file-may-tell-all-prices-that-a-product-had": (
        DATED,
        [("1", None, [*FIRST, "milk drinks 3 2017-03-01"])],
        ({"milk": 2, "gouda": 9}, {"milk": 3, "gouda": 9}),
        {"milk": "drinks", "gouda": "dairy"},
    ),
    "where-nothing-tells-a-day-what-came-last-counts-for-all-days": (
        GOODS,
        [("1", None, FIRST), ("2", None, ["milk drinks 3 2017-03-01"])],
        ({"milk": 3, "gouda": 9}, {"milk": 3, "gouda": 9}),
        {"milk": "drinks", "gouda": "dairy"},
    ),
}


@pytest.mark.parametrize(("columns", "deliveries", "known", "kinds"), CATALOGUES.values(), ids=CATALOGUES)
def test_a_product_is_there_once_and_its_price_as_it_was_known(
    spark: SparkSession, tmp_path: Path, columns: dict, deliveries: list, known: tuple, kinds: dict
) -> None:
    told = {"received": ["article", "kind", "price", "since"], "columns": columns}
    kept = judged(spark, tmp_path, "products", told, *deliveries).kept
    stated = supply.as_prices(kept if "known_until" in kept.columns else kept.selectExpr("*", "date(null) known_until"))
    prices = [
        [(row.product_id, row.price) for row in demand.newest_known(stated, day, ["product_id"]).collect()]
        for day in (FEBRUARY, MARCH)
    ]
    last = [(row.product_id, row.category_id) for row in versions.known_last(kept, ["product_id"]).collect()]
    assert [*map(sorted, prices), sorted(last)] == [sorted(wanted.items()) for wanted in (*known, kinds)]


COLD, WARM = "s1 2017-01-10 2", "s1 2017-01-10 9"
# The deliveries of the weather; what is known of it in February and in March.
WEATHER: dict[str, tuple[list[Delivery], list[int], list[int]]] = {
    "what-comes-later-is-known-from-then": ([("1", date(2017, 1, 1), [COLD]), ("2", MARCH, [WARM])], [2], [9]),
    "what-its-file-tells-no-more-is-known-until-then": (
        [("1", date(2017, 1, 1), [COLD]), ("1", MARCH, ["s2 2017-01-10 5"])],
        [2],
        [5],
    ),
    "of-one-delivery-the-largest": ([("1", None, [WARM, COLD])], [9], [9]),
}


@pytest.mark.parametrize(("deliveries", "then", "now"), WEATHER.values(), ids=WEATHER)
def test_the_weather_is_told_as_it_was_known(
    spark: SparkSession, tmp_path: Path, deliveries: list, then: list[int], now: list[int]
) -> None:
    columns = {"store_id": "shop", "day": "day", "warmth": "warmth"}
    told = {"received": ["shop", "day", "warmth"], "columns": columns}
    conditions = as_conditions([judged(spark, tmp_path, "weather", told, *deliveries).kept])
    known = [demand.newest_known(conditions, day, ["store_id", "day", "name"]) for day in (FEBRUARY, MARCH)]
    assert [[row.value for row in each.collect()] for each in known] == [then, now]
