from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from panel_builders import PANEL, axis, poisson_series, series, training_frame, week
from shelfcast import stored
from shelfcast.features import make_examples
from shelfcast.models import encoder, sklearn_models
from shelfcast.panel import densify
from shelfcast.schemas import PANEL_DEMAND
from shelfcast.scoring import SCORED_COLUMNS, Scorer, naive_mse
from shelfcast.table import column_names

WEEKS, HORIZON = 16, 2
KEY = ["model", "cutoff", "store_id", "item_id", "step"]


def scorer(*models: str, cutoffs: tuple[int, ...] = (10,), season: int = 52, **changes: Any) -> Scorer:
    of = axis(WEEKS, HORIZON, season)
    others: Mapping[str, Any] = {"sampled": {}, "artefacts": {}, "min_selling_weeks": 1, "country": "US", **changes}
    return Scorer(of, cutoffs, models, **others)


def test_a_row_a_model_cutoff_series_and_step_says_what_was_forecast_and_what_came() -> None:
    rows = series("p1", [0, 3, 0, 5, *range(1, 13)])
    found = scorer("naive", cutoffs=(4, 15)).score_bucket(rows)
    at = {"panel": PANEL, "model": "naive", "store_id": "s1", "item_id": "p1", "category_id": "c1", "fallback": None}
    # known weeks before the first cutoff: 3, 0, 5; before the second also 1 to 11
    expected = [
        {**at, "cutoff": week(3), "step": 1, "week": week(4), "y": 1.0, "y_hat": 5.0, "naive_mse": (9 + 25) / 2},
        {**at, "cutoff": week(3), "step": 2, "week": week(5), "y": 2.0, "y_hat": 5.0, "naive_mse": (9 + 25) / 2},
        {
            **at,
            "cutoff": week(14),
            "step": 1,
            "week": week(15),
            "y": 12.0,
            "y_hat": 11.0,
            "naive_mse": (9 + 25 + 16 + 10) / 13,
        },
        {
            **at,
            "cutoff": week(14),
            "step": 2,
            "week": week(16),
            "y": np.nan,
            "y_hat": 11.0,
            "naive_mse": (9 + 25 + 16 + 10) / 13,
        },
    ]
    wanted = pd.DataFrame(expected)[column_names(SCORED_COLUMNS)]
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


def items_at(found: pd.DataFrame, model: str, cutoff: int) -> list[str]:
    """The series that `model` forecast with `cutoff` weeks known, in order, each at every step."""
    rows = found[(found["model"] == model) & (found["cutoff"] == week(cutoff - 1))]
    assert (rows.groupby("item_id")["step"].apply(list).map(lambda steps: steps == [1, 2])).all()
    return sorted(rows["item_id"].unique())


def test_a_series_is_forecast_once_it_has_sold_in_weeks_enough() -> None:
    rows = pd.concat(
        [series("early", [1] * 16), series("late", [0] * 7 + [4, 0, 4, 4, 4, 4]), series("last", [0] * 15 + [1])]
    )
    found = scorer("naive", "zero", cutoffs=(9, 10, 12), min_selling_weeks=3).score_bucket(rows)
    for model in ("naive", "zero"):
        # late sold in weeks 7, 9, 10, 11 and 12, of which two lie before the cutoff of 10
        assert [items_at(found, model, cutoff) for cutoff in (9, 10, 12)] == [["early"], ["early"], ["early", "late"]]


def test_a_sampled_model_forecasts_the_largest_series_alone() -> None:
    ranked = [("a", 2), ("b", 1), ("c", 3), ("d", None)]
    rows = pd.concat([series(item, [1 + n] * 16, rank=rank) for n, (item, rank) in enumerate(ranked)])
    found = scorer("moving_average", "naive", sampled={"moving_average": 2}).score_bucket(rows)
    assert items_at(found, "moving_average", 10) == ["a", "b"]
    assert items_at(found, "naive", 10) == ["a", "b", "c", "d"]
    # each its own forecast, not its neighbour's
    own = found[found["model"] == "moving_average"].set_index(["item_id", "step"])["y_hat"]
    assert own.to_dict() == pytest.approx({("a", 1): 1, ("a", 2): 1, ("b", 1): 2, ("b", 2): 2})


def test_a_model_is_left_out_where_its_history_is_short() -> None:
    found = scorer("seasonal_naive", "naive", cutoffs=(9, 10), season=5).score_bucket(series("p1", range(1, 17)))
    assert [items_at(found, "seasonal_naive", cutoff) for cutoff in (9, 10)] == [[], ["p1"]]
    assert found.query("model == 'seasonal_naive'")["y_hat"].tolist() == [6, 7]
    assert items_at(found, "naive", 9) == ["p1"]


def test_a_series_that_a_model_cannot_fit_has_its_fallback_and_none_is_lost() -> None:
    # one week is known: theta has nothing to fit
    rows = pd.concat(
        [series("long", [1, 2, 3, 4, 2, 1, 3, 2, 4, 3]), series("short", [0] * 9 + [6]), series("steady", [2] * 16)]
    )
    found = scorer("theta", "moving_average").score_bucket(rows)
    assert items_at(found, "theta", 10) == ["long", "short", "steady"]
    theta = found[found["model"] == "theta"]
    short = theta[theta["item_id"] == "short"]
    assert short["y_hat"].tolist() == [6, 6]
    assert short["fallback"].str.contains("Error").all()
    assert theta[theta["item_id"] != "short"]["fallback"].isna().all()
    assert found[found["model"] == "moving_average"]["fallback"].isna().all()


