import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shelfcast.generator import stock

COLUMNS = ("pair", "day", "lead", "quantity")


def rules(
    pairs: int = 1, *, s: int = 2, up_to: int = 6, pack: int = 1, opening: int = 3, weekday: int = 0, lead: int = 2
):
    one = np.ones(pairs, dtype=np.int64)
    return stock.Policy(
        s * one, up_to * one, pack * one, opening * one, weekday * one, np.full((10, pairs), lead, dtype=np.int64)
    )


def sell(wanted: list[int], policy: stock.Policy) -> stock.Flow:
    column = np.array(wanted, dtype=np.int64)[:, None]
    return stock.simulate(column, policy, np.ones(column.shape, dtype=np.bool_))


def test_what_is_not_there_is_lost() -> None:
    flow = sell([2, 2, 2, 0], rules(s=-1))
    assert flow.sold[:, 0].tolist() == [2, 1, 0, 0]
    assert flow.short[:, 0].tolist() == [False, True, True, True]


def test_an_order_is_placed_on_the_review_day_alone_and_comes_after_its_lead_time() -> None:
    flow = sell([3, 0, 0, 0, 0, 0, 0, 0, 0], rules(weekday=1))
    assert [flow.orders[name].tolist() for name in COLUMNS] == [[0], [1], [2], [6]]
    assert flow.received[:, 0].tolist() == [0, 0, 0, 6, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("opening", "pack", "quantity"),
    [
        pytest.param(3, 1, [], id="above-s-nothing-is-ordered"),
        pytest.param(2, 1, [4], id="at-s-it-is-ordered-up-to-S"),
        pytest.param(2, 3, [6], id="in-whole-packs"),
    ],
)
def test_an_order_goes_up_to_S_in_whole_packs(opening: int, pack: int, quantity: list[int]) -> None:
    assert sell([0], rules(opening=opening, pack=pack)).orders["quantity"].tolist() == quantity


def test_what_is_on_its_way_is_not_ordered_twice() -> None:
    flow = sell([0] * 15, rules(opening=0, lead=10))
    assert flow.orders["day"].tolist() == [0]


def test_nothing_is_ordered_where_it_may_not_be() -> None:
    wanted = np.zeros((8, 1), dtype=np.int64)
    flow = stock.simulate(wanted, rules(opening=0), np.zeros(wanted.shape, dtype=np.bool_))
    assert len(flow.orders["day"]) == 0


@given(
    arrays.arrays(np.int64, (35, 4), elements=st.integers(0, 9)),
    st.integers(0, 6),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_opening_and_receipts_less_sales_is_closing_and_never_negative(wanted, weekday, lead, pack) -> None:
    policy = rules(4, weekday=weekday, lead=lead, pack=pack)
    flow = stock.simulate(wanted, policy, np.ones(wanted.shape, dtype=np.bool_))
    on_hand = policy.opening + flow.received.cumsum(axis=0) - flow.sold.cumsum(axis=0)
    assert on_hand.min() >= 0
    assert (flow.sold <= wanted).all()
    assert stock.stock_before(policy.opening, flow, 35).tolist() == on_hand[-1].tolist()
