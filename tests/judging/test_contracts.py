"""What a source has promised: what is counted, what is put aside, and what nothing is made without."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from corner import REGION, Corner, line
from shelfcast import schemas
from shelfcast.errors import ConfigError, ContractError
from shelfcast.judging.contracts import RESULTS
from shelfcast.steps import clean

KEPT = {"table": "sales", "severity": "count"}
RULES = {
    "store_is_named": {**KEPT, "required": ["store_id", "discount"]},
    "no_wholesale": {**KEPT, "severity": "quarantine", "range": {"column": "source_quantity", "at_most": 50}},
    "basket_is_a_letter": {**KEPT, "pattern": {"column": "basket_id", "matches": "[a-z]"}},
    "product_is_milk": {**KEPT, "severity": "quarantine", "reference": {"column": "product_id", "values": ["milk"]}},
    "one_basket_a_day": {**KEPT, "severity": "quarantine", "unique": ["store_id", "sold_on"]},
    "not_too_few": {**KEPT, "volume": {"at_least": 3, "at_most": 9}},
    "not_too_old": {**KEPT, "freshness": {"column": "sold_on", "within_days": 0}},
}


def shop(spark: SparkSession, folder: Path, rules: dict[str, Any], keys: str = "{sales: [basket_id]}") -> Corner:
    named = [{"name": name, **rule} for name, rule in rules.items()]
    return Corner(spark, folder, keys, f"contracts={json.dumps(named)}")


def found(corner: Corner) -> dict[str, tuple[int, int]]:
    """rule -> rows judged and violations, of the newest run."""
    rows = corner.runner.lake.read(RESULTS, REGION).orderBy("checked_at").collect()
    return {row.rule: (row.rows, row.violations) for row in rows}


@pytest.fixture(scope="module")
def judged(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    corner = shop(spark, tmp_path_factory.mktemp("judged"), RULES)
    rows = (line("a", "2017-01-02", 1), line("b", "2017-01-03", 60), line("c", "2017-01-04", 1, product="rum"))
    corner.deliver("sales-1.csv", *rows, line("7", "2017-01-05", 1), line("d", "2017-01-02", 1))
    corner.take_in()
    return corner


def test_each_rule_tells_how_many_rows_break_it(judged: Corner) -> None:
    assert found(judged) == {
        "store_is_named": (5, 5),
        "no_wholesale": (5, 1),
        "basket_is_a_letter": (5, 1),
        "product_is_milk": (5, 1),
        "one_basket_a_day": (5, 1),
        "not_too_few": (1, 0),
        "not_too_old": (1, 0),
    }


def test_rows_that_break_what_is_quarantined_are_put_aside_whole_and_the_others_stay(judged: Corner) -> None:
    aside = judged.runner.lake.read(schemas.QUARANTINE, REGION).collect()
    assert {(row.rule, json.loads(row.row)["basket"]) for row in aside} == {
        ("no_wholesale", "b"),
        ("product_is_milk", "c"),
        ("one_basket_a_day", "d"),
    }
    assert judged.sold() == {"7": 1, "a": 1}
    assert judged.account() == {"raw": 5, "clean": 2, "quarantined": 3}


def test_a_fatal_rule_ends_the_job_before_a_clean_table_is_written_and_is_told_of(
    spark: SparkSession, tmp_path: Path
) -> None:
    rules = {
        "usual_size": {**KEPT, "severity": "fatal", "volume": {"of_usual": [0.5, 2]}},
        "price_is_known": {**KEPT, "severity": "count", "required": ["unit_price"]},
    }
    corner = shop(spark, tmp_path, rules)
    corner.deliver("sales-1.csv", *(line(basket, "2017-01-02", 1) for basket in "abcd"))
    corner.take_in()
    before = corner.hashes()
    corner.deliver("sales-2.csv", line("e", "2017-01-03", 1))
    corner.ingest()
    with pytest.raises(
        ContractError, match="usual_size: a delivery of sales has 1 rows; wanted at least 2 and at most 8"
    ):
        corner.clean()
    tables = [table for table in before if table != RESULTS.name]
    after = corner.hashes()
    assert [after[table] for table in tables] == [before[table] for table in tables]
    assert found(corner) == {"usual_size": (1, 1), "price_is_known": (1, 1)}


REFUSED = {
    "two checks": (
        {**KEPT, "required": ["store_id"], "unique": ["store_id"]},
        "one of required, unique, .*found requi",
    ),
    "no check": (KEPT, "one of required, unique, range, pattern, reference, freshness, volume, found none"),
    "a table put aside": (
        {**KEPT, "severity": "quarantine", "volume": {"at_least": 1}},
        "count or fatal: volume is br",
    ),
    "another severity": ({**KEPT, "severity": "warn", "required": ["store_id"]}, "'count', 'quarantine' or 'fatal'"),
    "a reference to nothing": ({**KEPT, "reference": {"column": "store_id"}}, "one of table and values"),
    "a table that is none": (
        {**KEPT, "table": "tills", "required": ["store_id"]},
        "contracts.rule: no table tills; wan",
    ),
    "a column that is none": (
        {**KEPT, "required": ["shop"]},
        "contracts.rule: no column shop in sales; wanted some of",
    ),
}


@pytest.mark.parametrize(("rule", "message"), REFUSED.values(), ids=REFUSED)
def test_a_rule_that_cannot_be_is_refused(
    spark: SparkSession, tmp_path: Path, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        clean.job(shop(spark, tmp_path, {"rule": rule}).runner.config)


def test_two_rules_of_one_name_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    config = shop(spark, tmp_path, {"rule": {**KEPT, "required": ["store_id"]}}).runner.config
    twice = config.model_copy(update={"contracts": config.contracts * 2})
    with pytest.raises(ConfigError, match="contracts: rule is there twice"):
        clean.job(twice)
