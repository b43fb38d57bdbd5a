"""What a validation says of a value that is none, in words of the configuration and not of the library that looked."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from pydantic import AfterValidator

_LONGEST = 200


def fitting(pattern: str, wanted: str) -> AfterValidator:
    """Texts of which the whole fits the pattern; `wanted` says in words what that is."""

    def fits(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(wanted)
        return text

    return AfterValidator(fits)


def found(value: Any) -> str:
    """A value as one would write it.

    >>> found(None), found("soon"), found(date(2017, 12, 31))
    ('nothing', "'soon'", '2017-12-31')
    """
    if value is None:
        return "nothing"
    text = str(value) if isinstance(value, date | time) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def wanted(problem: Mapping[str, Any]) -> str:
    """What a problem of pydantic's says was wanted."""
    return str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
