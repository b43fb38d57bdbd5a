from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shelfcast.inventory.planner import Planner, longest_gap
from shelfcast.inventory.transfers import match_stores

SUNDAY = date(2017, 1, 1)
PLANNER = Planner(
    as_of=SUNDAY,
    first_week=SUNDAY + timedelta(days=1),
    targets={"AX": ("cycle_service", 0.95), "CZ": ("fill_rate", 0.9)},
    review_days=7,
    order_days={"shut": (3,), "open": (2, 7)},
    packs={"boxed": 12.0},
    minima={"boxed": 36.0},
    order_cost=2.0,
    holding_rate=0.25,
    max_cover_days=28,
    overstock_days=84,
    samples=400,
    level_variance=0.0,
    seed=27,
)


def series(product: str = "p1", store: str = "s1", weekly: float = 14.0, **changes: object) -> dict[str, object]:
    """A series of Poisson demand of `weekly` units, four weeks ahead, that has a lead time of a week and no stock."""
    sold = np.random.default_rng(1).poisson(weekly, 104)
    recent = [{"ago": ago, "quantity": float(units)} for ago, units in enumerate(sold) if units]
    row = {"bucket": 0, "store_id": store, "product_id": product, "category_id": "c1", "vendor_id": "v1", "class": "AX"}
    row |= {"means": np.full(4, weekly), "profile": np.full(7, 1 / 7), "recent": recent}
    row |= {"unknown": None}
    row |= {"lead_days": np.array([7]), "lead_chances": np.array([1.0]), "unit_cost": 5.0, "price": 8.0, "pack": 1.0}
    return {**row, "on_hand": 0.0, "on_order": 0.0, "promised": 0.0, **changes}


def planned(*rows: dict[str, object], planner: Planner = PLANNER) -> pd.DataFrame:
    return planner.plan_bucket(pd.DataFrame(list(rows))).set_index(["product_id", "store_id"], drop=False)


def test_levels_protect_lead_time_and_review_period() -> None:
    row = planned(series()).iloc[0]
    # Lead time and review period ask for 28; of Poisson demand the 95th percentile of that is 37.
    assert row["daily_mean"] == pytest.approx(2.0, rel=0.03)
    assert 24 <= row["reorder_point"] <= 38
    assert row["order_up_to"] >= 36
    assert row["need"] == row["order_up_to"]
    assert (row["lead_days"], row["review_days"], row["target"]) == (7.0, 7, 0.95)


def test_stock_and_what_is_on_order_are_netted() -> None:
    nothing, some = planned(series(), series("p2", on_hand=5.0, on_order=7.0)).itertuples()
    assert nothing.position == 0
    assert some.position == 12
    assert some.need == some.order_up_to - 12
    assert some.stock_out < nothing.stock_out == 1.0


def test_stock_above_the_reorder_point_needs_nothing_and_what_lasts_too_long_is_surplus() -> None:
    row = planned(series(on_hand=400.0)).iloc[0]
    assert (row["need"], row["need_by"]) == (0.0, None)
    assert row["surplus"] == pytest.approx(400 - 84 * row["daily_mean"], abs=1)
    assert row["days_of_supply"] == pytest.approx(400 / row["daily_mean"])


def test_stock_between_the_levels_waits_for_the_next_review() -> None:
    point, up_to = planned(series()).iloc[0][["reorder_point", "order_up_to"]]
    assert point < up_to
    needs = [planned(series(on_hand=stock)).iloc[0]["need"] for stock in (point, point + 1)]
    assert needs == [up_to - point, 0.0]


def test_where_stock_is_not_known_there_are_target_levels_and_no_needs() -> None:
    row = planned(series(on_hand=None, on_order=None)).iloc[0]
    assert row["reorder_point"] > 0
    assert row[["on_hand", "position", "need", "stock_out", "shortfall", "surplus", "need_by"]].isna().all()


def test_a_vendor_takes_orders_on_its_days_alone_and_is_reviewed_as_often() -> None:
    found = planned(series(vendor_id="shut"), series("p2", vendor_id="open"), series("p3"))
    assert found["may_order"].tolist() == [False, True, True]
    assert found["review_days"].tolist() == [7, 5, 7]
    assert found["need"].tolist()[0] == 0.0


