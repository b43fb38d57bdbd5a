import json
from collections import Counter
from collections.abc import Mapping
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import Row, cleaning, frame
from shelfcast.cleaning.fate import all_clean, mark_repeated, quarantined, tally, with_fate, without_raw_of_the_kept
from shelfcast.cleaning.rules import sales_rules
from shelfcast.schemas import QUARANTINE, ROW_COUNTS

# A till's file as text, where anything may stand.
TILL = (
    "region string, store string, product string, basket string, day string, known string, "
    "quantity string, price string, revenue string, note string, _extra string, "
    "_batch_id string"
)
KEPT_OUT_OF_QUARANTINE = ("clean", "blank", "duplicate", "superseded")
KEY = ("basket_id", "product_id", "known_from")
CONTENT = ("store_id", "sold_on", "source_quantity", "revenue")
EMPTY = dict.fromkeys(("store", "product", "basket", "day", "known", "quantity", "price", "revenue", "note"))

# What goes wrong -> the rows that come in, each as changes to an ordinary one, and what becomes of them, in any order.
KINDS: dict[str, tuple[list[Row], list[str]]] = {
    "nothing": ([{}], ["clean"]),
    "no store": ([{"store": None}], ["missing_store"]),
    "a store of blanks": ([{"store": " "}], ["missing_store"]),
    "no product": ([{"product": ""}], ["missing_product"]),
    "no date": ([{"day": None}], ["missing_or_unreadable_date"]),
    "a date that is none": ([{"day": "2017-02-30"}], ["missing_or_unreadable_date"]),
    "no quantity": ([{"quantity": None}], ["missing_or_unreadable_quantity"]),
    "a quantity in words": ([{"quantity": "two"}], ["missing_or_unreadable_quantity"]),
    "no revenue": ([{"revenue": None}], ["missing_or_unreadable_revenue"]),
    "a revenue that is no number": ([{"revenue": "NaN"}], ["missing_or_unreadable_revenue"]),
    "before the first day": ([{"day": "1917-01-02", "known": "1917-01-02"}], ["date_out_of_range"]),
    "after the last day": ([{"day": "2107-01-02", "known": "2107-01-02"}], ["date_out_of_range"]),
    "a slip of the keys": ([{"quantity": "40000001", "revenue": "4"}], ["impossible_quantity"]),
    "an endless quantity": ([{"quantity": "Infinity", "revenue": "4"}], ["impossible_quantity"]),
    "a negative price": ([{"price": "-2"}], ["impossible_price"]),
    "a price beyond reason": ([{"price": "200000"}], ["impossible_price"]),
    "money for a return": ([{"quantity": "-1", "revenue": "2"}], ["contradictory_signs"]),
    "an empty line": ([EMPTY], ["blank"]),
    "a line of blanks": ([{**EMPTY, "store": "  ", "note": " "}], ["blank"]),
    "a line twice": ([{}, {}], ["clean", "duplicate"]),
    "a line three times": ([{}, {}, {}], ["clean", "duplicate", "duplicate"]),
    "a line with two revenues": ([{}, {"revenue": "3"}], ["clean", "superseded"]),
    "a line with three revenues, one twice": (
        [{"revenue": "1"}, {"revenue": "1"}, {"revenue": "3"}, {"revenue": "9"}],
        ["clean", "duplicate", "superseded", "superseded"],
    ),
    "a refused line twice, once in order": (
        [{"store": None}, {"store": None}, {}],
        ["clean", "missing_store", "missing_store"],
    ),
    "a correction known later": ([{}, {"known": "2017-01-09", "revenue": "3"}], ["clean", "clean"]),
    "the same goods in another basket": ([{}, {"basket": "other"}], ["clean", "clean"]),
}


def till(**changes: Any) -> Row:
    """A line of a till's file."""
    line = {
        "region": "here",
        "store": "s1",
        "product": "p1",
        "basket": "b1",
        "day": "2017-01-02",
        "known": "2017-01-02",
    }
    return {**line, "quantity": "1", "price": "2", "revenue": "2", "note": None, "_extra": None, **changes}


def judge(lines: DataFrame) -> DataFrame:
    canonical: Mapping[str, Column] = {
        "store_id": F.col("store"),
        "product_id": F.col("product"),
        "basket_id": F.col("basket"),
        "sold_on": F.col("day").try_cast("date"),
        "known_from": F.col("known").try_cast("date"),
        "source_quantity": F.col("quantity").try_cast("double"),
        "unit_price": F.col("price").try_cast("double"),
        "revenue": F.col("revenue").try_cast("double"),
    }
    received = lines.select(F.struct("*").alias("_raw"), *[column.alias(name) for name, column in canonical.items()])
    return mark_repeated(with_fate(received, sales_rules(cleaning())), KEY, CONTENT)


