"""The policy by which shelves were kept is found in their orders."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shelfcast.inventory.shown import shown_policy

MONDAY = date(2016, 1, 4)
DAYS = 364


def kept(point: float, up_to: float, counted: float, rate: float, seed: int) -> tuple[dict[str, object], np.ndarray]:
    """What a shop shows that reviews on Sundays and orders up to `up_to` at `point` or below: its orders and sales."""
    rng = np.random.default_rng(seed)
    position, orders, sold = counted, [], rng.poisson(rate, DAYS).astype(np.float64)
    for day in range(DAYS):
        position -= sold[day]
        if day % 7 == 6 and position <= point:
            orders.append({"day": MONDAY + timedelta(days=day), "quantity": up_to - position})
            position = up_to
    row = {"counted_on": MONDAY - timedelta(days=1), "counted": counted, "ordered": orders, "shown_review": 7}
    return row, sold


def test_reorder_point_and_level_are_those_that_made_the_orders() -> None:
    kinds = [(30.0, 80.0, 60.0, 3.0), (10.0, 34.0, 20.0, 1.0), (90.0, 200.0, 150.0, 9.0)]
    made = [kept(*kind, seed) for seed, kind in enumerate(kinds)]
    found = shown_policy(pd.DataFrame([row for row, _ in made]), np.stack([sold for _, sold in made], axis=1), MONDAY)
    assert found.order_up_to.tolist() == [80.0, 34.0, 200.0]
    # A position at an order lies a part of a week's demand below the reorder point.
    for (point, _, _, rate), shown in zip(kinds, found.reorder_point, strict=True):
        assert point - 4 * rate <= shown <= point
    assert found.review.tolist() == [7.0, 7.0, 7.0]


def test_who_shows_no_policy_keeps_as_many_days_as_the_others() -> None:
    row, sold = kept(30.0, 80.0, 60.0, 3.0, 1)
    few = {**row, "ordered": row["ordered"][:2]}
    found = shown_policy(
        pd.DataFrame([row, few, {**few, "ordered": None}]), np.stack([sold, 2 * sold, sold], axis=1), MONDAY
    )
    assert found.reorder_point[1] == pytest.approx(2 * found.reorder_point[0], abs=2)
    assert found.reorder_point[2] == pytest.approx(found.reorder_point[0], abs=2)


def test_orders_that_nobody_knows_yet_and_those_before_the_count_show_nothing() -> None:
    row, sold = kept(30.0, 80.0, 60.0, 3.0, 2)
    later = [*row["ordered"], {"day": MONDAY + timedelta(days=DAYS + 10), "quantity": 900.0}]
    found = [
        shown_policy(pd.DataFrame([{**row, "ordered": of}]), sold[:, None], MONDAY) for of in (row["ordered"], later)
    ]
    assert found[0].order_up_to == found[1].order_up_to


def test_orders_between_the_count_and_the_first_week_count_as_stock_and_show_nothing() -> None:
    row, sold = kept(30.0, 80.0, 60.0, 3.0, 3)
    few = {**row, "ordered": row["ordered"][:3]}
    early = [{"day": MONDAY - timedelta(days=ago), "quantity": 10.0} for ago in (5, 4, 3, 2)]
    before = {**few, "counted_on": MONDAY - timedelta(days=6), "counted": 20.0, "ordered": early + few["ordered"]}
    found = [shown_policy(pd.DataFrame([shop]), sold[:, None], MONDAY) for shop in (few, before)]
    assert found[0] == found[1]
