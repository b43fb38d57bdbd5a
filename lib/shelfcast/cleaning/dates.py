"""Dates written in several forms in one column, read by an explicit list of patterns."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from shelfcast.errors import ConfigError

__all__ = ["find_date", "parsed_date"]

# Week-based letters (YYYY, w) parse to another day than one reads, and Spark refuses some only on the workers.
_LETTERS = frozenset("yMdHhmsSa")
_PART = re.compile("(yyyy|MM|M|dd|d)")
# As Spark's parser has them: a single letter takes zeros before it.
_DIGITS = {"yyyy": r"(\d{4})", "MM": r"(\d{2})", "M": r"0*(\d{1,2})", "dd": r"(\d{2})", "d": r"0*(\d{1,2})"}


def parsed_date(text: Column, patterns: Sequence[str]) -> Column:
    """`text` as a date by the first of `patterns` that fits the whole of it, blanks around it aside; null if none does.

    patterns: Spark's datetime patterns in order, such as ["M/d/yyyy", "MM-dd-yyyy"]. "01-02-2016" is both 2 January and
    1 February: only the list says which. Raises ConfigError for a pattern that cannot name a day.
    """
    for pattern in patterns:
        _check_pattern(pattern)
    return F.coalesce(*(_parsed(F.trim(text), pattern) for pattern in patterns))


def find_date(name: str, pattern: str) -> date | None:
    """The day that stands anywhere in `name` in the form of `pattern`, which has four digits of a year and two of a
    month and a day.

    >>> find_date("sales_20161224_store7.csv", "yyyyMMdd")
    datetime.date(2016, 12, 24)
    """
    parts = _PART.split(pattern)
    if sorted(parts[1::2]) != ["MM", "dd", "yyyy"]:
        raise ConfigError(f"date pattern {pattern!r}: wanted yyyy, MM and dd, once each")
    form = "".join(_DIGITS.get(part, re.escape(part)) for part in parts)
    for found in re.finditer(rf"(?<!\d){form}(?!\d)", name):
        told = dict(zip(parts[1::2], map(int, found.groups()), strict=True))
        with suppress(ValueError):
            return date(told["yyyy"], told["MM"], told["dd"])
    return None


def _parsed(text: Column, pattern: str) -> Column:
    """Spark's own parser throws and catches an error at each text that does not fit, which costs more than all else
    that is read of a row: digits between marks are asked for their form, and turned for the plain cast of a date."""
    before, *between_parts, after = _PART.split(pattern)
    parts, marks = between_parts[::2], between_parts[1::2]
    letters = [part[0] for part in parts]
    if sorted(letters) != ["M", "d", "y"] or before or after or not all(re.fullmatch(r"[-/. ]+", m) for m in marks):
        return F.try_to_date(text, pattern)
    form = "".join(_DIGITS.get(part, re.escape(part)) for part in between_parts)
    turned = "-".join(f"${letters.index(letter) + 1}" for letter in "yMd")
    return F.when(text.rlike(f"^{form}$"), F.regexp_replace(text, form, turned).try_cast("date"))


def _check_pattern(pattern: str) -> None:
    letters = set(re.sub(r"'[^']*'", "", pattern))
    unknown = {letter for letter in letters if letter.isalpha()} - _LETTERS
    if unknown or not {"y", "M", "d"} <= letters:
        found = ", ".join(sorted(filter(str.isalpha, unknown or letters))) or "no letter"
        raise ConfigError(f"date pattern {pattern!r}: wanted year y, month M and day d, found {found}")
