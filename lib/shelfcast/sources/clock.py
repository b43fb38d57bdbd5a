"""The clock by which days are known: how far sales had come when a delivery of another table did."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from shelfcast.sources.ledger import FIRST, Intake, Line

SALES = "sales"
# Its number, and the day that the names of its files tell.
Delivery = tuple[int, date | None]


def beside_sales(intakes: Mapping[str, Intake], newest: Mapping[str, int]) -> dict[str, Intake]:
    """The intakes, whose new lines tell of the newest delivery of sales before them, and of that with them: of files
    whose names tell their days that of the day before, and of the day.

    A table's first delivery tells its history, and what comes with the first sales is theirs: each row is known from
    its own day. So is what begins a table later, but for files whose names tell of sales on the days before.
    newest: the newest delivery that each raw table had before.
    """
    sales = {(line.delivery, line.delivered_on) for line in (*intakes[SALES].known, *intakes[SALES].new)}
    return {
        name: intake if name == SALES else replace(intake, new=_timed(intake, newest[name], sales, newest[SALES]))
        for name, intake in intakes.items()
    }


def _timed(intake: Intake, newest: int, sales: Collection[Delivery], before: int) -> tuple[Line, ...]:
    first = min((line.delivery for line in (*intake.known, *intake.new)), default=FIRST)
    known = before if newest else FIRST - 1
    # Once a day: a day may have a file of each store.
    beside = {day: _beside(day, sales, known) for day in {line.delivered_on for line in intake.new}}
    return tuple(
        replace(line, **beside[line.delivered_on]) if line.delivery > max(first, newest) else line
        for line in intake.new
    )


def _beside(day: date | None, sales: Collection[Delivery], known: int) -> dict[str, Any]:
    """What the lines of a day tell of sales. known: the newest delivery of sales that they came after, whatever names
    tell."""
    earlier = [delivery for delivery, of in sales if delivery <= known or _is_before(of, day)]
    if not earlier:
        return {}
    beside = [delivery for delivery, of in sales if delivery <= known or not _is_before(day, of)]
    return {"after_sales": max(earlier), "with_sales": max(beside)}


def _is_before(one: date | None, other: date | None) -> bool:
    return bool(one and other and one < other)
