"""The clock by which days are known: how far sales had come when a delivery of another table did."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from shelfcast.sources.ledger import FIRST, Intake, Line

SALES = "sales"


def beside_sales(intakes: Mapping[str, Intake], newest: Mapping[str, int]) -> dict[str, Intake]:
    """The intakes, whose new lines tell of the newest delivery of sales before them, and of that with them: of files
    whose names tell their days that of the day before, and of the day.

    A table's first delivery tells its history, and what comes with the first sales is theirs: each row is known from
    its own day. So is what begins a table later, but for files whose names tell of sales on the days before.
    newest: the newest delivery that each raw table had before.
    """
    sales = (*intakes[SALES].known, *intakes[SALES].new)
    return {
        name: intake if name == SALES else replace(intake, new=_timed(intake, newest[name], sales, newest[SALES]))
        for name, intake in intakes.items()
    }


def _timed(intake: Intake, newest: int, sales: Collection[Line], before: int) -> tuple[Line, ...]:
    first = min((line.delivery for line in (*intake.known, *intake.new)), default=FIRST)
    known = before if newest else FIRST - 1
    return tuple(_beside(line, sales, known) if line.delivery > max(first, newest) else line for line in intake.new)


def _beside(line: Line, sales: Collection[Line], known: int) -> Line:
    """known: the newest delivery of sales that the line came after, whatever names tell."""
    earlier = [each.delivery for each in sales if each.delivery <= known or _is_of_a_day_before(each, line)]
    if not earlier:
        return line
    later = {each.delivery for each in sales if each.delivery > known and _is_of_a_day_before(line, each)}
    beside = max(each.delivery for each in sales if each.delivery not in later)
    return replace(line, after_sales=max(earlier), with_sales=beside)


def _is_of_a_day_before(one: Line, other: Line) -> bool:
    return bool(one.delivered_on and other.delivered_on and one.delivered_on < other.delivered_on)
