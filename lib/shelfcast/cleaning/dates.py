"""Dates written in several forms in one column, read by an explicit list of patterns."""

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import ConfigError

__all__ = ["parsed_date", "with_dates"]

# Week-based letters (YYYY, w) parse to another day than one reads, and Spark refuses some only on the workers.
_LETTERS = frozenset("yMdHhmsSa")


def parsed_date(text: Column, patterns: Sequence[str]) -> Column:
    """`text` as a date by the first of `patterns` that fits the whole of it, blanks around it aside; null if none does.

    patterns: Spark's datetime patterns in order, such as ["M/d/yyyy", "MM-dd-yyyy"]. "01-02-2016" is both 2 January and
    1 February: only the list says which. Raises ConfigError for a pattern that cannot name a day.
    """
    for pattern in patterns:
        _check_pattern(pattern)
    return F.coalesce(*(F.try_to_date(F.trim(text), pattern) for pattern in patterns))


def with_dates(received: DataFrame, patterns: Mapping[str, Sequence[str]]) -> DataFrame:
    """`received` with each text column named in `patterns` turned into dates by its patterns."""
    return received.withColumns({column: parsed_date(F.col(column), forms) for column, forms in patterns.items()})


def _check_pattern(pattern: str) -> None:
    letters = set(re.sub(r"'[^']*'", "", pattern))
    unknown = {letter for letter in letters if letter.isalpha()} - _LETTERS
    if unknown or not {"y", "M", "d"} <= letters:
        found = ", ".join(sorted(filter(str.isalpha, unknown or letters))) or "no letter"
        raise ConfigError(f"date pattern {pattern!r}: wanted year y, month M and day d, found {found}")
