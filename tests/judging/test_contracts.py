"""What a source has promised: what is counted, what is put aside, and what nothing is made without."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import HEADER, REGION, Corner, line
from promised import FATAL, KEPT, found, shop
from shelfcast import schemas
from shelfcast.errors import ContractError
from shelfcast.judging.contracts import RESULTS

RULES = {
    "store_is_named": {**KEPT, "required": ["store_id", "discount"]},
    "no_wholesale": {**KEPT, "severity": "quarantine", "range": {"column": "source_quantity", "at_most": 50}},
    "basket_is_a_letter": {**KEPT, "pattern": {"column": "basket_id", "matches": "[a-z]"}},
    "product_is_milk": {**KEPT, "severity": "quarantine", "reference": {"column": "product_id", "values": ["milk"]}},
    "one_basket_a_day": {**KEPT, "severity": "quarantine", "unique": ["store_id", "sold_on"]},
    "not_too_few": {**KEPT, "volume": {"at_least": 3, "at_most": 9}},
    "not_too_old": {**KEPT, "freshness": {"column": "sold_on", "within_days": 0}},
}


@pytest.fixture(scope="module")
def judged(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    corner = shop(spark, tmp_path_factory.mktemp("judged"), RULES)
    rows = (line("a", "2017-01-02", 1), line("b", "2017-01-03", 60), line("c", "2017-01-04", 1, product="rum"))
    also = (line("7", "2017-01-05", 1), line("d", "2017-01-02", 1), line("e", "2017-01-06", 51, product="gin"))
    corner.deliver("sales-1.csv", *rows, *also, HEADER, ",,,,,")
    corner.take_in()
    return corner


def test_each_rule_tells_how_many_rows_break_it(judged: Corner) -> None:
    assert found(judged) == {
        "store_is_named": (6, 6),
        "no_wholesale": (6, 2),
        "basket_is_a_letter": (6, 1),
        "product_is_milk": (6, 2),
        "one_basket_a_day": (6, 1),
        "not_too_few": (1, 0),
        "not_too_old": (1, 0),
    }


def test_rows_that_break_what_is_quarantined_are_put_aside_whole_and_the_others_stay(judged: Corner) -> None:
    aside = judged.runner.lake.read(schemas.QUARANTINE, REGION).collect()
    assert {(row.rule, json.loads(row.row)["basket"]) for row in aside} == {
        ("no_wholesale", "b"),
        ("product_is_milk", "c"),
        ("one_basket_a_day", "d"),
        ("no_wholesale", "e"),
        ("repeated_header", "basket"),
    }
    assert judged.sold() == {"7": 1, "a": 1}
    assert judged.account() == {"raw": 8, "clean": 2, "quarantined": 5, "blank": 1}


def test_a_fatal_rule_ends_the_job_before_a_clean_table_is_written_until_the_file_comes_as_promised(
    spark: SparkSession, tmp_path: Path
) -> None:
    rules = {
        "usual_size": {**FATAL, "volume": {"of_usual": [0.5, 2]}},
        "price_is_known": {**KEPT, "severity": "count", "required": ["unit_price"]},
    }
    corner = shop(spark, tmp_path, rules)
    corner.deliver("sales-1.csv", *(line(basket, "2017-01-02", 1) for basket in "abcd"))
    corner.take_in()
    before = corner.hashes()
    corner.deliver("sales-2.csv", line("e", "2017-01-03", 1))
    corner.ingest()
    with pytest.raises(
        ContractError, match="usual_size: a delivery of sales has 1 rows a day; wanted at least 2 and at most 8"
    ):
        corner.clean()
    tables = [table for table in before if table != RESULTS.name]
    after = corner.hashes()
    assert [after[table] for table in tables] == [before[table] for table in tables]
    assert found(corner) == {"usual_size": (1, 1), "price_is_known": (1, 1)}

    corner.deliver("sales-2.csv", *(line(basket, "2017-01-03", 1) for basket in "efgh"))
    assert corner.take_in() == (True, True)
    assert corner.sold() == dict.fromkeys("abcdefgh", 1)
    assert found(corner)["usual_size"] == (1, 0)
