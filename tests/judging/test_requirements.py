"""What a rule must be, so that it can be kept and broken."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from promised import KEPT, shop
from shelfcast.errors import ConfigError
from shelfcast.steps import clean

RULE = "rule"
REFUSED = {
    "two checks": (
        RULE,
        {**KEPT, "required": ["store_id"], "unique": ["store_id"]},
        "one of required, unique, .*found requi",
    ),
    "no check": (RULE, KEPT, "one of required, unique, range, pattern, reference, freshness, volume, found none"),
    "a table put aside": (
        RULE,
        {**KEPT, "severity": "quarantine", "volume": {"at_least": 1}},
        "count or fatal: volume is br",
    ),
    "another severity": (
        RULE,
        {**KEPT, "severity": "warn", "required": ["store_id"]},
        "'count', 'quarantine' or 'fatal'",
    ),
    "a reference to nothing": (RULE, {**KEPT, "reference": {"column": "store_id"}}, "one of table and values"),
    "a table that is none": (
        RULE,
        {**KEPT, "table": "tills", "required": ["store_id"]},
        "rules of sales, unlike rule of tills",
    ),
    "a column that is none": (
        RULE,
        {**KEPT, "required": ["shop"]},
        "contracts.rule: no column shop in sales; wanted some of",
    ),
    "the name of a fate": ("duplicate", {**KEPT, "required": ["store_id"]}, "duplicate: the name of a fate"),
    "the name of a rule of cleaning": (
        "impossible_price",
        {**KEPT, "severity": "quarantine", "required": ["store_id"]},
        "impossible_price: the name of a fate",
    ),
    "a range without an end": (RULE, {**KEPT, "range": {"column": "revenue"}}, "at_least, at_most or both"),
    "a range of nothing": (
        RULE,
        {**KEPT, "range": {"column": "revenue", "at_least": 3, "at_most": 2}},
        "the greater one last",
    ),
    "a range of two types": (
        RULE,
        {**KEPT, "range": {"column": "revenue", "at_least": 3, "at_most": "2017-01-01"}},
        "numbers or days",
    ),
    "a number that bounds days": (
        RULE,
        {**KEPT, "range": {"column": "sold_on", "at_most": 3}},
        "sold_on is date; wanted a double",
    ),
    "a number that bounds texts": (
        RULE,
        {**KEPT, "range": {"column": "store_id", "at_most": 3}},
        "store_id is string; wanted a double",
    ),
    "a volume without an end": (RULE, {**KEPT, "volume": {}}, "at_least, at_most or of_usual"),
    "a volume of nothing": (RULE, {**KEPT, "volume": {"of_usual": [3, 0.3]}}, "the greater one last"),
    "a freshness of what has no days": (
        RULE,
        {**KEPT, "freshness": {"column": "store_id", "within_days": 3}},
        "store_id has no days; wanted one of sold_on, known_from",
    ),
    "a key beside values": (
        RULE,
        {**KEPT, "reference": {"column": "store_id", "values": ["1"], "key": "store_id"}},
        "no key, which is a column of table",
    ),
    "what is no regular expression": (
        RULE,
        {**KEPT, "pattern": {"column": "store_id", "matches": "[0-9"}},
        r"found '\[0-9', which is none .*; wanted a regular expression of Java",
    ),
}


@pytest.mark.parametrize(("name", "rule", "message"), REFUSED.values(), ids=REFUSED)
def test_a_rule_that_cannot_be_is_refused(
    spark: SparkSession, tmp_path: Path, name: str, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        clean.job(shop(spark, tmp_path, {name: rule}).runner.config)


def test_two_rules_of_one_name_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    config = shop(spark, tmp_path, {"rule": {**KEPT, "required": ["store_id"]}}).runner.config
    twice = config.model_copy(update={"contracts": config.contracts * 2})
    with pytest.raises(ConfigError, match="contracts: rule is there twice"):
        clean.job(twice)
