"""A generated million through the jobs: how much of the planted dirt cleaning finds, and what of the good it loses."""

from collections import Counter
from functools import partial, reduce
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast import config, schemas
from shelfcast.cleaning import supply
from shelfcast.generator.chain import load_chain
from shelfcast.generator.generate import generate
from shelfcast.runner import Runner
from shelfcast.steps import clean, ingest

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[2] / "conf" / "study.yaml"
LINE_KINDS = {
    "cut_short": "malformed_row",
    "too_long": "malformed_row",
    "header_again": "repeated_header",
    "blank_store": "missing_store",
    "blank_product": "missing_product",
    "unreadable_date": "missing_or_unreadable_date",
    "date_out_of_range": "date_out_of_range",
    "quantity_as_text": "missing_or_unreadable_quantity",
    "impossible_quantity": "impossible_quantity",
    "negative_price": "impossible_price",
    "contradictory_signs": "contradictory_signs",
}
PURCHASE_KINDS = {
    "cut_short": "malformed_row",
    "unreadable_date": "unreadable_date",
    "quantity_as_text": "missing_or_unreadable_quantity",
    "no_keys": "sum_of_rows",
    "sums_without_keys": "sum_of_rows",
}
KEYS = ("store_id", "product_id")


@pytest.fixture(scope="module")
def files(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("million") / "files"
    # A seed that nothing was tuned on.
    generate(spark, load_chain("study", None, 4711), out)
    return out


@pytest.fixture(scope="module")
def cleaned(spark: SparkSession, files: Path) -> Runner:
    runner = Runner(spark, config.load(CONFIG, [f"source.path={files}", f"lake={files.parent / 'lake'}"]))
    for step in (ingest, clean):
        runner.run(step.job(runner.config))
    return runner


@pytest.fixture(scope="module")
def planted(files: Path) -> pd.DataFrame:
    return pd.read_parquet(files / "truth" / "dirty.parquet").query("not is_true")


@pytest.mark.parametrize(
    ("file", "table", "rules"), [("Sales", "sales", LINE_KINDS), ("Purchases", "purchases", PURCHASE_KINDS)]
)
def test_of_each_kind_of_dirt_99_in_100_are_refused_by_their_rule_and_of_the_good_fewer_than_1_in_1000(
    cleaned: Runner, planted: pd.DataFrame, file: str, table: str, rules: dict[str, str]
) -> None:
    kinds = planted[planted["file"].str.startswith(file)]["kind"].value_counts()
    wanted = Counter[str]()
    for kind, count in kinds.items():
        if kind in rules:
            wanted[rules[str(kind)]] += int(count)
    refused = cleaned.lake.read(schemas.QUARANTINE, "study").where(f"source_table = '{table}'")
    found = {row["rule"]: row["count"] for row in refused.groupBy("rule").count().collect()}
    account = cleaned.lake.read(schemas.ROW_COUNTS, "study").where(f"source_table = '{table}'").first()
    assert account is not None
    assert {rule: found.get(rule, 0) >= 0.99 * count for rule, count in wanted.items()} == dict.fromkeys(wanted, True)
    assert account["duplicates"] >= 0.99 * kinds["duplicate"]
    assert account["blank"] >= 0.99 * kinds["comma_only"]
    lost = account["raw"] - account["clean"] - len(planted[planted["file"].str.startswith(file)])
    assert abs(lost) < 0.001 * account["raw"]
    assert sum(kinds) > 1000


def test_what_is_clean_balances_for_every_store_and_product(cleaned: Runner) -> None:
    """Opening stock and what came in, less what sold, is the closing stock: by the lake's tables alone."""
    read = partial(cleaned.lake.read, region="study")
    stock, dates = read(supply.STOCK), cleaned.config.cleaning
    # What arrived before the first day is in the opening stock.
    arrived = read(supply.PURCHASES).where(F.col("received_on").between(F.lit(dates.first_day), F.lit(dates.last_day)))
    parts = [
        _units(stock.where("moment = 'opening'"), "on_hand", 1),
        _units(arrived, "quantity", 1),
        _units(read(schemas.SALES), "quantity", -1),
        _units(stock.where("moment = 'closing'"), "on_hand", -1),
    ]
    balance = reduce(DataFrame.unionByName, parts).groupBy(*KEYS).agg(F.sum("units").alias("units"))
    assert balance.count() > 100_000
    assert balance.where("units != 0").count() == 0


def _units(rows: DataFrame, column: str, sign: int) -> DataFrame:
    return rows.select(*KEYS, (sign * F.col(column)).alias("units"))


def test_what_sold_of_each_class_is_what_the_truth_sold(cleaned: Runner, files: Path, spark: SparkSession) -> None:
    sold = (
        _units(cleaned.lake.read(schemas.SALES, "study"), "quantity", 1)
        .groupBy(*KEYS)
        .agg(F.sum("units").alias("units"))
    )
    pairs = spark.read.parquet(f"{files}/truth/pairs.parquet").select(*KEYS, "sold", "demand_class")
    wrong = pairs.join(sold, [*KEYS], how="full").where(F.coalesce("sold", F.lit(0)) != F.coalesce("units", F.lit(0)))
    assert wrong.count() == 0
