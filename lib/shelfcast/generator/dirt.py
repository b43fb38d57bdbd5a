"""Dirt on the files: rows that are wrong, at stated rates, and a list of which.

A row is spoiled in one of two ways. Most kinds put a spoiled copy after a true row: the true rows stay whole, and who
refuses the copies has the truth. The kinds of IN_PLACE write a true row badly: it still counts.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shelfcast.generator.chain import FileDirt
from shelfcast.generator.demand import IntArray
from shelfcast.generator.files import LINE_END, Layout

IN_PLACE = ("missing_size", "thousands_separators")
# Money with a separator has three digits before the point, or more.
THOUSAND_CENTS = 100_000


class DirtyRow(NamedTuple):
    """Where a spoiled row stands. line: in its file, from 1, the header's; is_true: the row counts all the same."""

    file: str
    line: int
    kind: str
    row: str
    is_true: bool


@dataclass(frozen=True)
class Lines:
    """Rows of a file as text with their line ends, and what each is worth in cents (0 where no row is worth much)."""

    texts: pa.Array
    cents: IntArray


def spoil(lines: Lines, layout: Layout, rates: FileDirt, rng: np.random.Generator) -> tuple[pa.Array, list[DirtyRow]]:
    """The rows with dirt among them, and the spoiled ones, their lines counted from the first of these rows as 0."""
    written, spoiled = _drawn(lines, layout, rates, rng)
    n, extra = len(lines.texts), [number for number, row in enumerate(spoiled) if row.kind not in IN_PLACE]
    order = np.arange(n)
    for number, row in enumerate(spoiled):
        if row.kind in IN_PLACE:
            order[row.line] = n + number
    after = np.array([spoiled[number].line for number in extra], dtype=np.int64) + 1
    order = np.insert(order, after, n + np.array(extra, dtype=np.int64))
    texts = pc.take(pa.chunked_array([lines.texts, pa.array(written, lines.texts.type)]), pa.array(order))
    place = np.flatnonzero(order >= n)
    return texts, [spoiled[order[line] - n]._replace(line=int(line)) for line in place]


def _drawn(lines: Lines, layout: Layout, rates: FileDirt, rng: np.random.Generator) -> tuple[list[str], list[DirtyRow]]:
    """The spoiled texts, and for each its kind and the row (its `line`) that it comes from."""
    free = np.ones(len(lines.texts), dtype=np.bool_)
    written, spoiled = [], []
    # in place first: a row is written badly in one way, and copies are made of what it says, not of how
    for kind, rate in sorted(rates, key=lambda item: item[0] not in IN_PLACE):
        can = free & (lines.cents >= THOUSAND_CENTS) if kind == "thousands_separators" else free
        for row in _choose(np.flatnonzero(can), rate, rng):
            text = _DEFECTS[kind](lines.texts[row].as_py().removesuffix(LINE_END), layout, rng)
            written.append(text + LINE_END)
            spoiled.append(DirtyRow(layout.name, int(row), kind, text, kind in IN_PLACE))
            free[row] = kind not in IN_PLACE
    return written, spoiled


def _choose(rows: IntArray, rate: float, rng: np.random.Generator) -> IntArray:
    return np.sort(rng.choice(rows, rng.binomial(len(rows), rate), replace=False))


def _fields(text: str) -> list[str]:
    return next(csv.reader([text]))


Defect = Callable[[str, Layout, np.random.Generator], str]


def _instead(meaning: str, *texts: str) -> Defect:
    """One of `texts` in the place of what the row says; {} in it is what it said."""

    def spoiled(text: str, layout: Layout, rng: np.random.Generator) -> str:
        fields = _fields(text)
        place = layout.position(meaning)
        fields[place] = str(rng.choice(texts)).replace("{}", fields[place])
        return layout.line(fields)

    return spoiled


def _without(*meanings: str) -> Defect:
    """Without these keys, nor the identifier that is made of them."""

    def spoiled(text: str, layout: Layout, _: np.random.Generator) -> str:
        fields = _fields(text)
        for place in (0, *map(layout.position, meanings)):
            fields[place] = ""
        return layout.line(fields)

    return spoiled


def _no_keys(text: str, layout: Layout, _: np.random.Generator) -> str:
    """What is left of a row that lost all but its price, quantity, amount and classification."""
    fields, first = _fields(text), layout.position("price")
    return layout.line([""] * first + fields[first:])


def _date_out_of_range(text: str, layout: Layout, rng: np.random.Generator) -> str:
    fields, place = _fields(text), layout.position("day")
    fields[place] = fields[place][:-4] + str(rng.choice(("1916", "1900", "2061", "9999")))
    return layout.line(fields)


def _negative_price(text: str, layout: Layout, _: np.random.Generator) -> str:
    fields = _fields(text)
    for meaning in ("price", "amount"):
        fields[layout.position(meaning)] = "-" + fields[layout.position(meaning)]
    return layout.line(fields)


def _thousands_separators(text: str, layout: Layout, _: np.random.Generator) -> str:
    fields, place = _fields(text), layout.position("amount")
    fields[place] = f"{float(fields[place]):,.2f}"
    return layout.line(fields)


def _cut_short(text: str, layout: Layout, rng: np.random.Generator) -> str:
    fields = _fields(text)
    return layout.line(fields[: rng.integers(2, len(fields) - 1)])


_DEFECTS: dict[str, Defect] = {
    "duplicate": lambda text, _, __: text,
    "comma_only": lambda _, layout, __: "," * (len(layout.columns) - 1),
    "cut_short": _cut_short,
    "too_long": lambda text, layout, _: layout.line([*_fields(text), "", "1"]),
    "header_again": lambda _, layout, __: layout.header,
    "missing_size": _instead("size", ""),
    "blank_product": _without("product"),
    "blank_store": _without("store"),
    "unreadable_date": _instead("day", "31/31/2016", "00-00-0000", "Jan 2016?", "n/a"),
    "date_out_of_range": _date_out_of_range,
    "quantity_as_text": _instead("quantity", "two", "{} btl", "N/A", "one case"),
    "impossible_quantity": _instead("quantity", "1250000", "999999999", "98765432"),
    "negative_price": _negative_price,
    "contradictory_signs": _instead("quantity", "-{}"),
    "thousands_separators": _thousands_separators,
    "no_keys": _no_keys,
}
