"""Rows of the lake's tables into a file of SQLite, in the order in which they are read."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from shelfcast.api.index.packed import as_doubles, pack, starts_of
from shelfcast.api.index.parts import Packed, Rows

# Rows in memory at a time: some hundred megabytes of the widest table.
_MOST_ROWS = 1_000_000
_BATCH = 50_000
Values = Sequence[Any]


def write_rows(file: sqlite3.Connection, part: Rows, *sources: ds.Dataset) -> int:
    """The part as a table of the file, empty where the lake has no source of it; how many rows."""
    columns = (*part.key, *part.columns)
    _create(file, part.name, columns, part.key, part.computed)
    written = sum(sum(_insert_batches(file, part, source)) for source in sources)
    _create_indexes(file, part.name, part.indexes)
    return written


def write_packed(file: sqlite3.Connection, part: Packed, *sources: ds.Dataset) -> int:
    """The part as a table of the file, a row a series; how many series."""
    columns = (*part.key, *part.columns, "weeks")
    _create(file, part.name, columns, part.key, {})
    written = 0
    for source in sources:
        kept = _kept(part, source)
        for scope in scopes(source, kept):
            table = source.to_table([*part.key, *part.columns, *part.packed], filter=_all(kept, scope))
            written += insert(file, part.name, columns, _series(part, table))
    _create_indexes(file, part.name, part.indexes)
    return written


def insert(file: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Values]) -> int:
    names, marks = ", ".join(map(quoted, columns)), ", ".join("?" * len(columns))
    return file.executemany(f"insert into {quoted(table)} ({names}) values ({marks})", rows).rowcount


def quoted(name: str) -> str:
    """A name of our own in SQL: `check` and `class` are words of SQL's."""
    return f'"{name}"'


def as_value(value: Any) -> Any:
    """As the file keeps it: a date as text that sorts as it does, what has parts as JSON."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict | tuple):
        return json.dumps(dict(value) if _is_map(value) else value, default=str)
    return value


def _is_map(value: Any) -> bool:
    """What Arrow gives of a map: its entries."""
    return isinstance(value, list) and bool(value) and all(isinstance(entry, tuple) for entry in value)


def _create(
    file: sqlite3.Connection, table: str, columns: Sequence[str], key: Sequence[str], computed: Mapping[str, str]
) -> None:
    # Rows lie in the order of the key itself: a store's are neighbours.
    made = [f"{quoted(name)} as ({text})" for name, text in computed.items()]
    names, order = ", ".join([*map(quoted, columns), *made]), ", ".join(map(quoted, key))
    file.execute(f"create table {quoted(table)} ({names}, primary key ({order})) without rowid")


def _create_indexes(file: sqlite3.Connection, table: str, indexes: Iterable[Sequence[str]]) -> None:
    for columns in indexes:
        name = quoted(f"{table}_by_{'_'.join(columns)}")
        file.execute(f"create index {name} on {quoted(table)} ({', '.join(map(quoted, columns))})")


def _insert_batches(file: sqlite3.Connection, part: Rows, source: ds.Dataset) -> Iterator[int]:
    columns = (*part.key, *part.columns)
    held = [name for name in columns if name in source.schema.names]
    for batch in source.to_batches(columns=held, filter=_where(part.where), batch_size=_BATCH):
        values = {name: _values(batch.column(name)) for name in held}
        absent = [None] * batch.num_rows
        # A key that is not known is the empty text: nothing is beside null, and it would be sought in vain.
        rows = [[_known(value) for value in values[name]] if name in part.key else values.get(name, absent)
                for name in columns]  # fmt: skip
        yield insert(file, part.name, columns, zip(*rows, strict=True))


def _values(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_string(column.type):
        return values
    return [as_value(value) for value in values]


def _known(value: Any) -> Any:
    return "" if value is None else value


def _where(where: Mapping[str, Sequence[str | None]]) -> ds.Expression | None:
    # Texts also where they are none, or all null: of another type than the column they are refused.
    return _all(*[ds.field(name).isin(pa.array(values, pa.string())) for name, values in where.items()])


def _all(*conditions: ds.Expression | None) -> ds.Expression | None:
    found = None
    for condition in conditions:
        if condition is not None:
            found = condition if found is None else found & condition
    return found


def _kept(part: Packed, source: ds.Dataset) -> ds.Expression | None:
    where = _where(part.where)
    if part.newest is None:
        return where
    weeks = source.to_table(["week"], filter=where)["week"]
    newest = pc.max(weeks).as_py()
    if newest is None:
        return where
    return _all(where, ds.field("week") > pa.scalar(newest - timedelta(weeks=part.newest), pa.date32()))


def scopes(source: ds.Dataset, kept: ds.Expression | None) -> Iterator[ds.Expression]:
    """Conditions on the store that cut the rows into parts that fit into memory, in order."""
    counted = source.to_table(["store_id"], filter=kept).group_by("store_id").aggregate([([], "count_all")])
    stores = counted.sort_by("store_id")
    held: list[str] = []
    size = 0
    for store, rows in zip(stores["store_id"].to_pylist(), stores["count_all"].to_pylist(), strict=True):
        if held and size + rows > _MOST_ROWS:
            yield ds.field("store_id").isin(held)
            held, size = [], 0
        held.append(store)
        size += rows
    if held:
        yield ds.field("store_id").isin(held)


def _series(part: Packed, table: pa.Table) -> Iterator[Values]:
    table = table.sort_by([(name, "ascending") for name in (*part.key, part.packed[0])])
    starts = starts_of(table, part.key)
    first = table.select([*part.key, *part.columns]).take(pa.array(starts))
    matrix = np.ascontiguousarray(as_doubles(table, part.packed))
    ends = [*starts[1:].tolist(), table.num_rows] if len(starts) else []
    weeks = (pack(matrix[start:end]) for start, end in zip(starts.tolist(), ends, strict=True))
    yield from zip(*[column.to_pylist() for column in first.columns], weeks, strict=True)