def test_a_bucket_whose_series_sold_too_seldom_gives_no_row() -> None:
    found = scorer("naive", min_selling_weeks=3).score_bucket(series("p1", [1, 1]))
    assert (list(found.columns), len(found)) == (column_names(SCORED_COLUMNS), 0)


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=3, max_size=3))
@settings(max_examples=10, deadline=None)
def test_what_comes_after_a_cutoff_changes_no_forecast_made_at_it(future: list[list[int]]) -> None:
    past = [[1, 4, 0, 2, 3, 1, 0, 5, 2, 1], [0, 0, 3, 0, 0, 1, 0, 2, 0, 0], [7, 8, 6, 9, 5, 8, 7, 9, 8, 6]]
    known = pd.concat([series(f"p{n}", y) for n, y in enumerate(past)])
    all_told = pd.concat([series(f"p{n}", [*y, *after]) for n, (y, after) in enumerate(zip(past, future, strict=True))])
    models = scorer("naive", "moving_average", "tsb", "croston", "seasonal_growth", "seasonal_pool", season=4)
    before, after = (models.score_bucket(rows) for rows in (known, all_told))
    pd.testing.assert_frame_equal(before.drop(columns="y"), after.drop(columns="y"))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a linear model lies that learned from the first ten weeks of the series of `poisson_series(6, WEEKS)`."""
    uri = str(tmp_path_factory.mktemp("models") / "linear.skops")
    examples = training_frame(
        poisson_series(6, WEEKS).query("week < @end", local_dict={"end": week(10)}), axis(10), range(4, 10)
    )
    stored.save(sklearn_models.fit("linear", examples, encoder.fit_encoder(examples), seed=1), uri)
    return uri


def test_a_fitted_model_forecasts_at_its_own_cutoff_alone(fitted: str) -> None:
    rows = poisson_series(6, WEEKS)
    found = scorer("linear", "naive", cutoffs=(10, 12), artefacts={("linear", 10): fitted}).score_bucket(rows)
    assert items_at(found, "linear", 10) == [f"p{n}" for n in range(6)]
    assert items_at(found, "linear", 12) == []
    of = axis(WEEKS, HORIZON)
    expected = sklearn_models.predict(stored.load(fitted), make_examples(densify(rows, of), [10], HORIZON))
    np.testing.assert_allclose(found.query("model == 'linear'")["y_hat"], expected, rtol=1e-9)


def test_spark_forecasts_what_one_process_does(spark: SparkSession, fitted: str) -> None:
    # the third bucket has no series that sold often enough
    rows = pd.concat(
        [
            poisson_series(6, WEEKS, buckets=2),
            series("thin", [1], bucket=2),
            series("short", [0] * 8 + [1, 2], bucket=1),
        ]
    )
    models = scorer(
        *("naive", "tsb", "theta", "ets", "linear"),
        cutoffs=(10, 15),
        sampled={"theta": 3},
        artefacts={("linear", 10): fitted},
        min_selling_weeks=2,
    )
    found = models.score(on_spark(spark, rows), 3).toPandas().sort_values(KEY, ignore_index=True)
    alone = models.score_bucket(rows).sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(found, alone, check_dtype=False, rtol=1e-9, atol=1e-9)
    assert set(found["model"]) == {"naive", "tsb", "theta", "ets", "linear"}
    assert found["fallback"].notna().any()


def on_spark(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    ranked = rows.assign(size_rank=rows["size_rank"].astype("Int64"))[PANEL_DEMAND.names]
    return spark.createDataFrame(ranked.astype(object).where(ranked.notna(), None), PANEL_DEMAND.schema)


def test_after_a_kill_half_way_at_most_55_percent_of_the_buckets_are_scored_again(
    spark: SparkSession, tmp_path: Path
) -> None:
    buckets, folder = 8, tmp_path / "buckets"
    panel = on_spark(spark, poisson_series(16, WEEKS, buckets))
    models = scorer("naive", "tsb", finished=str(folder))
    whole = models.score(panel, buckets).toPandas().sort_values(KEY, ignore_index=True)
    files = sorted(folder.iterdir())
    assert len(files) == buckets
    for file in files[: buckets // 2]:
        file.unlink()
    for file in files[buckets // 2 :]:
        # so that what is read can be told from what is forecast
        pd.read_parquet(file).assign(y_hat=-1.0).to_parquet(file)
    again = models.score(panel, buckets).toPandas().sort_values(KEY, ignore_index=True)
    is_read = again["y_hat"] == -1.0
    assert (~is_read).mean() <= 0.55
    assert is_read.any()
    pd.testing.assert_frame_equal(again[~is_read], whole[~is_read])
    assert sorted(folder.iterdir()) == files


def test_the_scale_of_rmsse_is_the_mean_squared_change_between_known_weeks() -> None:
    nothing = np.nan
    y = np.array(
        [[1, 3, 2, 2], [nothing, nothing, 1, 4], [nothing, nothing, nothing, 4], [1, nothing, 5, 5]], dtype=float
    )
    np.testing.assert_allclose(naive_mse(y), [5 / 3, 9, nothing, 0])
