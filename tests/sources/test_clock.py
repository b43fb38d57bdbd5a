"""How far sales had come when a delivery of another table did."""

from collections.abc import Sequence
from datetime import date

import pytest

from shelfcast.sources.clock import beside_sales
from shelfcast.sources.files import Found
from shelfcast.sources.ledger import Intake, Line, plan_anew

# A delivery's number, and the day of January that its file's name tells; 0 where it tells none.
Told = tuple[int, int]


def lines(name: str, *told: Told) -> tuple[Line, ...]:
    return tuple(
        Line(name, number, "", f"{number}", "", 1, 0, delivered_on=date(2017, 1, day) if day else None)
        for number, day in told
    )


# The deliveries of sales and of stock that were there before the run, and those that it takes in; what each new one of
# stock tells: the newest delivery of sales before it, and with it.
CASES: dict[str, tuple[Sequence[Told], Sequence[Told], Sequence[Told], Sequence[Told], list]] = {
    "a-first-delivery-tells-history": ([], [(1, 0)], [], [(1, 0)], [(None, None)]),
    "so-does-one-that-is-there-later": ([(1, 0), (2, 0)], [(3, 0)], [], [(1, 0)], [(None, None)]),
    "what-comes-with-a-day-of-sales": ([(1, 0)], [(2, 0)], [(1, 0)], [(2, 0)], [(1, 2)]),
    "what-comes-without-sales": ([(1, 0), (2, 0)], [], [(1, 0)], [(2, 0)], [(2, 2)]),
    "days-at-once-are-as-day-by-day": (
        [],
        [(1, 2), (2, 3), (3, 4)],
        [],
        [(1, 2), (2, 4), (3, 5)],
        [(None, None), (2, 3), (3, 3)],
    ),
    "an-older-day-comes-late": ([(1, 2), (2, 3)], [(3, 4)], [(1, 2)], [(2, 3)], [(2, 2)]),
    "without-days-beside-days": ([(1, 2)], [(2, 3), (3, 4)], [(1, 0)], [(2, 0)], [(1, 3)]),
    "days-beside-sales-without": ([(1, 0)], [(2, 0)], [(1, 2)], [(2, 3), (3, 4)], [(1, 2), (1, 2)]),
    "a-table-that-begins-later-has-its-days-beside-those-of-sales": (
        [(1, 2), (2, 3), (3, 4)],
        [],
        [],
        [(1, 2), (2, 3), (3, 4)],
        [(None, None), (1, 2), (2, 3)],
    ),
    "and-beside-sales-without-days-its-own": ([(1, 0)], [], [], [(1, 2), (2, 3)], [(None, None), (None, None)]),
    "days-beside-the-first-sales-without": ([], [(1, 0)], [], [(1, 2), (2, 3)], [(None, None), (None, None)]),
}


@pytest.mark.parametrize(("sold", "new_sales", "counted", "new", "wanted"), CASES.values(), ids=CASES)
def test_a_delivery_knows_the_sales_before_it_and_with_it(
    sold: Sequence[Told], new_sales: Sequence[Told], counted: Sequence[Told], new: Sequence[Told], wanted: list
) -> None:
    intakes = {
        "sales": Intake(lines("sales", *sold), lines("sales", *new_sales)),
        "stock": Intake(lines("stock", *counted), lines("stock", *new)),
    }
    found = beside_sales(intakes, {"sales": len(sold), "stock": len(counted)})
    assert [(line.after_sales, line.with_sales) for line in found["stock"].new] == wanted
    assert found["sales"] == intakes["sales"]


def test_tables_that_are_read_as_one_come_after_no_sales() -> None:
    lines = tuple(Line("promotions", n, "", f"{n}", "", 1, 0, after_sales=n - 1 or None, with_sales=n) for n in (1, 2))
    anew = plan_anew(Intake(lines, ()), [Found(f"/tables/{line.file}", 1, 1) for line in lines], as_one=True)
    assert {(line.delivery, line.after_sales, line.with_sales) for line in anew.new} == {(2, None, None)}


def test_what_is_read_anew_keeps_what_it_knew_and_what_a_killed_run_has_put_in_came_with_it() -> None:
    sales, stock = lines("sales", (1, 0), (2, 0)), lines("stock", (1, 0), (2, 0), (3, 0))
    found = beside_sales(
        {"sales": Intake(sales, ()), "stock": Intake((), stock)},
        {"sales": 1, "stock": 2},
    )
    assert [(line.after_sales, line.with_sales) for line in found["stock"].new] == [(None, None), (None, None), (1, 2)]
