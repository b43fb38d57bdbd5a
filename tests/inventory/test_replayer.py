from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from shelfcast.inventory import tables
from shelfcast.inventory.gains import as_calibration, compare, gains
from shelfcast.inventory.made import made_of, means_of
from shelfcast.inventory.planner import lead_times_of
from shelfcast.inventory.replayer import (
    CALIBRATION_COLUMNS,
    COLUMNS,
    SUMS,
    TUNED_COLUMNS,
    Replayer,
    weekday_shares,
)
from shelfcast.inventory.rules import RULES, Known
from shelfcast.table import column_names

MONDAY = date(2016, 1, 4)
WEEKS = tuple(MONDAY + timedelta(weeks=number) for number in range(40))
REPLAYER = Replayer(
    weeks=WEEKS,
    cutoffs=(30, 34, 38),
    first=30,
    warm_up=2,
    season=13,
    review=7,
    seeds=2,
    parameters={
        "probabilistic": (0.7, 0.98),
        "min_max": (5.0, 30.0),
        "seasonal_normal": (0.6, 0.99),
        "as_before": (0.5, 2),
        "least_cost": (0.02, 1.0),
    },
    gaps={1.0: 14.0, 5.0: 14.0, 30.0: 14.0},
    order_cost=2.0,
    holding_rate=0.25,
    max_cover_days=28,
    samples=200,
    level_variance=0.0,
    lasting_variance=0.0,
    seed=27,
)


def series(number: int, daily: float = 3.0, **changes: object) -> dict[str, object]:
    rng = np.random.default_rng(number)
    sold = [
        {"day": MONDAY + timedelta(days=day), "quantity": float(units)}
        for day, units in enumerate(rng.poisson(daily, 280))
        if units
    ]
    made = [
        {"cutoff": WEEKS[cutoff - 1], "step": step, "y_hat": 7 * daily}
        for cutoff in (30, 34, 38)
        for step in range(1, 5)
    ]
    row = {"bucket": 0, "store_id": "s1", "product_id": f"p{number:02}", "class": "AX" if number % 2 else "CZ"}
    row |= {"lost": [], "counted_on": MONDAY - timedelta(days=1), "counted": 40.0, "shown_review": 7}
    row |= {"ordered": [{"day": MONDAY + timedelta(days=day), "quantity": 42.0} for day in range(6, 200, 14)]}
    row |= {"lead_days": np.array([3, 6]), "lead_chances": np.array([0.5, 1.0]), "unit_cost": 5.0, "price": 8.0}
    return {**row, "pack": 1.0, "unknown": None, "sold": sold, "forecasts": made, **changes}


def replayed(*rows: dict[str, object], replayer: Replayer = REPLAYER) -> pd.DataFrame:
    return replayer.replay_bucket(pd.DataFrame(list(rows)))


