from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfcast.features import (
    AGE_LIMIT,
    LAGS,
    NUMERIC_FEATURES,
    SCALE_PRIOR,
    WINDOWS,
    known_targets,
    make_examples,
    sample_examples,
    series_scale,
    share_of,
)
from shelfcast.panel import FloatArray, Panel

N = np.nan
HORIZON = 3
IDS = ["store_id", "item_id", "category_id"]


def panel_of(y: FloatArray | Sequence[Sequence[float]], season: int = 4, **covariates: FloatArray) -> Panel:
    """Series of the stores s0, s1 ... that sell the items i0 and i1 in turn, in weeks from Monday 2 January 2017."""
    values = np.asarray(y, dtype=np.float64)
    rows = range(len(values))
    ids = pd.DataFrame(
        {"store_id": [f"s{n}" for n in rows], "item_id": [f"i{n % 2}" for n in rows], "category_id": "c"}
    )
    weeks = np.datetime64("2017-01-02") + 7 * np.arange(values.shape[1])
    return Panel(ids, weeks, values, season, covariates)


def random_panel(n: int = 6, weeks: int = 30, seed: int = 1, season: int = 4) -> Panel:
    """Counts, the second series known from its tenth week alone, the third one never sold."""
    y = np.random.default_rng(seed).poisson(2.0, (n, weeks)).astype(float)
    y[1, :9], y[2] = N, 0.0
    return panel_of(y, season)


def row(examples: pd.DataFrame, series: int, origin: int, step: int) -> pd.Series:
    found = examples[(examples["series"] == series) & (examples["origin"] == origin) & (examples["step"] == step)]
    assert len(found) == 1
    return found.iloc[0]


def test_one_row_per_origin_series_and_step_in_that_order() -> None:
    examples = make_examples(random_panel(), [10, 20], HORIZON)
    keys = list(zip(examples["origin"], examples["series"], examples["step"], strict=True))
    assert keys == [(o, s, k + 1) for o in (10, 20) for s in range(6) for k in range(HORIZON)]
    assert {*IDS, *NUMERIC_FEATURES, "period", "y", "scale", "counted"} <= set(examples)


def test_the_target_is_the_demand_of_its_period_and_unknown_beyond_the_last() -> None:
    panel = random_panel(weeks=12)
    examples = make_examples(panel, [10], HORIZON)
    first = examples[examples["series"] == 0]
    assert list(first["y"][:2]) == list(panel.y[0, 10:12])
    assert np.isnan(first["y"].iloc[2])
    assert list(first["period"]) == list(pd.to_datetime(["2017-03-13", "2017-03-20", "2017-03-27"]))


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 27), st.integers(0, 5))
def test_cutting_the_future_leaves_the_features_unchanged(origin: int, seed: int) -> None:
    whole = random_panel(seed=seed)
    cut = whole.until(origin)
    drop = ["y"]
    pd.testing.assert_frame_equal(
        make_examples(whole, [origin], HORIZON).drop(columns=drop),
        make_examples(cut, [origin], HORIZON).drop(columns=drop),
        check_exact=True,
    )


def test_changing_the_future_changes_the_target_alone() -> None:
    panel = random_panel()
    other = panel_of(np.where(np.arange(30) >= 20, panel.y + 5, panel.y))
    one, two = make_examples(panel, [20], HORIZON), make_examples(other, [20], HORIZON)
    assert (one["y"] != two["y"]).any()
    pd.testing.assert_frame_equal(one.drop(columns="y"), two.drop(columns="y"))


def test_several_origins_at_once_give_what_each_gives_alone() -> None:
    panel = random_panel()
    alone = [make_examples(panel, [origin], HORIZON) for origin in (5, 6, 20)]
    pd.testing.assert_frame_equal(make_examples(panel, [5, 6, 20], HORIZON), pd.concat(alone, ignore_index=True))


def test_demand_enters_as_multiples_of_the_scale() -> None:
    y = random_panel().y
    one, ten = (make_examples(panel_of(times * y), [20], HORIZON) for times in (1, 10))
    free = [name for name in NUMERIC_FEATURES if name != "log_scale"]
    sold = one["scale"] > 0
    np.testing.assert_allclose(ten["scale"], 10 * one["scale"])
    np.testing.assert_allclose(ten.loc[sold, free], one.loc[sold, free])
    np.testing.assert_allclose(ten.loc[sold, "log_scale"] - one.loc[sold, "log_scale"], np.log(10))


def test_a_row_says_what_the_history_holds() -> None:
    y = [[N, 4.0, 0.0, 2.0, 6.0, 0.0, 0.0, 9.0]]
    known = [4.0, 0.0, 2.0, 6.0, 0.0, 0.0]
    found = row(make_examples(panel_of(y), [7], HORIZON), 0, 7, 2)
    scale = (sum(known) + SCALE_PRIOR * 2.0) / (6 + SCALE_PRIOR)
    expected = {
        "scale": scale,
        "log_scale": np.log(scale),
        "lag_1": 0.0,
        "lag_3": 6.0 / scale,
        "lag_8": N,
        "mean_2": 0.0,
        "mean_4": 2.0 / scale,
        "mean_52": 2.0 / scale,
        "median_13": 1.0 / scale,
        "deviation_13": np.std(known) / scale,
        "zero_share_13": 0.5,
        "zero_share": 0.5,
        "weeks_since_first_sale": 6.0,
        "weeks_since_sale": 2.0,
        "season_ago": 6.0 / scale,
        "season_near": (2.0 + 6.0 + 0.0) / 3 / scale,
        "step": 2.0,
    }
    assert found[list(expected)].to_dict() == pytest.approx(expected, nan_ok=True)


