from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from benchmarks.scores import paired_bootstrap
from builders import MONDAY, Row, frame
from shelfcast import metrics
from shelfcast.challengers import CHAMPIONS, compare, confront, pair, sum_errors, with_since
from shelfcast.promotion import incumbents
from shelfcast.schemas import BACKTESTS, LEADERBOARD, REGISTRY

LAST, BEFORE = date(2017, 11, 6), date(2017, 9, 11)
STORES, STEPS, SEED = 8, 3, 5
CLASSES = "panel string, store_id string, item_id string, demand_class string"


def on_board(model: str, champion: str | None = None, challenger: str | None = None, panel: str = "product") -> Row:
    scores = {"wape": 0.3, "rmse": 2.0, "rmsse": 0.9, "bias": -0.1}
    return {"panel": panel, "model": model, "champion": champion, "challenger": challenger, **scores}


def registered(model: str, version: str, panel: str = "product") -> list[Row]:
    return [{"panel": panel, "model": model, "cutoff": at, "version": version} for at in (BEFORE, LAST)]


@pytest.fixture(scope="module")
def pairs(spark: SparkSession) -> DataFrame:
    board = [
        on_board("linear", champion="mean", challenger="median"),
        on_board("tsb", champion="median"),
        on_board("ridge", challenger="mean"),
        on_board("zero"),
        # nobody else could forecast this panel
        on_board("naive", champion="mean and median", panel="reference"),
    ]
    rows = [registered("linear", "v1"), registered("tsb", "v1"), registered("ridge", "v2"), registered("zero", "v1")]
    rows.append(registered("naive", "v3", panel="reference"))
    made = pair(frame(spark, LEADERBOARD, *board), frame(spark, REGISTRY, *[row for two in rows for row in two]))
    return spark.createDataFrame(made.collect(), made.schema)


def test_each_panel_and_purpose_has_its_champion_and_the_challenger_beside_it(pairs: DataFrame) -> None:
    found = {(row.panel, row.purpose): (row.model, row.version, row.challenger, row.challenger_version)
             for row in pairs.collect()}  # fmt: skip
    assert found == {
        ("product", "mean"): ("linear", "v1", "ridge", "v2"),
        ("product", "median"): ("tsb", "v1", "linear", "v1"),
        ("reference", "mean"): ("naive", "v3", None, None),
        ("reference", "median"): ("naive", "v3", None, None),
    }
    assert all(row.scores.asDict() == {"wape": 0.3, "rmse": 2.0, "rmsse": 0.9, "bias": -0.1} for row in pairs.collect())


def forecasts(model: str, spread: float, panel: str = "product") -> pd.DataFrame:
    """Rows of forecasts/backtests at both cutoffs, wilder at the earlier; a week of the first store is not known."""
    draw = np.random.default_rng([len(model), int(10 * spread)])
    grid = [(at, f"s{store}", step + 1) for at in (BEFORE, LAST) for store in range(STORES) for step in range(STEPS)]
    rows = pd.DataFrame(grid, columns=["cutoff", "store_id", "step"])
    rows["y"] = 5.0 + rows.index % 7
    rows["y_hat"] = rows["y"] + draw.normal(0, spread, len(rows)) * np.where(rows["cutoff"] == LAST, 1, 9)
    rows.loc[(rows["store_id"] == "s0") & (rows["step"] == 2), "y"] = np.nan
    same = {"region": "here", "panel": panel, "model": model, "item_id": "p1", "category_id": "c1"}
    return rows.assign(**same, week=MONDAY, naive_mse=1.0, fallback=None)


def test_both_are_compared_on_the_windows_behind_the_cutoffs_alone(spark: SparkSession, pairs: DataFrame) -> None:
    made = {name: forecasts(name, spread) for name, spread in (("linear", 1.0), ("tsb", 2.0), ("ridge", 3.0))}
    rows = pd.concat([*made.values(), forecasts("naive", 1.0, panel="reference")])
    backtests = spark.createDataFrame(rows[BACKTESTS.names].astype({"step": "int32"}), BACKTESTS.schema)
    errors = sum_errors(backtests, spark.createDataFrame([], CLASSES))
    found = {(row.panel, row.purpose): row for row in confront(pairs, errors, [LAST], SEED).collect()}
    last = {name: rows[rows["cutoff"] == LAST] for name, rows in made.items()}
    y, stores = last["linear"]["y"].to_numpy(), last["linear"]["store_id"].to_numpy()
    linear, tsb, ridge = (last[name]["y_hat"].to_numpy() for name in ("linear", "tsb", "ridge"))
    mean, median = found["product", "mean"], found["product", "median"]
    assert mean.difference == pytest.approx(metrics.rmse(y, linear) - metrics.rmse(y, ridge), rel=1e-9)
    assert mean.lower < mean.difference < mean.upper < 0
    by_store = paired_bootstrap(y, tsb, linear, stores, SEED)
    assert (median.difference, median.lower, median.upper) == pytest.approx(tuple(by_store), rel=1e-9)
    assert (mean.stores, median.stores, mean.cutoffs) == (STORES, STORES, [LAST])
    alone = found["reference", "mean"]
    assert (alone.difference, alone.lower, alone.upper, alone.stores) == (None, None, None, None)


def test_of_few_stores_the_difference_is_told_and_no_interval() -> None:
    sums = {"squared": 4.0, "absolute": 2.0, "challenger_squared": 9.0, "challenger_absolute": 3.0, "rows": 5.0}
    rows = pd.DataFrame(
        [{"panel": "p", "purpose": "mean", "store_id": f"s{n}", "units": 9.0, **sums} for n in range(4)]
    )
    found = compare(rows, SEED).iloc[0]
    assert found["difference"] == pytest.approx(np.sqrt(4 / 5) - np.sqrt(9 / 5))
    assert (found["stores"], np.isnan(found["lower"]), np.isnan(found["upper"])) == (4, True, True)


DECIDED = datetime(2017, 11, 7, 6)
HISTORY = [
    # panel, purpose, champion, since, as of, decided
    ("product", "mean", "tsb", date(2017, 1, 9), date(2017, 10, 2), DECIDED),
    ("product", "mean", "linear", date(2017, 10, 9), date(2017, 10, 9), DECIDED.replace(hour=7)),
    ("product", "mean", "linear", date(2017, 10, 9), date(2017, 10, 16), DECIDED.replace(hour=8)),
    ("product", "median", "linear", date(2017, 3, 6), date(2017, 10, 16), DECIDED),
    ("reference", "mean", "naive", date(2017, 12, 4), date(2017, 12, 4), DECIDED),
]


def test_a_champion_reigns_since_the_first_evaluation_in_a_row_that_named_it(
    spark: SparkSession, pairs: DataFrame
) -> None:
    names = ("panel", "purpose", "model", "since", "as_of", "decided_at")
    history = frame(spark, CHAMPIONS, *[dict(zip(names, row, strict=True)) for row in HISTORY])
    found = with_since(pairs, incumbents(history, date(2017, 11, 6)), date(2017, 11, 6))
    assert {(row.panel, row.purpose): row.since for row in found.collect()} == {
        ("product", "mean"): date(2017, 10, 9),
        # another was champion before
        ("product", "median"): date(2017, 11, 6),
        # what was known later is not known yet; and nobody was champion ever
        ("reference", "mean"): date(2017, 11, 6),
        ("reference", "median"): date(2017, 11, 6),
    }
