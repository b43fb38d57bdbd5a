"""The metrics from sums on Spark against shelfcast.metrics on whole arrays."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from chispa import assert_approx_df_equality
from pyspark.sql import SparkSession

from builders import frame
from shelfcast import metrics
from shelfcast.evaluation import METRIC_NAMES, SLICES, measure
from shelfcast.scoring import SCORED_COLUMNS

Key = tuple[str, date | None, str, str]

CUTOFFS = (date(2017, 7, 3), date(2017, 9, 4), date(2017, 11, 6))
MODELS = ("ridge", "tsb")
HORIZON, HISTORY = 3, 10
# Series of two stores and three categories; the last never changed before a cutoff.
SERIES = [("s1", "p1", "c1"), ("s1", "p2", "c2"), ("s2", "p1", "c1"), ("s2", "p3", "c3"), ("s2", "p4", "c3")]
COLUMN = {name: column for name, column in SLICES.items() if column}


def simulate() -> tuple[pd.DataFrame, np.ndarray]:
    """A row per model, cutoff, series and step, some of unknown demand; and the history before each, a row a row."""
    draw = np.random.default_rng(3)
    rows, histories = [], []
    for cutoff in CUTOFFS:
        for store, item, category in SERIES:
            history = draw.poisson(4.0, HISTORY).astype(float) if item != "p4" else np.full(HISTORY, 2.0)
            y = np.where(draw.random(HORIZON) < 0.15, np.nan, draw.poisson(1.5, HORIZON))
            for model in MODELS:
                y_hat = draw.gamma(2.0, 1.0, HORIZON)
                rows += [(model, cutoff, store, item, category, n + 1, y[n], y_hat[n]) for n in range(HORIZON)]
                histories += [history] * HORIZON
    names = ["model", "cutoff", "store_id", "item_id", "category_id", "step", "y", "y_hat"]
    history = np.array(histories)
    return pd.DataFrame(rows, columns=names).assign(naive_mse=np.mean(np.diff(history) ** 2, axis=1)), history


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, np.ndarray]:
    return simulate()


@pytest.fixture(scope="module")
def measured(spark: SparkSession, simulated: tuple[pd.DataFrame, np.ndarray]) -> dict[Key, dict[str, float | None]]:
    given = [
        {"panel": "product", **{str(name): value for name, value in row.items()}}
        for row in simulated[0].to_dict("records")
    ]
    found = measure(frame(spark, SCORED_COLUMNS, *given)).collect()
    return {(row["model"], row["cutoff"], row["slice"], row["value"]): row.asDict() for row in found}


def of_key(rows: pd.DataFrame, key: Key) -> pd.Series:
    """Which rows the metrics of `key` are measured on."""
    model, cutoff, name, value = key
    chosen = (rows["model"] == model) & (True if cutoff is None else rows["cutoff"] == cutoff)
    return chosen & (rows[COLUMN[name]].astype(str) == value) if name in COLUMN else chosen


def test_every_slice_has_all_its_values_at_each_cutoff_and_over_all(
    simulated: tuple[pd.DataFrame, np.ndarray], measured: dict[Key, object]
) -> None:
    known = simulated[0].dropna(subset="y")
    values = [("all", "all"), *((name, str(value)) for name in COLUMN for value in known[COLUMN[name]].unique())]
    keys = {(model, cutoff, *told) for model in MODELS for cutoff in (*CUTOFFS, None) for told in values}
    assert {*measured} == {key for key in keys if of_key(known, key).any()}


@pytest.mark.parametrize("name", SLICES)
def test_each_metric_is_that_of_the_second_engine(
    name: str, simulated: tuple[pd.DataFrame, np.ndarray], measured: dict[Key, dict[str, float | None]]
) -> None:
    rows, history = simulated
    compared = 0
    for key, found in measured.items():
        if key[2] == name:
            chosen = of_key(rows, key).to_numpy()
            expected = by_second_engine(rows[chosen], history[chosen], name)
            assert {metric for metric in expected if found[metric] is None} == {*by_name(expected, np.isnan)}, key
            measurable = by_name(expected, lambda value: not np.isnan(value))
            assert {metric: found[metric] for metric in measurable} == pytest.approx(measurable, rel=1e-9), key
            compared += 1
    assert compared >= len(MODELS) * (len(CUTOFFS) + 1)


def by_name(values: dict[str, float], wanted: Callable[[float], bool]) -> dict[str, float]:
    return {name: value for name, value in values.items() if wanted(value)}


def by_second_engine(rows: pd.DataFrame, history: np.ndarray, name: str) -> dict[str, float]:
    y, y_hat = rows["y"].to_numpy(), rows["y_hat"].to_numpy()
    expected = {metric: measured_by(y, y_hat) for metric, measured_by in metrics.METRICS.items()}
    expected |= {"rows": int((~np.isnan(y)).sum()), "zeros_left_out": metrics.mape_left_out(y)}
    expected |= {"units": np.nansum(y), "units_abs": np.nansum(np.abs(y))}
    expected["rae"] = expected["rae"] if name == "all" else np.nan
    expected["rmsse"] = np.nan
    if name != "step":
        expected["rmsse"] = metrics.rmsse(y.reshape(-1, HORIZON), y_hat.reshape(-1, HORIZON), history[::HORIZON])
    return expected


def test_the_engines_measure_the_same_things() -> None:
    assert {*METRIC_NAMES} == {*metrics.METRICS, "rmsse", "zeros_left_out"}


def forecasts_of(y: list[float | None], y_hat: list[float], **changes: object) -> list[dict[str, object]]:
    """One series of model m at one cutoff, a row a step."""
    row = {"panel": "p", "model": "m", "cutoff": CUTOFFS[0], "store_id": "s1", "item_id": "p1", "category_id": "c1"}
    pairs = enumerate(zip(y, y_hat, strict=True), 1)
    return [{**row, "naive_mse": 1.0, "step": step, "y": a, "y_hat": b, **changes} for step, (a, b) in pairs]


def test_a_worked_example_without_the_demand_that_is_not_known(spark: SparkSession) -> None:
    given = forecasts_of([2.0, 0.0, None, float("nan")], [1.0, 1.0, 9.0, 9.0], naive_mse=4.0)
    found = measure(frame(spark, SCORED_COLUMNS, *given)).where("slice = 'all' and cutoff is not null")
    expected = spark.createDataFrame(
        [("p", "m", 2, 2.0, 2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 1.0, 1.0, 0.5, 1, None)],
        "panel string, model string, rows bigint, units double, units_abs double, wape double, rmse double, "
        "mae double, bias double, r2 double, rmsse double, rae double, rrse double, mape double, "
        "zeros_left_out bigint, correlation double",
    )
    assert_approx_df_equality(found.drop("cutoff", "slice", "value"), expected, 1e-12, ignore_nullable=True)


NOTHING: dict[str, Callable[[], list[dict[str, object]]]] = {
    "nothing-sold": lambda: forecasts_of([0.0, 0.0], [1.0, 2.0], model="nothing-sold"),
    "demand-never-changed": lambda: forecasts_of([2.0] * 3, [1.0, 2.0, 3.0], model="demand-never-changed"),
    "the-forecast-is-a-constant": lambda: forecasts_of([1.0, 2.0, 4.0], [0.1] * 3, model="the-forecast-is-a-constant"),
    "the-history-never-changed": lambda: forecasts_of(
        [1.0, 2.0, 4.0], [1.0, 2.5, 3.0], model="the-history-never-changed", naive_mse=0.0
    ),
    "the-history-is-one-week": lambda: forecasts_of(
        [1.0, 2.0, 4.0], [1.0, 2.5, 3.0], model="the-history-is-one-week", naive_mse=None
    ),
}


@pytest.fixture(scope="module")
def unmeasured(spark: SparkSession) -> dict[str, set[str]]:
    """model -> the metrics that are null on the whole."""
    given = [row for make in NOTHING.values() for row in make()]
    found = measure(frame(spark, SCORED_COLUMNS, *given)).where("slice = 'all' and cutoff is null").collect()
    return {row["model"]: {metric for metric in METRIC_NAMES if row[metric] is None} for row in found}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("nothing-sold", {"wape", "bias", "r2", "rae", "rrse", "mape", "correlation"}),
        ("demand-never-changed", {"r2", "rrse", "rae", "correlation"}),
        ("the-forecast-is-a-constant", {"correlation"}),
        ("the-history-never-changed", {"rmsse"}),
        ("the-history-is-one-week", {"rmsse"}),
    ],
)
def test_a_metric_without_anything_to_measure_is_null(
    model: str, expected: set[str], unmeasured: dict[str, set[str]]
) -> None:
    assert unmeasured[model] == expected
