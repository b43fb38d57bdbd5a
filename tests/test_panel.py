from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfcast.panel import Axis, Panel, densify

WEEKS = tuple(date(2017, 1, 2) + timedelta(weeks=n) for n in range(5))
NAN = np.nan
COLUMNS = ["store_id", "item_id", "category_id", "week", "quantity", "promoted"]


def week(number: int) -> date:
    return WEEKS[0] + timedelta(weeks=number)


def rows(*cells: tuple[str, int, float, float]) -> pd.DataFrame:
    """Rows of one store: item, number of the week, quantity, promoted."""
    return pd.DataFrame([("s1", item, "c1", week(n), quantity, on) for item, n, quantity, on in cells], columns=COLUMNS)


def axis(horizon: int = 2, from_first_sale: bool = True) -> Axis:
    return Axis(WEEKS, 4, horizon, from_first_sale)


@pytest.mark.parametrize(
    ("cells", "from_first_sale", "expected"),
    [
        pytest.param(
            [("a", 2, 3.0, 0)], True, [NAN, NAN, 3, 0, 0], id="unknown-before-the-first-sale-and-zero-after-it"
        ),
        pytest.param([("a", 2, 3.0, 0)], False, [0, 0, 3, 0, 0], id="or-zero-from-the-first-week"),
        pytest.param(
            [("a", 0, 0.0, 1), ("a", 3, 2.0, 0)], True, [NAN, NAN, NAN, 2, 0], id="a-promotion-is-no-first-sale"
        ),
        pytest.param([("a", 1, 2.0, 1), ("a", 3, 0.0, 1)], True, [NAN, 2, 0, 0, 0], id="promoted-and-not-sold-is-zero"),
        pytest.param([("a", 1, 2.0, 0), ("a", 2, NAN, 0)], True, [NAN, 2, NAN, 0, 0], id="of-a-closed-store-unknown"),
        pytest.param(
            [("a", 1, NAN, 0), ("a", 3, 2.0, 0)], False, [0, NAN, 0, 2, 0], id="unknown-and-not-its-first-sale"
        ),
        pytest.param(
            [("a", -1, 9.0, 0), ("a", 1, 2.0, 0)], True, [NAN, 2, 0, 0, 0], id="a-week-before-the-first-is-left-out"
        ),
        pytest.param([("a", 1, 2.0, 0), ("a", 5, 9.0, 0)], True, [NAN, 2, 0, 0, 0], id="so-is-one-after-the-last"),
        pytest.param([("a", 6, 0.0, 1)], True, [NAN] * 5, id="never-sold-is-never-known"),
    ],
)
def test_what_is_known_of_each_week(
    cells: list[tuple[str, int, float, float]], from_first_sale: bool, expected: list[float]
) -> None:
    panel = densify(rows(*cells), axis(from_first_sale=from_first_sale))
    np.testing.assert_array_equal(panel.y, [expected])


def test_promotions_are_known_for_the_weeks_ahead_and_no_farther() -> None:
    panel = densify(
        rows(("a", 1, 2.0, 0.5), ("a", 5, 0.0, 1.0), ("a", 6, 0.0, 0.25), ("a", 7, 0.0, 1.0)), axis(horizon=2)
    )
    np.testing.assert_array_equal(panel.covariates["promoted"], [[0, 0.5, 0, 0, 0, 1, 0.25]])


def test_the_panel_carries_its_weeks_and_season() -> None:
    panel = densify(rows(("a", 0, 1.0, 0)), axis())
    assert panel.periods.tolist() == list(WEEKS)
    assert (panel.season, len(panel), panel.ids.to_dict("records")) == (
        4,
        1,
        [{"store_id": "s1", "item_id": "a", "category_id": "c1"}],
    )


cells = st.tuples(st.sampled_from("abc"), st.integers(-2, 8), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0]))


@given(st.lists(cells, min_size=1, max_size=25, unique_by=lambda cell: cell[:2]), st.booleans(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_panel_agrees_with_a_pivot_table_in_whatever_order_its_rows_come(
    drawn: list[tuple[str, int, int, float]], from_first_sale: bool, data: st.DataObject
) -> None:
    sparse = rows(*[(item, n, float(quantity), on) for item, n, quantity, on in drawn])
    order = data.draw(st.permutations(range(len(drawn))))
    panel = densify(sparse.iloc[list(order)], axis(from_first_sale=from_first_sale))

    def table(column: str, length: int) -> pd.DataFrame:
        wide = sparse.pivot(index="item_id", columns="week", values=column).fillna(0.0)
        return wide.reindex(columns=[week(n) for n in range(length)], fill_value=0.0)

    y = table("quantity", 5)
    if from_first_sale:
        y = y.where((y > 0).cummax(axis=1))
    assert panel.ids["item_id"].tolist() == y.index.tolist()
    np.testing.assert_array_equal(panel.y, y.to_numpy())
    np.testing.assert_array_equal(panel.covariates["promoted"], table("promoted", 7).to_numpy())


@pytest.fixture
def panel() -> Panel:
    return densify(rows(("a", 0, 1.0, 0), ("b", 1, 2.0, 1), ("c", 2, 3.0, 0), ("c", 6, 0.0, 1)), axis())


def test_until_forgets_the_later_weeks_and_keeps_the_plan(panel: Panel) -> None:
    known = panel.until(2)
    np.testing.assert_array_equal(known.y, [[1, 0], [NAN, 2], [NAN, NAN]])
    assert known.periods.tolist() == list(WEEKS[:2])
    np.testing.assert_array_equal(known.covariates["promoted"], panel.covariates["promoted"])
    assert panel.y.shape == (3, 5)


def test_take_keeps_series_and_covariates_together(panel: Panel) -> None:
    taken = panel.take(np.array([2, 0]))
    assert taken.ids["item_id"].tolist() == ["c", "a"]
    assert taken.ids.index.tolist() == [0, 1]
    np.testing.assert_array_equal(taken.y[:, 2], [3, 0])
    np.testing.assert_array_equal(taken.covariates["promoted"][:, 6], [1, 0])
