"""What a chart shows: in words, as a drawing for the browser, and as a table for who does not see that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel

# Names of colours of the style sheet.
Tone = Literal["ink", "accent", "other"]


class Tick(BaseModel):
    """A named place of an axis: a value, or the number of a title."""

    at: float
    label: str


class Series(BaseModel):
    """values: one for each title. told: each in the reader's numbers. low: a band's lower edge, values its upper."""

    name: str
    tone: Tone
    values: Sequence[float | None]
    told: Sequence[str]
    low: Sequence[float | None] | None = None
    dashed: bool = False


class Level(BaseModel):
    """A line across the whole chart, with its name."""

    label: str
    value: float


class Lines(BaseModel):
    """Lines and bands over days or weeks. titles: of each day, in full."""

    kind: Literal["lines"] = "lines"
    locale: str
    titles: Sequence[str]
    ticks: Sequence[Tick]
    series: Sequence[Series]
    levels: Sequence[Level] = ()


class Bar(BaseModel):
    """label: its name with its value."""

    label: str
    value: float
    marked: bool


class Bars(BaseModel):
    """Shares as bars, one under the other."""

    kind: Literal["bars"] = "bars"
    locale: str
    bars: Sequence[Bar]


class Bubble(BaseModel):
    """weight: its area, that of the largest is 1."""

    x: float
    y: float
    weight: float
    told: str


class Bubbles(BaseModel):
    """Bubbles on two logarithmic axes from low to high, and their diagonal."""

    kind: Literal["bubbles"] = "bubbles"
    locale: str
    x_title: str
    y_title: str
    low: float
    high: float
    ticks: Sequence[Tick]
    bubbles: Sequence[Bubble]


class Row(NamedTuple):
    """header: as it is shown, and what it is sorted by. cells: a number as it is shown, and itself."""

    header: tuple[str, str | float]
    cells: Sequence[tuple[str, float | None]]


@dataclass(frozen=True)
class Numbers:
    """What is drawn, as a table. first: names the rows, columns their numbers."""

    caption: str
    first: str
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def header(self) -> list[str]:
        """As the templates' tables take it: columns of numbers have a # before them."""
        return [self.first, *(f"#{column}" for column in self.columns)]


@dataclass(frozen=True)
class Chart:
    """words: what a reader hears who does not see it."""

    words: str
    drawing: Lines | Bars | Bubbles
    numbers: Numbers
