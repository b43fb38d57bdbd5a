"""What a section is made of: sentences, tables and figures, ready for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A table cell: its text, what it sorts by, and a bar beside it, as a share of the column's largest.

    tone: "good", "bad", "quiet" or "" colours it; badge: a word set off behind the text; note: small print under it.
    """

    text: str
    sort: float | str = ""
    bar: float | None = None
    tone: str = ""
    badge: str = ""
    note: str = ""

    @property
    def sort_key(self) -> str:
        """For the sorting script; what is missing sorts last."""
        return "" if isinstance(self.sort, float) and not isfinite(self.sort) else str(self.sort)


@dataclass(frozen=True)
class Column:
    """A table column; `note` explains it under the table."""

    title: str
    note: str = ""
    is_number: bool = True


@dataclass(frozen=True)
class Row:
    """A table row; kind "champion" is marked, "quiet" is greyed."""

    cells: Sequence[Cell]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption; the first cell of a row is its heading. A folded one opens at a click."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    is_sortable: bool = False
    is_folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart with a title above and a sentence below it."""

    title: str
    chart: Markup
    caption: str = ""


@dataclass(frozen=True)
class Card:
    """A headline number: what it is, the number, and a line of context."""

    title: str
    number: str
    context: str = ""


@dataclass(frozen=True)
class Sentence:
    """A finding in words, with the number that it rests on set off before it."""

    figure: str
    text: str


@dataclass(frozen=True)
class Block:
    """Things side by side where there is room, or a sentence in place of what there is nothing to show of."""

    title: str = ""
    lead: str = ""
    sentences: Sequence[Sentence] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    empty: str = ""
    layout: str = "wide"  # wide, halves, tiles


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading, an opening sentence and its blocks."""

    anchor: str
    title: str
    lead: str = ""
    cards: Sequence[Card] = ()
    blocks: Sequence[Block] = field(default_factory=tuple)


def bar_shares(values: Sequence[float], most: float | None = None) -> list[float | None]:
    """Each value as a share of `most`, by default of the largest; None for what is missing."""
    most = max((value for value in values if isfinite(value)), default=0.0) if most is None else most
    return [value / most if isfinite(value) and most > 0 else None for value in values]