def test_a_plan_on_target_misses_at_the_positions_that_reviews_find_what_its_fill_rate_allows() -> None:
    rng = np.random.default_rng(2)
    planner = replace(PLANNER, targets={"CZ": ("fill_rate", 0.98)})
    weeks = rng.negative_binomial(5, 5 / 75, 104)
    recent = [{"ago": ago, "quantity": float(units)} for ago, units in enumerate(weeks) if units]
    large = series(weekly=70.0, recent=recent, unit_cost=0.3, **{"class": "CZ"})
    level = planned(large, planner=planner).iloc[0]
    # A review finds it anywhere in the week's demand that crossed the reorder point, and large ones cross more often.
    crossed = rng.choice(weeks, 300, p=weeks / weeks.sum())
    stock = level["reorder_point"] - np.floor(crossed * rng.random(300))
    found = planned(
        *[large | {"store_id": f"s{n:03}", "on_hand": units} for n, units in enumerate(stock)], planner=planner
    )
    assert level["order_quantity"] == pytest.approx(280, abs=5)
    assert found["stock_out"].mean() > 0.1
    assert found["missing_share"].mean() == pytest.approx(0.02, rel=0.2)


def test_weeks_of_which_nothing_is_known_make_demand_no_more_uncertain() -> None:
    weeks = [SUNDAY - timedelta(days=7 * ago + 6) for ago in range(40, 52)]
    open_ = [entry for entry in series()["recent"] if not 40 <= entry["ago"] < 52]
    always, closed, unsold = (
        planned(row).iloc[0]["dispersion"]
        for row in (series(), series(recent=open_, unknown=np.array(weeks)), series(recent=open_))
    )
    assert closed > always / 2
    assert unsold < closed / 4


def test_packs_and_minima_of_the_settings_come_before_those_of_the_purchases() -> None:
    row, other = (row for _, row in planned(series("boxed", pack=6.0), series("other", pack=5.0)).iterrows())
    assert (row["pack"], row["minimum"]) == (12.0, 36.0)
    assert row["order_quantity"] % 12 == 0
    assert row["order_quantity"] >= 36
    assert (other["pack"], other["minimum"], other["order_quantity"] % 5) == (5.0, 0.0, 0.0)


def test_a_product_that_nobody_wants_is_kept_at_nothing() -> None:
    row = planned(series(weekly=0.0)).iloc[0]
    assert (row["reorder_point"], row["daily_mean"], row["stock_out"], row["need"]) == (0.0, 0.0, 0.0, 0.0)
    assert np.isnan(row["days_of_supply"])


def test_the_same_need_has_the_same_week_a_day_later() -> None:
    later = replace(PLANNER, as_of=SUNDAY + timedelta(days=1))
    today = planned(series(on_hand=14.0)).iloc[0]["need_by"]
    assert today == planned(series(on_hand=12.0), planner=later).iloc[0]["need_by"]
    assert today.weekday() == 0


def test_a_forecast_of_last_week_is_read_from_its_second_week_on() -> None:
    late = replace(PLANNER, as_of=SUNDAY + timedelta(days=7))
    row = planned(series(means=np.array([1000.0, 14.0, 14.0, 14.0])), planner=late).iloc[0]
    assert row["daily_mean"] == pytest.approx(2.0, rel=0.03)


def test_a_bucket_in_many_parts_is_planned_as_whole_and_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [series("p1", f"s{number}", 3.0 + number) for number in range(7)]
    one = planned(*rows)
    pd.testing.assert_frame_equal(one, planned(*reversed(rows)))
    monkeypatch.setattr("shelfcast.inventory.planner._PATHS", 800)
    parts = planned(*rows)
    # Other Poisson draws, the same series: no level moves far.
    assert (parts["order_up_to"] / one["order_up_to"]).between(0.9, 1.1).all()


@pytest.mark.parametrize(("days", "gap"), [((1,), 7), ((1, 4), 4), ((7, 1), 6), ((1, 2, 3, 4, 5, 6, 7), 1)])
def test_the_longest_gap_between_order_days_goes_over_the_weekend(days: tuple[int, ...], gap: int) -> None:
    assert longest_gap(days) == gap


def shop(store: str, surplus: float = 0.0, need: float = 0.0, stock_out: float = 0.5, product: str = "p1"):
    row = {"region": "here", "product_id": product, "store_id": store, "surplus": surplus, "need": need}
    return {**row, "stock_out": stock_out, "need_by": SUNDAY}


def test_a_surplus_goes_to_who_is_likeliest_to_run_out_and_no_further_than_it_reaches() -> None:
    rows = [shop("a", 10), shop("b", 4), shop("c", need=6, stock_out=0.2), shop("d", need=9.5, stock_out=0.9)]
    found = match_stores(pd.DataFrame(rows))
    columns = ["product_id", "from_store", "to_store", "quantity"]
    assert found[columns].values.tolist() == [["p1", "a", "d", 9.0], ["p1", "a", "c", 1.0], ["p1", "b", "c", 4.0]]


def test_a_product_without_both_sides_moves_nowhere() -> None:
    rows = [shop("a", 10), shop("b", need=6, product="p2")]
    assert match_stores(pd.DataFrame(rows)).empty
