"""Rows of an index, in pages: what a route answers with, and what a page shows, is one list."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shelfcast.api.index.reading import Row
from shelfcast.api.problems import Problem
from shelfcast.api.view import Condition, View

MOST_ROWS = 1000
M = TypeVar("M", bound=BaseModel)
Read = Callable[[Sequence[Row]], Sequence[Row]]
Flatten = Callable[[Any], Iterable[Mapping[str, Any]]]


def _as_they_are(rows: Sequence[Row]) -> Sequence[Row]:
    return rows


@dataclass(frozen=True)
class Listing(Generic[M]):
    """The rows of `query` that meet the conditions, in the order of `key`, as `model` has them.

    read: makes what the model reads of rows of the index. flatten: of an item the rows that it is in CSV and Arrow.
    state: what else the rows depend on.
    """

    model: type[M]
    query: str
    key: Sequence[str]
    conditions: Sequence[Condition | None] = ()
    read: Read = _as_they_are
    flatten: Flatten | None = None
    state: Any = None

    def page(self, view: View, limit: int = MOST_ROWS, cursor: str | None = None) -> tuple[list[M], str | None]:
        """So many items at most, from the cursor on, and the cursor of those that follow; None where none do.

        Raises Problem 422 where the cursor is none of such rows.
        """
        order = ", ".join(f'"{name}"' for name in self.key)
        after = _after(cursor, self.key)
        rows = view.select(self.query, [*self.conditions, after], f"order by {order} limit ?", limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        following = _cursor([last[name] for name in self.key]) if last else None
        return [self.model.model_validate(row) for row in self.read(rows[:limit])], following

    def all(self, view: View) -> list[M]:
        """Every item: for lists that a page can show, or add up."""
        items, following = self.page(view)
        while following:
            more, following = self.page(view, cursor=following)
            items += more
        return items


def _cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def _after(cursor: str | None, key: Sequence[str]) -> Condition | None:
    """That a row comes after the one that the cursor names. Raises Problem 422 where it is no cursor of such rows."""
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != len(key) or not all(map(_is_of_key, values)):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "query.cursor: not one of ours; wanted `next` of a page")
    names = ", ".join(f'"{name}"' for name in key)
    return Condition(f"({names}) > ({', '.join('?' * len(key))})", tuple(values))


def _is_of_key(value: Any) -> bool:
    """Whether a key of the index may have it: a text, or a number that is stored."""
    if isinstance(value, str):
        return value == value.encode("utf-8", "replace").decode("utf-8")
    return isinstance(value, int) and abs(value) < 2**63