def test_a_series_varies_in_weeks_of_which_nothing_is_known_no_more_than_in_others() -> None:
    weeks = (6, 7, 8, 9)
    sold = [entry for entry in series(0)["sold"] if (entry["day"] - MONDAY).days // 7 not in weeks]
    unknown = np.array([WEEKS[week] for week in weeks])

    def dispersion(row: dict[str, object]) -> float:
        rows = pd.DataFrame([row])
        made = {cutoff: np.full((1, 4), 21.0) for cutoff in REPLAYER.cutoffs}
        known = REPLAYER.known(rows, REPLAYER.dense(rows["sold"]), lead_times_of(rows, np.array([84])), made, (0, 0))
        return float(known[0].dispersion[0])

    always, closed = dispersion(series(0)), dispersion(series(0, sold=sold, unknown=unknown))
    assert closed > always / 2
    assert dispersion(series(0, sold=sold)) < closed / 4


def test_a_forecast_is_taken_at_the_level_of_what_has_sold_since() -> None:
    rows = pd.DataFrame([series(0, 30.0, forecasts=series(0, 15.0)["forecasts"])])
    sold, leads = REPLAYER.dense(rows["sold"]), lead_times_of(rows, np.array([84]))
    unknown = pd.DataFrame([{**rows.iloc[0], "unknown": np.array(WEEKS[30:33])}])

    def levels(rows: pd.DataFrame, variance: float) -> list[float]:
        replayer = replace(REPLAYER, lasting_variance=variance)
        known = replayer.known(rows, sold, leads, made_of(rows, WEEKS, replayer.cutoffs), (0, 0))
        return [float(week.weekly[0, 0]) / 105 for week in known[:5]]

    assert levels(rows, 0.0) == [1.0] * 5
    new, *since, newer = levels(rows, 0.005)
    # A forecast has just been made before the first week, and again before the fifth.
    assert new == newer == 1.0
    assert 1.2 < since[0] < since[1] < since[2] < 2.0
    assert levels(unknown, 0.005)[:4] == [1.0] * 4


def test_every_rule_parameter_seed_and_class_has_its_sums() -> None:
    found = replayed(*[series(number) for number in range(6)])
    assert [*found.columns] == column_names(COLUMNS)
    assert len(found) == 5 * 2 * 2 * 2
    assert (found["series"] == 3).all()
    assert (found["series_days"] == 3 * 8 * 7).all()
    assert (found["served"] <= found["wanted"]).all()


def test_every_rule_meets_the_same_demand() -> None:
    found = replayed(*[series(number) for number in range(4)])
    assert found.groupby("class")["wanted"].nunique().eq(1).all()
    days = {entry["day"] for entry in series(1)["sold"]}
    assert max(days) >= WEEKS[-1]


def test_a_higher_parameter_keeps_more_and_misses_less() -> None:
    found = replayed(*[series(number) for number in range(8)]).groupby(["rule", "parameter"])[[*SUMS]].sum()
    for rule in REPLAYER.parameters:
        low, high = found.loc[rule].to_dict("records")
        assert low["stock_days"] < high["stock_days"]
        assert low["short_days"] > high["short_days"]


def test_a_bucket_cut_into_parts_meets_the_same_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [series(number) for number in range(6)]
    whole = replayed(*rows)
    monkeypatch.setattr("shelfcast.inventory.replayer._AT_A_TIME", 2)
    parts = replayed(*rows)
    assert parts[["series", "wanted"]].equals(whole[["series", "wanted"]])


def test_demand_over_the_lead_time_is_calibrated_where_the_forecast_is_true() -> None:
    found = REPLAYER.calibrate_bucket(pd.DataFrame([series(number) for number in range(60)]))
    assert [*found.columns] == column_names(CALIBRATION_COLUMNS)
    shares = found.groupby("level")[["rows", "at_most", "below"]].sum()
    # Of ten weeks those whose lead time and review period end before the history does.
    assert 60 * 8 <= shares["rows"].iloc[0] <= 60 * 9
    for level, of in shares.iterrows():
        assert of["below"] / of["rows"] - 0.03 <= level <= of["at_most"] / of["rows"] + 0.03


def test_demand_twice_the_forecast_is_no_longer_calibrated() -> None:
    rows = [series(number) for number in range(30)]
    for row in rows:
        row["forecasts"] = [{**entry, "y_hat": entry["y_hat"] / 2} for entry in row["forecasts"]]
    found = REPLAYER.calibrate_bucket(pd.DataFrame(rows)).groupby("level")[["rows", "at_most"]].sum()
    assert found["at_most"].iloc[0] / found["rows"].iloc[0] < 0.5


def test_calibration_has_the_rows_of_each_class_and_of_all(spark: SparkSession) -> None:
    counted = spark.createDataFrame(
        [("AX", 0.9, 10.0, 9.0, 8.0), ("AX", 0.9, 10.0, 10.0, 8.0), ("CZ", 0.9, 20.0, 10.0, 0.0)], CALIBRATION_COLUMNS
    )
    found = {row["class"]: (row["rows"], row["observed"], row["below"]) for row in as_calibration(counted).collect()}
    assert found == {"AX": (20, 0.95, 0.8), "CZ": (20, 0.5, 0.0), "(all)": (40, 0.725, 0.4)}


def test_min_max_is_given_the_gap_that_was_cheapest_before_the_replay() -> None:
    late = replace(REPLAYER, first=38)
    found = late.tune_bucket(pd.DataFrame([series(number) for number in range(6)]), (3.0, 28.0, 400.0))
    assert [*found.columns] == column_names(TUNED_COLUMNS)
    cheapest = found.loc[found.groupby("cover")["cost"].idxmin()].set_index("cover")["gap"]
    # To order every week costs most of the order cost, to order for a year most of the holding.
    assert cheapest.to_dict() == {5.0: 28.0, 30.0: 28.0}


def test_what_is_tuned_on_ends_where_the_replay_begins() -> None:
    rows = [series(number) for number in range(4)]
    before = REPLAYER.tune_bucket(pd.DataFrame(rows), (28.0,))
    for row in rows:
        row["sold"] = [entry for entry in row["sold"] if entry["day"] < WEEKS[30]]
    pd.testing.assert_frame_equal(before, REPLAYER.tune_bucket(pd.DataFrame(rows), (28.0,)))


def test_what_a_rule_knows_ends_before_the_week_it_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def spy(known: Known, _: object) -> list[tuple[np.ndarray, np.ndarray]]:
        seen.append(len(known.past))
        return [(known.order_quantity, 2 * known.order_quantity)]

    monkeypatch.setitem(RULES, "min_max", spy)
    replayed(series(1), replayer=replace(REPLAYER, parameters={"min_max": (1.0,)}))
    assert seen == [7 * week for week in range(30, 40)]


def test_a_forecast_holds_until_the_next_and_its_last_step_beyond() -> None:
    made = {30: np.array([[1.0, 2.0, 3.0, 4.0]]), 34: np.array([[5.0, 6.0, 7.0, 8.0]]), 38: np.ones((1, 4))}
    found = [means_of(made, week, 3).tolist() for week in (30, 32, 33, 34)]
    assert found == [[[1.0, 2.0, 3.0]], [[3.0, 4.0, 4.0]], [[4.0, 4.0, 4.0]], [[5.0, 6.0, 7.0]]]


def test_weekdays_are_shares_of_the_own_week_and_of_all() -> None:
    past = np.tile([0, 0, 0, 0, 0, 0, 1000.0], 4)[:, None]
    found = weekday_shares(np.concatenate([past, np.zeros((28, 1))], axis=1))
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert found[0, 6] == pytest.approx(1.0)


def curve(rule: str, seed: int, *points: tuple[float, float, float, float]) -> list[dict[str, object]]:
    names = ("stock", "short_days", "fill_rate", "cost")
    return [{"rule": rule, "seed": seed, **dict(zip(names, point, strict=True))} for point in points]


def test_gains_come_of_the_rows_of_all_classes_alone(spark: SparkSession) -> None:
    rows = [
        (rule, level, seed, name, stock, 0.1, level, stock if name == "(all)" else 1e9)
        for rule, factor in (("probabilistic", 1.0), ("min_max", 2.0))
        for level in (0.8, 0.9)
        for seed in (0, 1)
        for name, stock in (("(all)", 100 * factor * level), ("AX", 1e9))
    ]
    columns = "rule string, parameter double, seed int, class string, stock double, short_days double, "
    found = gains(spark.createDataFrame(rows, f"{columns} fill_rate double, cost double")).collect()
    assert {name for row in found for name in row.asDict()} <= {*tables.REPLAY_GAINS.names}
    saved = {(row.other, row.given, row.saved): (row.mean, row.seeds) for row in found}
    assert saved["min_max", "fill_rate", "stock"] == (pytest.approx(0.5), 2)


def test_gains_are_measured_where_both_curves_are() -> None:
    rows = [
        *curve("probabilistic", 0, (10, 0.2, 0.8, 50), (20, 0.1, 0.9, 60)),
        *curve("min_max", 0, (10, 0.4, 0.6, 90), (20, 0.2, 0.8, 100), (30, 0.1, 0.9, 120)),
        *curve("probabilistic", 1, (10, 0.2, 0.8, 50), (20, 0.1, 0.9, 60)),
        *curve("min_max", 1, (10, 0.2, 0.8, 50), (20, 0.1, 0.9, 60)),
    ]
    found = compare(pd.DataFrame(rows)).set_index(["given", "saved"])
    # Half of the short days under one seed, none under the other; at equal fill rate 0.4 of the stock, and none.
    assert found.loc[("stock", "short_days"), "mean"] == pytest.approx(0.25)
    assert found.loc[("fill_rate", "stock"), "mean"] == pytest.approx(0.2)
    row = found.loc[("stock", "short_days")]
    assert row["lower"] < 0 < row["upper"]
    assert row["seeds"] == 2


def test_curves_that_share_nothing_are_not_compared() -> None:
    rows = [
        row
        for seed in (0, 1)
        for row in (*curve("probabilistic", seed, (1, 0.9, 0.1, 5), (2, 0.8, 0.2, 6)),
                    *curve("min_max", seed, (10, 0.4, 0.6, 90), (20, 0.2, 0.8, 100)))
    ]  # fmt: skip
    found = compare(pd.DataFrame(rows))
    assert found[["mean", "lower", "upper"]].isna().all(axis=None)
    assert found["seeds"].tolist() == [0, 0, 0]