def test_lags_and_windows_are_those_of_a_slow_loop() -> None:
    panel, origin = random_panel(), 25
    examples = make_examples(panel, [origin], 1).set_index("series")
    for series in (0, 3, 5):
        past, scale = panel.y[series, :origin], examples.loc[series, "scale"]
        for lag in LAGS:
            assert examples.loc[series, f"lag_{lag}"] == pytest.approx(past[-lag] / scale)
        for window in WINDOWS:
            assert examples.loc[series, f"mean_{window}"] == pytest.approx(np.mean(past[-window:]) / scale)


def test_the_age_of_a_series_tells_of_its_launch_alone() -> None:
    examples = make_examples(panel_of(np.ones((1, 30))), [5, 13, 29], 1)
    assert list(examples["weeks_since_first_sale"]) == [5, AGE_LIMIT, AGE_LIMIT]


def test_a_series_that_never_sold_has_no_scale() -> None:
    assert list(series_scale(np.array([[0.0, 0.0], [N, N], [0.0, 3.0]])) > 0) == [False, False, True]


def test_net_returns_do_not_cancel_the_scale() -> None:
    assert series_scale(np.array([[5.0, -5.0, 5.0, -5.0]]))[0] == pytest.approx(5.0)


@pytest.mark.parametrize(("sold", "counted"), [([1, 2, 0], True), ([1.0, 2.5, 0.0], False), ([N, N, 3.0], True)])
def test_says_whether_a_series_is_counted_in_whole_units(sold: list[float], counted: bool) -> None:
    assert make_examples(panel_of([sold]), [3], 1)["counted"].tolist() == [counted]


def test_a_covariate_is_known_in_advance_as_far_as_it_is_planned() -> None:
    promoted = np.array([[0.0, 0.0, 0.25, 1.0, 0.5]])
    examples = make_examples(panel_of([[1.0, 1.0, 1.0]], promoted=promoted), [3], HORIZON)
    np.testing.assert_array_equal(examples["planned_promoted"], [1.0, 0.5, N])


def test_the_calendar_is_that_of_the_target() -> None:
    examples = make_examples(panel_of(np.ones((1, 52))), [44], 8)
    assert examples["holidays"].tolist() == [2, 0, 1, 0, 0, 0, 0, 1]  # Veterans Day and its day off
    assert examples["weeks_to_thanksgiving"].tolist()[:4] == [2, 1, 0, -1]


def test_a_sample_is_of_the_examples_with_a_known_target() -> None:
    panel, keys = random_panel(), [*IDS, "origin", "step"]
    everything = make_examples(panel, range(4, 30), HORIZON)
    sampled = make_examples(panel, range(4, 30), HORIZON, share=0.1, seed=9)
    known = everything.dropna(subset=["y"])
    merged = sampled.merge(known, on=list(known))
    assert len(merged) == len(sampled) > 0
    assert len(sampled) < len(known) / 5
    assert _keys(make_examples(panel, range(4, 30), HORIZON, share=1.0), keys) == _keys(known, keys)


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_a_sample_depends_neither_on_order_nor_on_partition(order: list[int], seed: int) -> None:
    panel = random_panel()
    shuffled = panel.take(np.array(order))
    keys = [*IDS, "origin", "step"]
    wanted = _keys(make_examples(panel, range(4, 25), HORIZON, 0.1, seed), keys)
    buckets = [make_examples(shuffled.take(np.arange(at, at + 3)), range(4, 25), HORIZON, 0.1, seed) for at in (0, 3)]
    assert _keys(pd.concat(buckets, ignore_index=True), keys) == wanted


def test_the_least_of_a_sample_are_the_same_in_any_order() -> None:
    examples = make_examples(random_panel(), range(4, 25), HORIZON)
    keys = [*IDS, "origin", "step"]
    drawn = sample_examples(examples, 50, seed=1)
    assert len(drawn) == 50
    assert _keys(sample_examples(examples.sample(frac=1, random_state=2), 50, seed=1), keys) == _keys(drawn, keys)
    assert len(sample_examples(examples.head(10), 50, seed=1)) == 10


@pytest.mark.parametrize(
    ("most", "share"),
    [pytest.param(60, 0.5, id="half-of-them"), pytest.param(1000, 1.0, id="all-where-they-are-fewer")],
)
def test_a_share_is_of_the_examples_whose_target_is_known(most: int, share: float) -> None:
    # 10 series, 3 origins of a horizon of 5 periods; after the last origin 2 periods are known: 10 x (5 + 5 + 2)
    assert share_of(most, 10 * known_targets(periods=20, origins=[4, 9, 18], horizon=5)) == share


def _keys(examples: pd.DataFrame, keys: list[str]) -> set[tuple[object, ...]]:
    return set(examples[keys].itertuples(index=False, name=None))


def test_another_seed_draws_another_sample() -> None:
    one, other = (make_examples(random_panel(), range(4, 25), HORIZON, 0.1, seed) for seed in (1, 2))
    keys = ["series", "origin", "step"]
    assert _keys(one, keys) != _keys(other, keys)


def test_a_sample_draws_evenly_from_series_origins_and_steps() -> None:
    panel, origins = random_panel(n=40), range(4, 24)
    sampled = make_examples(panel, origins, HORIZON, share_of(1200, 40 * known_targets(30, origins, HORIZON)))
    assert len(sampled) == pytest.approx(1200, abs=4 * 1200**0.5)
    for key, expected in (("origin", 60), ("step", 400)):
        counts = sampled[key].value_counts()
        assert counts.between(expected - 4 * expected**0.5, expected + 4 * expected**0.5).all()
