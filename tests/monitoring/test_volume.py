import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfcast.monitoring.volume import Volumes, compare

WEEKS, HISTORY, LEAST, MIN_SPREAD = 12, 8, 4, 0.1
counts = st.lists(st.integers(0, 400), min_size=7 * WEEKS, max_size=7 * WEEKS)


def weeks(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=float).reshape(WEEKS, 7)


def compared(rows: np.ndarray, units: np.ndarray) -> Volumes:
    return compare(rows, units, HISTORY, LEAST, MIN_SPREAD)


def usual_by_hand(values: list[float]) -> tuple[float, float]:
    """Median and MAD of logarithms, the slow way."""
    logs = sorted(np.log(value) for value in values if value > 0)
    median = np.median(logs)
    return float(np.exp(median)), float(1.4826 * np.median([abs(each - median) for each in logs]))


@settings(deadline=None)
@given(counts, counts)
def test_a_day_is_compared_with_the_median_of_the_weekdays_before_it(rows: list[int], units: list[int]) -> None:
    found, given_units = compared(weeks(rows), weeks(units)), weeks(units)
    before = [float(value) for value in given_units[WEEKS - 1 - HISTORY : WEEKS - 1, 2]]
    if any(before):
        usual, _ = usual_by_hand(before)
        assert found.usual_units[-1, 2] == pytest.approx(usual)


@settings(deadline=None)
@given(counts, counts, st.floats(0.001, 1000.0))
def test_another_unit_of_quantity_changes_no_verdict(rows: list[int], units: list[int], factor: float) -> None:
    one, other = compared(weeks(rows), weeks(units)), compared(weeks(rows), factor * weeks(units))
    for name in ("rows", "units", "spreads", "is_open"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("factor", [0.1, 2.0, 10.0])
def test_a_factor_is_found_as_it_is(factor: float) -> None:
    rows = np.full((WEEKS, 7), 80.0)
    rows[-1, 1] *= factor
    found = compared(rows, 5 * rows)
    assert found.ratio[-1, 1] == pytest.approx(factor)
    assert np.sign(found.spreads[-1, 1]) == np.sign(np.log(factor))
    others = np.delete(found.ratio[-1], 1)
    assert others == pytest.approx(np.ones(6))


def test_wrong_days_in_the_history_do_not_move_what_is_usual() -> None:
    rows = np.full((WEEKS, 7), 80.0)
    rows[[3, 5, 7], 1] = 8000.0
    assert compared(rows, rows).usual_rows[-1, 1] == pytest.approx(80.0)


def test_a_thin_store_may_sell_nothing_and_a_busy_one_may_not() -> None:
    for usual, is_odd in ((2.0, False), (80.0, True)):
        rows = np.full((WEEKS, 7), usual)
        rows[-1, 1] = 0.0
        found = compared(rows, rows)
        assert (found.spreads[-1, 1] < -5) == is_odd
        assert found.ratio[-1, 1] == 0.0


def test_a_store_that_is_closed_on_sundays_is_not_missed_on_one() -> None:
    rows = np.full((WEEKS, 7), 80.0)
    rows[:, 6] = 0.0
    assert not compared(rows, rows).is_open[:, 6].any()


def test_a_day_knows_nothing_of_the_days_after_it() -> None:
    rows = np.random.default_rng(27).integers(20, 90, (WEEKS, 7)).astype(float)
    known = compared(rows[:9], rows[:9])
    for name in known._fields:
        np.testing.assert_array_equal(getattr(compared(rows, rows), name)[:9], getattr(known, name))
