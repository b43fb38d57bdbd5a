import numpy as np
import pandas as pd
import pytest

from panel_builders import PANEL, week
from shelfcast.networks.verdicts import judge_bucket, weigh


def trial(cutoff: int, item: str, step: int, base: float, head: float) -> dict[str, object]:
    key = {"panel": PANEL, "model": "mlp", "cutoff": week(cutoff), "store_id": "s1", "item_id": item, "step": step}
    own = {"week": week(cutoff + step), "y": 1.0, "base_error": base, "head_error": head}
    return {**key, **own, "base_loss": base, "head_loss": head}


def cells(
    saved: float | np.ndarray, cutoffs: tuple[int, ...] = (10, 14), items: int = 8, steps: int = 4
) -> pd.DataFrame:
    """Cells of loss 1, less `saved` by the head: shape (cutoffs, items, steps) or of less."""
    heads = 1.0 - np.broadcast_to(saved, (len(cutoffs), items, steps))
    made = [
        trial(cutoff, f"i{item}", step + 1, 1.0, heads[place, item, step])
        for place, cutoff in enumerate(cutoffs)
        for item in range(items)
        for step in range(steps)
    ]
    return pd.DataFrame(made)


ITEM, WEEK = np.arange(8)[:, None], 4 * np.arange(2)[:, None, None] + np.arange(4)
CASES = {
    "all-cells-alike": (cells(0.1), True),
    "nothing": (cells(0.0), False),
    "most-series-and-all-weeks": (cells(np.where(ITEM < 7, 0.3, -0.1)), True),
    "one-series-alone": (cells(np.where(ITEM == 3, 3.0, -0.1)), False),
    "one-week-alone-though-of-every-series": (cells(np.where(WEEK == 5, 0.9, -0.1)), False),
    "one-cutoff": (cells(0.1, cutoffs=(10,), steps=8), False),
    "four-series": (cells(0.1, items=4), False),
}


@pytest.mark.parametrize(("found", "is_kept"), CASES.values(), ids=CASES)
def test_a_head_is_kept_where_series_and_weeks_agree_that_it_wins(found: pd.DataFrame, is_kept: bool) -> None:
    assert (weigh(found, seed=1).lower > 0) == is_kept


def test_heads_that_differ_from_the_network_by_chance_alone_are_kept_in_less_than_one_case_in_ten() -> None:
    """Gains of series, of weeks that a store's series share, and of cells, all about nothing."""
    draw, kept = np.random.default_rng(5), 0
    for seed in range(200):
        shocks = draw.normal(0, 0.1, (1, 11, 1)), draw.normal(0, 0.1, (2, 1, 8)), draw.normal(0, 0.3, (2, 11, 8))
        kept += weigh(cells(sum(shocks), items=11, steps=8), seed).lower > 0
    assert 0 < kept / 200 <= 0.1


def test_a_choice_knows_the_weeks_up_to_its_cutoff_alone() -> None:
    """Windows of four weeks: of the one behind the second cutoff half was to come."""
    cutoffs = (8, 12, 14)
    weeks = np.array(cutoffs)[:, None, None] + np.arange(1, 5)
    found = judge_bucket(cells(np.where(weeks <= 14, 0.5, -9.0), cutoffs), list(map(week, cutoffs)), week(18), seed=1)
    last = found[found["cutoff"] == week(14)].iloc[0]
    assert last["kept"]
    assert last["gain"] == pytest.approx(0.5)
    assert (last["base_loss"], last["head_loss"]) == pytest.approx((32.0, 32.0 * 10))


def test_weeks_that_are_not_known_yet_judge_nothing() -> None:
    cutoffs = (10, 14, 18)
    rows = cells(0.1, cutoffs)
    rows.loc[rows["cutoff"] == week(18), "y"] = np.nan
    found = judge_bucket(rows, list(map(week, cutoffs)), week(22), seed=1)
    assert found["cutoff"].tolist() == [week(10), week(14), week(22)]


def test_the_heads_of_the_weeks_ahead_are_judged_by_all_that_is_known_and_have_nothing_behind_them() -> None:
    found = judge_bucket(cells(0.5, (10, 14)), [week(10), week(14)], week(18), seed=1).set_index("cutoff")
    assert found["cutoffs"].tolist() == [0, 1, 2]
    assert found["kept"].tolist() == [False, False, True]
    assert found["gain"].loc[week(18)] == pytest.approx(0.5)
    assert found.loc[week(18), ["base_loss", "head_loss", "units"]].isna().all()
