"""The indexes as requests read them: one of each region, the next in its place once it is whole."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Index:
    """The index of one publication. It never changes, so that what was read of it holds as long as it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._connections = threading.local()
        (self.origin,) = self.rows("select * from origin")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of the query, each by the names of its columns."""
        cursor = self._connection().execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _connection(self) -> sqlite3.Connection:
        """That of this thread: a connection answers one query at a time."""
        found: sqlite3.Connection | None = getattr(self._connections, "file", None)
        if found is None:
            # Nobody writes to it: it needs no locks.
            found = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
            found.execute("pragma query_only = on")
            self._connections.file = found
        return found


class Indexes:
    """The newest index of each region. Who holds one reads on in it while another takes its place."""

    def __init__(self) -> None:
        self._current: dict[str, Index] = {}

    def put(self, index: Index) -> None:
        self._current = {**self._current, index.origin["region"]: index}

    def find(self, region: str) -> Index | None:
        return self._current.get(region)

    @property
    def regions(self) -> list[str]:
        return sorted(self._current)
