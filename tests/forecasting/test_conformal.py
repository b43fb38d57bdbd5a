from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from builders import frame
from shelfcast import metrics
from shelfcast.forecasting.conformal import LEAST_ROWS, QUANTILES, fit_ratios, measure_calibration, with_quantiles

PAST = "level string, mean double, y double"
SCORED = f"{PAST}, p10 double, p50 double, p90 double, p98 double, ratios bigint"
FEW_EXAMPLES = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def conformal(ratios: np.ndarray, quantile: float, mean: float) -> float:
    """The ceil((n + 1) q)-th ratio of n in order times the mean; NaN where there are fewer."""
    rank = ceil((len(ratios) + 1) * Fraction(str(quantile)))
    return float(np.sort(ratios)[rank - 1]) * mean if rank <= len(ratios) else np.nan


def past(spark: SparkSession, by_level: dict[str, list[tuple[float, float]]]) -> DataFrame:
    """Rows of mean and demand."""
    rows = [(level, float(mean), float(y)) for level, pairs in by_level.items() for mean, y in pairs]
    return spark.createDataFrame(pd.DataFrame(rows, columns=["level", "mean", "y"]), PAST)


def quantiles_at(
    spark: SparkSession, ratios: DataFrame, means: dict[str, list[float]]
) -> dict[tuple[str, float], list[float]]:
    rows = [{"level": level, "mean": float(mean)} for level, each in means.items() for mean in each]
    found = with_quantiles(frame(spark, "level string, mean double", *rows), ratios).collect()
    assert len(found) == len(rows)
    return {(row["level"], row["mean"]): _or_nan([row[name] for name in QUANTILES]) for row in found}


def _or_nan(numbers: list[float | None]) -> list[float]:
    return [np.nan if number is None else number for number in numbers]


@given(st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=120), min_size=6, max_size=8))
@FEW_EXAMPLES
def test_a_quantile_is_the_ratio_of_that_rank_and_they_are_in_order(
    spark: SparkSession, drawn: list[list[int]]
) -> None:
    by_level = {f"level {n}": [(8.0, float(y)) for y in demand] for n, demand in enumerate(drawn)}
    ratios = fit_ratios(past(spark, by_level))
    means = {level: [0.0, 0.3, 8.0, 1e9] for level in by_level}
    for (level, mean), found in quantiles_at(spark, ratios, means).items():
        of_level = np.array([y / at for at, y in by_level[level]])
        expected = [conformal(of_level, quantile, max(mean, 2**-12)) for quantile in QUANTILES.values()]
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
        known = [quantile for quantile in found if not np.isnan(quantile)]
        assert known == sorted(known)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(1, [1.0, 1.0, None, None], id="one-ratio-is-a-median-of-sorts"),
        pytest.param(8, [1.0, 5.0, None, None], id="eight-know-no-p90"),
        pytest.param(9, [1.0, 5.0, 9.0, None], id="of-nine-the-largest-is-the-p90"),
        pytest.param(16, [2.0, 9.0, 16.0, None], id="sixteen-know-no-p98"),
        pytest.param(48, [5.0, 25.0, 45.0, None], id="nor-do-forty-eight"),
        pytest.param(49, [5.0, 25.0, 45.0, 49.0], id="of-forty-nine-the-largest-is-the-p98"),
    ],
)
def test_a_quantile_that_the_ratios_are_too_few_for_is_not_known(
    spark: SparkSession, rows: int, expected: list[float | None]
) -> None:
    pairs = [(1.0, float(y)) for y in range(1, rows + 1)]
    ratios = fit_ratios(past(spark, {"region": pairs}))
    assert quantiles_at(spark, ratios, {"region": [1.0]})["region", 1.0] == pytest.approx(
        _or_nan(expected), nan_ok=True
    )
    scored = with_quantiles(past(spark, {"region": pairs[:1]}), ratios)
    measured = measure_calibration(scored).orderBy("quantile").collect()
    assert [row["ratios"] for row in measured] == [rows] * 4
    assert [row["wanted"] for row in measured] == [1, 1, 9, 49]
    for name in ("observed", "below", "pinball"):
        assert [row[name] is None for row in measured] == [quantile is None for quantile in expected]


def test_a_level_without_a_past_rests_on_no_ratios(spark: SparkSession) -> None:
    ratios = fit_ratios(past(spark, {"region": [(1.0, 1.0)]}))
    (row,) = with_quantiles(past(spark, {"store": [(1.0, 1.0)]}), ratios).collect()
    assert (row["p50"], row["ratios"]) == (None, 0)


# level -> (mean, rows of it) in order of size, each far from the next; the means that share ratios
GROUPS = {
    "bins-of-200-rows-stand-alone": ([(1, 200), (10, 200), (100, 200)], [{1}, {10}, {100}]),
    "a-bin-waits-for-200-rows": ([(1, 150), (10, 100), (100, 200)], [{1, 10}, {100}]),
    "what-is-left-joins-the-last": ([(1, 200), (10, 150), (100, 60), (1000, 199)], [{1}, {10, 100, 1000}]),
    "one-row-after-many-is-no-group": ([(1, 1), (10, 398), (100, 1)], [{1, 10, 100}]),
    "fewer-than-200-in-all-are-one": ([(1, 3), (10, 4), (100, 5)], [{1, 10, 100}]),
}


