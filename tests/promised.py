"""The corner shop whose tables keep promises, and what was found of them."""

import json
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from corner import REGION, Corner
from shelfcast.judging.contracts import RESULTS

KEPT = {"table": "sales", "severity": "count"}
FATAL = {"table": "sales", "severity": "fatal"}


def shop(
    spark: SparkSession, folder: Path, rules: dict[str, Any], *changes: str, keys: str = "{sales: [basket_id]}"
) -> Corner:
    named = [{"name": name, **rule} for name, rule in rules.items()]
    return Corner(spark, folder, keys, f"contracts={json.dumps(named)}", *changes)


def found(corner: Corner) -> dict[str, tuple[int, int]]:
    """rule -> rows judged and violations, of the newest run."""
    rows = corner.runner.lake.read(RESULTS, REGION).orderBy("checked_at").collect()
    return {row.rule: (row.rows, row.violations) for row in rows}
