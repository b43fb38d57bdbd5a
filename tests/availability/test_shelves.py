"""What a bucket's shelves lost: the properties of the recovery, and its number where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelf_builders import MONDAY, RULES, Row, calendar, day, grid, shop, told
from shelfcast.availability.shelves import find_spells


def spells_of(rows: pd.DataFrame, days: int, *cutoffs: int) -> list[tuple[str, str, int, int, str, bool]]:
    spells, _ = find_spells(rows, calendar(days, *cutoffs), RULES)
    named = spells[["store_id", "item_id", "first_day", "last_day", "state", "is_stated"]].itertuples(index=False)
    return sorted((s, i, (a - MONDAY).days, (z - MONDAY).days, state, bool(told)) for s, i, a, z, state, told in named)


@given(st.integers(0, 10_000), st.sampled_from([0.3, 1.0, 3.0]))
@settings(max_examples=8, deadline=None)
def test_nothing_is_recovered_where_stock_was_left_and_nothing_is_below_zero(seed: int, mean: float) -> None:
    rows, truth = shop(seed, mean=mean)
    _, lost = find_spells(rows, calendar(84), RULES)
    assert (lost["units"] > 0).all()
    was_left = truth["stock"] > truth["sold"]
    assert grid(lost, truth["pairs"], 84)[was_left].sum() == 0


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_what_spells_lost_is_what_their_days_lost(seed: int) -> None:
    rows, _ = shop(seed)
    spells, lost = find_spells(rows, calendar(84, 41), RULES)
    assert spells["units"].sum() == pytest.approx(lost["units"].sum())
    assert not spells.duplicated(["store_id", "item_id", "first_day", "state", "is_stated"]).any()
    assert not lost.duplicated(["store_id", "item_id", "day"]).any()


@given(st.integers(0, 10_000))
@settings(max_examples=3, deadline=None)
def test_the_order_of_the_rows_makes_no_difference(seed: int) -> None:
    rows, _ = shop(seed, days=42)
    parts = zip(
        find_spells(rows, calendar(42), RULES),
        find_spells(rows.sample(frac=1, random_state=seed), calendar(42), RULES),
        strict=True,
    )
    for found, shuffled in parts:
        pd.testing.assert_frame_equal(found, shuffled)


@given(st.integers(0, 10_000), st.integers(20, 60))
@settings(max_examples=5, deadline=None)
def test_what_is_said_of_a_day_rests_on_nothing_after_its_cutoff(seed: int, cutoff: int) -> None:
    rows, truth = shop(seed)
    known = rows[rows["day"] <= pd.Timestamp(day(cutoff))]
    _, then = find_spells(known, calendar(cutoff + 1), RULES)
    _, later = find_spells(rows, calendar(84, cutoff), RULES)
    before = grid(later, truth["pairs"], 84)[: cutoff + 1]
    np.testing.assert_allclose(before, grid(then, truth["pairs"], cutoff + 1))


def test_the_bias_of_sales_is_gone_from_what_is_recovered() -> None:
    """A thousand series-weeks, of which three in ten ran out: the tolerance is that of a few hundred units lost."""
    rows, truth = shop(seed=3, days=168, stores=10, items=5)
    _, lost = find_spells(rows, calendar(168), RULES)
    recovered = truth["sold"] + grid(lost, truth["pairs"], 168)
    wanted = truth["wanted"].sum()
    assert truth["sold"].sum() / wanted - 1 < -0.1
    assert abs(recovered.sum() / wanted - 1) < 0.01


def test_a_shelf_that_ran_out_is_empty_until_goods_come() -> None:
    sold = [(*P, day(n), kind, 2.0) for n in (0, 1, 2, 6, 7) for kind in ("sold", "taken")]
    rows = told((*P, MONDAY, "counted", 6.0), (*P, day(6), "received", 10.0), *sold)
    assert spells_of(rows, 9) == [("s1", "p1", 2, 5, "out_of_stock", True)]


def test_a_closed_day_is_no_day_out_of_stock() -> None:
    sold = [(*P, day(n), kind, 2.0) for n in (0, 1, 2, 6, 7) for kind in ("sold", "taken")]
    closed: list[Row] = [("s1", None, day(n), "closed", 1.0) for n in (4, 5)]  # type: ignore[list-item]
    rows = told((*P, MONDAY, "counted", 6.0), (*P, day(6), "received", 10.0), *sold, *closed)
    assert spells_of(rows, 9) == [("s1", "p1", 2, 3, "out_of_stock", True)]


def test_a_bucket_may_hold_closed_stores_and_no_product() -> None:
    rows: list[Row] = [("s1", None, MONDAY, "closed", 1.0)]  # type: ignore[list-item]
    assert spells_of(told(*rows), 9) == []


P = ("s1", "p1")


def daily(store: str, *but: range, units: float = 3.0, days: int = 84) -> list[Row]:
    """Sales of p1 every day, but for some."""
    gone = {number for part in but for number in part}
    return [(store, "p1", day(n), "sold", units) for n in range(days) if n not in gone]


def test_silence_of_what_sells_daily_is_an_absence_with_its_probability() -> None:
    rows = told(*daily("s1", range(30, 40)), *daily("s2", range(50, 51)))
    spells, lost = find_spells(rows, calendar(84), RULES)
    found = spells[spells["last_day"] != spells["first_day"]]
    assert [*found["first_day"], *found["last_day"]] == [day(29), day(39)]
    assert not found["is_stated"].any()
    assert (found["probability"] > 0.99).all()
    # Ten days of three a day, and what was asked for beyond the last three.
    assert lost["units"].sum() == pytest.approx(30.0, rel=0.1)


def test_silence_of_what_hardly_sells_says_nothing() -> None:
    rows = told(*[(*P, day(n), "sold", 1.0) for n in (0, 17, 30, 55, 70)])
    assert spells_of(rows, 84) == []


def test_who_is_silent_for_weeks_to_the_end_is_off_the_list() -> None:
    rows = told(*daily("s1", range(40, 84)), *daily("s2"))
    assert spells_of(rows, 84) == [("s1", "p1", 40, 83, "delisted", False)]


def test_a_product_that_all_stores_stopped_selling_is_off_the_list_in_those_that_had_none_too() -> None:
    """s2 ran out three days before the others were silent: of s2 these three days alone are out of stock."""
    counted: list[Row] = [(store, "p1", MONDAY, "counted", units) for store, units in (("s1", 500.0), ("s2", 111.0))]
    sold = [*daily("s1", range(40, 84)), *daily("s2", range(37, 84))]
    taken = [(store, item, when, "taken", units) for store, item, when, _, units in sold]
    assert spells_of(told(*counted, *sold, *taken), 84) == [
        ("s1", "p1", 40, 83, "delisted", False),
        ("s2", "p1", 36, 39, "out_of_stock", True),
        ("s2", "p1", 40, 83, "delisted", False),
    ]


def test_an_empty_shelf_that_is_not_filled_for_weeks_is_off_the_list() -> None:
    sold = [(*P, day(n), kind, 2.0) for n in range(10) for kind in ("sold", "taken")]
    rows = told((*P, MONDAY, "counted", 20.0), *sold, *daily("s2"))
    assert spells_of(rows, 84) == [("s1", "p1", 9, 37, "out_of_stock", True), ("s1", "p1", 38, 83, "delisted", False)]