def grouped_pairs() -> dict[str, list[tuple[float, float]]]:
    draw = np.random.default_rng(8)
    return {
        level: [(mean, y) for mean, rows in counts for y in mean * draw.gamma(2.0, 0.5, rows)]
        for level, (counts, _) in GROUPS.items()
    }


@pytest.fixture(scope="module")
def grouped(spark: SparkSession) -> dict[tuple[str, float], list[float]]:
    """The quantiles at the means of GROUPS and at ones never seen: below, between and above them."""
    means = {level: [0.01, 3.0, 1e5, *(mean for mean, _ in counts)] for level, (counts, _) in GROUPS.items()}
    return quantiles_at(spark, fit_ratios(past(spark, grouped_pairs())), means)


@pytest.mark.parametrize("level", GROUPS)
def test_bins_of_like_size_have_200_rows_together(level: str, grouped: dict[tuple[str, float], list[float]]) -> None:
    pairs, groups = grouped_pairs()[level], GROUPS[level][1]
    for group in groups:
        ratios = np.array([y / mean for mean, y in pairs if mean in group])
        assert len(ratios) >= LEAST_ROWS or len(groups) == 1
        for mean in group:
            expected = [conformal(ratios, quantile, mean) for quantile in QUANTILES.values()]
            assert grouped[level, mean] == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("level", GROUPS)
def test_a_size_never_seen_has_the_ratios_of_its_neighbours(
    level: str, grouped: dict[tuple[str, float], list[float]]
) -> None:
    seen = sorted(mean for mean, _ in GROUPS[level][0])
    for mean, neighbours in ((0.01, seen[:1]), (3.0, seen[:2]), (1e5, seen[-1:])):
        ratios = [quantile / mean for quantile in grouped[level, mean]]
        allowed = [[quantile / at for quantile in grouped[level, at]] for at in neighbours]
        assert any(ratios == pytest.approx(one, rel=1e-12, nan_ok=True) for one in allowed)


def test_demand_that_is_not_known_does_not_count(spark: SparkSession) -> None:
    pairs = past(spark, {"product": [(2.0, 1.0), (2.0, 3.0)]})
    unknown = frame(spark, PAST, {"level": "product", "mean": 2.0})
    ratios = fit_ratios(pairs.unionByName(unknown))
    assert quantiles_at(spark, ratios, {"product": [2.0]})["product", 2.0] == pytest.approx(
        [1.0, 3.0, np.nan, np.nan], nan_ok=True
    )


def negative_binomial(rows: int, seed: int) -> pd.DataFrame:
    """Means from 4 to 400 and demand of a variance that grows faster than they do: relative errors shrink with the
    size."""
    draw = np.random.default_rng(seed)
    mean = np.exp(draw.uniform(np.log(4), np.log(400), rows))
    size = 2.0 + 0.2 * mean
    return pd.DataFrame(
        {"level": "product", "mean": mean, "y": draw.negative_binomial(size, size / (size + mean)).astype(float)}
    )


def test_simulated_demand_is_covered_as_stated_at_every_size(spark: SparkSession) -> None:
    ratios = fit_ratios(spark.createDataFrame(negative_binomial(8000, seed=1), PAST))
    scored = with_quantiles(spark.createDataFrame(negative_binomial(8000, seed=2), PAST), ratios)
    sized = scored.selectExpr("if(mean < 40, 'small', 'large') as level", "y", "ratios", *QUANTILES)
    for row in measure_calibration(sized).collect():
        assert row["observed"] == pytest.approx(row["quantile"], abs=0.02), row
        assert row["below"] <= row["observed"]


def test_calibration_agrees_with_the_second_engine(spark: SparkSession) -> None:
    draw = np.random.default_rng(4)
    rows = pd.DataFrame(draw.poisson(3.0, (40, 5)).astype(float), columns=["y", *QUANTILES])
    rows = rows.assign(level=["product", "category"] * 20, mean=1.0, ratios=200)
    rows.loc[:3, "y"] = np.nan
    found = measure_calibration(
        spark.createDataFrame(rows[["level", "mean", "y", *QUANTILES, "ratios"]], SCORED)
    ).collect()
    names = {quantile: name for name, quantile in QUANTILES.items()}
    assert len(found) == 2 * len(QUANTILES)
    for row in found:
        mine = rows[(rows["level"] == row["level"]) & rows["y"].notna()]
        y, q_hat = mine["y"].to_numpy(), mine[names[row["quantile"]]].to_numpy()
        assert row["rows"] == len(mine) == 18
        assert row["pinball"] == pytest.approx(metrics.pinball(y, q_hat, row["quantile"]), rel=1e-12)
        assert row["observed"] == pytest.approx((y <= q_hat).mean(), rel=1e-12)
        assert row["below"] == pytest.approx((y < q_hat).mean(), rel=1e-12)