@given(st.lists(st.sampled_from([*KINDS]), min_size=60, max_size=120), st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_that_comes_in_is_accounted_for_and_a_refused_one_is_kept_whole(
    spark: SparkSession, kinds: list[str], random: Any
) -> None:
    # The batch tells the cases apart, and a product each keeps them apart.
    cases = [*enumerate([*KINDS, *kinds])]
    lines = [
        {**till(product=f"p{i}", note=kind), **changes, "_batch_id": f"case {i}"}
        for i, kind in cases
        for changes in KINDS[kind][0]
    ]
    random.shuffle(lines)
    judged = judge(frame(spark, TILL, *lines).repartition(random.randint(1, 4)))

    found = judged.groupBy("_raw._batch_id").agg(F.sort_array(F.collect_list("_fate")).alias("fates")).collect()
    assert {row._batch_id: row.fates for row in found} == {f"case {i}": KINDS[kind][1] for i, kind in cases}

    wanted = Counter(fate for _, kind in cases for fate in KINDS[kind][1])
    counts = judged.agg(*tally()).collect()[0]
    refused = {fate: rows for fate, rows in wanted.items() if fate not in KEPT_OUT_OF_QUARANTINE}
    assert counts.raw == len(lines)
    assert counts.raw == counts.clean + counts.quarantined + counts.duplicates + counts.superseded + counts.blank
    assert (counts.clean, counts.blank) == (wanted["clean"], wanted["blank"])
    assert (counts.duplicates, counts.superseded) == (wanted["duplicate"], wanted["superseded"])
    assert counts.quarantined == sum(refused.values())

    kept = quarantined(judged, "here", "sales").collect()
    assert Counter(row.rule for row in kept) == refused
    reasons = {f"case {i}": KINDS[kind][1] for i, kind in cases}
    for row in kept:
        whole = {**dict.fromkeys(lines[0]), **json.loads(row.row), "region": "here", "_batch_id": row.batch_id}
        assert whole in lines
        assert row.rule in reasons[row.batch_id]


def test_a_refused_row_carries_all_it_came_with(spark: SparkSession) -> None:
    received = {"store": None, "day": "02.01.2017", "note": 'said "no", twice', "_extra": '{"lane": 7}'}
    (kept,) = quarantined(judge(frame(spark, TILL, till(**received, _batch_id="tuesday"))), "there", "sales").collect()
    row = kept.asDict()
    wanted = {name: value for name, value in till(**received).items() if name not in ("region", "_batch_id", "store")}
    assert json.loads(row.pop("row")) == wanted
    assert row == {"region": "there", "source_table": "sales", "rule": "missing_store", "batch_id": "tuesday"}


def test_the_received_row_stays_with_what_is_refused_and_with_nothing_else(spark: SparkSession) -> None:
    lines = [till(), till(), till(store=None), till(quantity="two"), till(**EMPTY)]
    judged = judge(frame(spark, TILL, *lines))
    light = without_raw_of_the_kept(judged)
    assert quarantined(light, "here", "sales").collect() == quarantined(judged, "here", "sales").collect()
    kept = {row._fate for row in light.where("_raw is not null").select("_fate").collect()}
    assert kept == {"missing_store", "missing_or_unreadable_quantity"}
    assert light.agg(*tally()).collect() == judged.agg(*tally()).collect()


def test_quarantine_and_counts_have_the_shape_of_their_tables(spark: SparkSession) -> None:
    judged = judge(frame(spark, TILL))
    assert quarantined(judged, "here", "sales").dtypes == [(item.name, "string") for item in QUARANTINE.schema]
    (nothing,) = judged.agg(*tally()).collect()
    assert {*nothing.asDict()} == {*ROW_COUNTS.names} - {"region", "source_table", "flagged"}
    assert nothing.asDict() == all_clean(0)


def test_a_row_is_refused_by_the_first_rule_that_it_violates_and_null_violates_none(spark: SparkSession) -> None:
    rows = [("first and second", 9, 9), ("second", 1, 9), ("unknown then second", None, 9), ("unknown", None, 1)]
    known = spark.createDataFrame(rows, "name string, a int, b int")
    raw = known.withColumn("_raw", F.struct("name", "a", "b"))
    judged = with_fate(raw, {"a_is_large": F.col("a") > 5, "b_is_large": F.col("b") > 5})
    assert {row.name: row._fate for row in judged.collect()} == {
        "first and second": "a_is_large",
        "second": "b_is_large",
        "unknown then second": "b_is_large",
        "unknown": "clean",
    }


def test_where_a_row_came_from_does_not_fill_it_but_an_unknown_column_does(spark: SparkSession) -> None:
    raw = spark.createDataFrame(
        [("here", None, " ", "b", None), ("here", 0, " ", "b", None), ("here", None, " ", "b", '{"lane": 7}')],
        "region string, n int, t string, _batch_id string, _extra string",
    )
    judged = with_fate(raw.select(F.struct("*").alias("_raw")), {"always": F.lit(True)})
    assert {(row._raw.n, row._raw._extra): row._fate for row in judged.collect()} == {
        (None, None): "blank",
        (0, None): "always",
        (None, '{"lane": 7}'): "always",
    }


def test_which_version_is_kept_depends_neither_on_the_order_nor_on_the_partitions(spark: SparkSession) -> None:
    versions = [{"revenue": "5", "note": "a"}, {"revenue": "2", "note": "b"}, {"revenue": "3", "note": "c"}]
    lines = [
        till(product=f"order {i}", **version) for i, order in enumerate(permutations(versions)) for version in order
    ]
    judged = judge(frame(spark, TILL, *lines).repartition(5))
    kept = {(row._raw.note, row._fate) for row in judged.collect()}
    assert kept == {("b", "clean"), ("a", "superseded"), ("c", "superseded")}
