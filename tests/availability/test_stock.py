"""Books of shelves, worked by hand."""

import pandas as pd
import pytest

from shelfcast.availability.stock import Books, keep_books

SERIES = pd.DataFrame({"series": [0, 1], "store": [0, 0]})


def books(counts: list[tuple[int, int, float]], moves: list[tuple[int, int, float, float]], last: int = 9) -> Books:
    """counts: series, day, on_hand. moves: series, day, received, taken."""
    return keep_books(
        SERIES,
        pd.DataFrame(counts, columns=["series", "day", "on_hand"]),
        pd.DataFrame(moves, columns=["series", "day", "received", "taken"]).astype({"series": int, "day": int}),
        last,
    )


def rows(frame: pd.DataFrame) -> list[tuple[int, ...]]:
    return sorted(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("counts", "moves", "empty", "ran_out"),
    [
        pytest.param([(0, 0, 5.0)], [(0, 2, 0, 5.0), (0, 6, 4.0, 1.0)], [(0, 3, 5)], [(0, 2)], id="until-goods-come"),
        pytest.param([(0, 0, 5.0)], [(0, 2, 0, 5.0)], [(0, 3, 9)], [(0, 2)], id="until-the-last-day"),
        pytest.param([(0, 0, 0.0)], [(0, 3, 2.0, 0.0)], [(0, 0, 2)], [], id="counted-empty"),
        pytest.param([(0, 0, 0.0)], [(0, 0, 2.0, 0.0)], [], [], id="filled-on-the-day-of-the-count"),
        pytest.param([(0, 0, 5.0)], [(0, 2, 3.0, 8.0)], [(0, 3, 9)], [(0, 2)], id="goods-come-before-customers"),
        pytest.param([(0, 0, 5.0)], [(0, 2, 0, 5.0), (0, 4, 0, -1.0)], [(0, 3, 3)], [(0, 2)], id="a-return-is-stock"),
        pytest.param([(0, 0, 5.0)], [(0, 2, 0, 4.0)], [], [], id="one-left"),
    ],
)
def test_a_shelf_is_empty(
    counts: list[tuple[int, int, float]],
    moves: list[tuple[int, int, float, float]],
    empty: list[tuple[int, int, int]],
    ran_out: list[tuple[int, int]],
) -> None:
    found = books(counts, moves)
    assert [row for row in rows(found.empty) if row[0] == 0] == empty
    assert rows(found.ran_out) == ran_out


def test_a_count_covers_its_store_what_it_does_not_list_was_not_there() -> None:
    assert (1, 0, 9) in rows(books([(0, 0, 5.0)], []).empty)


@pytest.mark.parametrize(
    ("second", "held"),
    [
        pytest.param(2.0, [(0, 0, 4), (0, 5, 9)], id="meets-the-next-count"),
        pytest.param(1.0, [(0, 5, 9)], id="misses-it-and-nobody-knows-since-when"),
    ],
)
def test_books_hold_where_they_meet_the_next_count(second: float, held: list[tuple[int, int, int]]) -> None:
    found = books([(0, 0, 5.0), (0, 5, second)], [(0, 2, 0, 3.0)])
    assert [row for row in rows(found.held) if row[0] == 0] == held


def test_books_that_fall_below_zero_tell_nothing() -> None:
    found = books([(0, 0, 5.0)], [(0, 2, 0, 5.0), (0, 4, 0, 1.0)])
    assert [row for row in rows(found.held) if row[0] == 0] == []
    assert [row for row in rows(found.empty) if row[0] == 0] == []


def test_a_count_after_the_last_day_checks_the_books_and_opens_none() -> None:
    found = books([(0, 0, 5.0), (0, 10, 4.0)], [])
    assert [row for row in rows(found.held) if row[0] == 0] == []
