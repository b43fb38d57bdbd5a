"""A finding: a sentence with its figure; and the numbers in it as people say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import NamedTuple

import pandas as pd
from pyspark.sql import Column, DataFrame

# Topics in the order in which they are told, with their titles.
TOPICS = {
    "classes": "Which products matter",
    "product_segments": "Kinds of products",
    "store_segments": "Kinds of stores",
    "outliers": "Like no other",
    "seasons": "Season and trend",
    "vendor_lead_times": "Slow vendors",
    "vendor_variability": "Unsteady vendors",
    "vendor_freight": "Dear freight",
    "store_errors": "Stores hard to forecast",
    "store_bias": "Stores forecast too high or too low",
    "store_excess": "Stores with too much stock",
    "delisting": "Products to delist",
    "transfers": "Stock to move",
}


class Finding(NamedTuple):
    """figure: the number that the sentence rests on, in `unit`; None where there is nothing to tell, and why is said.
    subject: whom it is about, None for the whole."""

    topic: str
    subject: str | None
    figure: float | None
    unit: str | None
    sentence: str


class Row(NamedTuple):
    """A row of insights/findings without region and date."""

    topic: str
    rank: int
    subject: str | None
    figure: float | None
    unit: str | None
    sentence: str


def ranked(findings: Sequence[Finding]) -> list[Row]:
    """The findings numbered within their topics, in their order."""
    seen = dict.fromkeys(TOPICS, 0)
    rows = []
    for found in findings:
        seen[found.topic] += 1
        # Spark takes no number of numpy's.
        figure = None if found.figure is None else float(found.figure)
        rows.append(Row(found.topic, seen[found.topic], found.subject, figure, found.unit, found.sentence))
    return rows


def absent(topics: Sequence[str], why: str) -> list[Finding]:
    """One sentence a topic that says why there is nothing to tell."""
    return [Finding(topic, None, None, None, why) for topic in topics]


def top(frame: DataFrame, most: int, *order: Column) -> pd.DataFrame:
    """The first rows in that order: those that a topic tells of."""
    return frame.orderBy(*order).limit(most).toPandas()


@dataclass(frozen=True)
class Money:
    """Amounts of money with their sign."""

    sign: str

    def __call__(self, amount: float) -> str:
        text = f"{self.sign}{count(abs(amount)) if abs(amount) >= 100 else f'{abs(amount):.2f}'}"
        return f"minus {text}" if amount < 0 else text


def count(number: float) -> str:
    """1469307 -> "1,469,307"."""
    return f"{number:,.0f}"


def amount(number: float) -> str:
    """Three digits that count: 9.21, 0.042, 412; whole numbers above: 1,234."""
    return count(number) if abs(number) >= 999.5 else f"{number:.3g}" if abs(number) >= 1e-3 or not number else "0"


def share(ratio: float) -> str:
    """0.041 -> "4.1 %"; all is "100 %", and 0.9999 is not."""
    return f"{100 * ratio:,.{0 if ratio in (0, 1) else 1}f} %"


def things(number: float, one: str, many: str = "") -> str:
    """1, "product" -> "1 product"; 1200 -> "1,200 products"."""
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def in_words(day: date) -> str:
    """2017-12-25 -> "25 Dec 2017"."""
    return f"{day.day} {day:%b %Y}"


def is_known(number: object) -> bool:
    """Whether there is a number."""
    return isinstance(number, int | float) and isfinite(number)
