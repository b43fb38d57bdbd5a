"""Tables and queries of a database as received: in slices of as many rows each, from a watermark on where rows are
known already."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, NumericType, TimestampNTZType, TimestampType

from shelfcast.database.connection import Server
from shelfcast.errors import SchemaError
from shelfcast.settings.database import Selection

_DAY_SECONDS = 86_400
# As what a bound is kept, so that both Spark and the database compare by it without rounding.
_NUMBER = "decimal(38,6)"
_FORMATS: Mapping[str, str] = {
    "date": "yyyy-MM-dd",
    "timestamp_ntz": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "timestamp": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'",
}
# The same for Python.
_WRITTEN: Mapping[str, str] = {
    "date": "%Y-%m-%d",
    "timestamp_ntz": "%Y-%m-%d %H:%M:%S.%f",
    "timestamp": "%Y-%m-%dT%H:%M:%S.%fZ",
}


@dataclass(frozen=True)
class Bound:
    """A value that rows are parted at. kind: date, timestamp_ntz, timestamp or a decimal; text: as Spark casts it."""

    kind: str
    text: str

    def reached_by(self, column: str) -> str:
        """Spark's condition for the values at the bound and after it, and for null."""
        return f"(`{column}` >= {self._value} or `{column}` is null)"

    def ends(self, column: str) -> str:
        """Spark's condition for the values at the bound and before it."""
        return f"`{column}` <= {self._value}"

    @property
    def _value(self) -> str:
        return f"cast('{self.text}' as {self.kind})"


class Selected:
    """The columns `received` (-> their names in the lake) of what a selection names. name: of the source's table.

    Raises SchemaError where a column is not there, or is of a type that cannot be read by.
    """

    def __init__(self, server: Server, selection: Selection, received: Mapping[str, str], name: str) -> None:
        self._server, self._selection, self._received = server, selection, received
        self._what = f"source.tables.{name}"
        self._quote = server.dialect.quote
        self._require_columns()

    @property
    def origin(self) -> str:
        """Where the rows come from."""
        return self._selection.table or "query"

    @property
    def described(self) -> str:
        """What else than these, once in the lake, would be other rows: those of another selection."""
        asked = self._selection.model_dump(include={"table", "query", "watermark"})
        return json.dumps([str(self._server), asked, [*self._received]], sort_keys=True)

    @property
    def watermark(self) -> str | None:
        """The watermark's name in the lake."""
        column = self._selection.watermark
        return None if column is None else self._received[column]

    def rows(self, low: Bound | None = None) -> DataFrame:
        """The rows, those alone whose watermark reaches `low`, under the lake's names; a task for each slice."""
        columns = dict.fromkeys([*self._received, *filter(None, [self._selection.partition_by])])
        base = f"(select {', '.join(map(self._quote, columns))} {self._from(self._since(low))}) received"
        rows = self._server.read_slices(base, self._slices(low), self._selection.fetch_size)
        # A varchar's length, which comes as metadata, would be one that the lake holds later rows to, hashed ones too.
        return rows.select(*[F.col(f"`{name}`").alias(named, metadata={}) for name, named in self._received.items()])

    def resume(self, held: DataFrame) -> Bound | None:
        """Where reading goes on from the rows that the lake holds, so that late ones are read too; None without a
        watermark, or without rows."""
        if self.watermark is None:
            return None
        latest = _latest(_kind(held, self.watermark))
        past = held if latest is None else held.where(latest.ends(self.watermark))
        return _start_of_overlap(past.agg(F.max(self.watermark).alias(self.watermark)), self._selection.overlap)

    def fingerprint(self) -> str:
        """A hash of the newest rows, as far back as they are read again; without a watermark of all rows."""
        start = self._window_start()
        return f"{start.text if start else ''} {_content_hash(self.rows(start))}"

    def _window_start(self) -> Bound | None:
        column = self._selection.watermark
        if column is None:
            return None
        name = self._quote(column)
        newest = self._server.read(f"select max({name}) as {name} {self._from()}")
        if latest := _latest(_kind(newest, column)):
            past = f"{name} <= {self._literal(latest.kind, latest.text)}"
            newest = self._server.read(f"select max({name}) as {name} {self._from(past)}")
        return _start_of_overlap(newest, self._selection.overlap)

    def _require_columns(self) -> None:
        types = {field.name: field.dataType for field in self._server.read(f"select * {self._from()}").schema}
        read_by = [*filter(None, (self._selection.partition_by, self._selection.watermark))]
        if missing := [name for name in dict.fromkeys([*self._received, *read_by]) if name not in types]:
            raise SchemaError(f"{self._what}: no column {', '.join(missing)}; found {', '.join(types)}")
        for name in read_by:
            if not _has_order(types[name]):
                raise SchemaError(
                    f"{self._what}: {name} is {types[name].simpleString()}; wanted a number, a date or a timestamp to "
                    f"read by"
                )

    def _slices(self, low: Bound | None) -> list[str]:
        """A condition for each slice; rows without a value are of the first."""
        column, slices = self._selection.partition_by, self._selection.partitions
        if column is None or slices == 1:
            return ["1 = 1"]
        name = self._quote(column)
        given = " and ".join(filter(None, [self._since(low), f"{name} is not null"]))
        placed = f"(select {name}, ntile({slices}) over (order by {name}) as slice {self._from(given)}) placed"
        starts = self._server.read(f"select slice, min({name}) as {name} from {placed} group by slice")
        begins = [row[0] for row in starts.orderBy("slice").select(_as_text(starts, column)).collect()]
        cuts = [self._literal(_kind(starts, column), text) for text in dict.fromkeys(begins[1:]) if text != begins[0]]
        if not cuts:
            return ["1 = 1"]
        between = [f"{name} >= {first} and {name} < {end}" for first, end in pairwise(cuts)]
        return [f"({name} < {cuts[0]} or {name} is null)", *between, f"{name} >= {cuts[-1]}"]

    def _since(self, low: Bound | None) -> str:
        if low is None or self._selection.watermark is None:
            return ""
        name = self._quote(self._selection.watermark)
        return f"({name} >= {self._literal(low.kind, low.text)} or {name} is null)"

    def _literal(self, kind: str, text: str) -> str:
        return self._server.dialect.literal(kind, text)

    def _from(self, where: str = "") -> str:
        named = self._selection.table
        base = self._quote(named) if named else f"({self._selection.query}) given"
        return f"from {base} where {where}" if where else f"from {base}"


def _latest(kind: str) -> Bound | None:
    """The last watermark that is believed: by the clock of one till that goes wrong, nothing would be new for years.
    Days and moments of any time zone; a number tells no time."""
    if kind not in _FORMATS:
        return None
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return Bound(kind, tomorrow.strftime(_WRITTEN[kind]))


def _start_of_overlap(newest: DataFrame, overlap: float) -> Bound | None:
    """`overlap` before the one value of the frame; None where that is null."""
    (column,) = newest.columns
    kind, value = _kind(newest, column), F.col(f"`{column}`")
    if kind == "date":
        start = F.date_sub(value, math.ceil(overlap))
    elif kind.startswith("timestamp"):
        start = value - F.make_dt_interval(secs=F.lit(overlap * _DAY_SECONDS))
    else:
        start = value.cast(_NUMBER) - F.lit(overlap).cast(_NUMBER)
    started = newest.select(start.cast(kind).alias(column))
    text = started.select(_as_text(started, column)).first()
    return None if text is None or text[0] is None else Bound(kind, text[0])


def _content_hash(frame: DataFrame) -> str:
    """An order-free hash of the rows, and their number."""
    row_hash = F.xxhash64(*[f"`{name}`" for name in frame.columns]).cast("decimal(38,0)")
    found = frame.agg(F.count(F.lit(1)), F.sum(row_hash)).first()
    return f"{found[0]}:{int(found[1] or 0) % 2**64:016x}" if found else "0:0"


def _has_order(kind: DataType) -> bool:
    return isinstance(kind, NumericType | DateType | TimestampNTZType | TimestampType)


def _kind(frame: DataFrame, column: str) -> str:
    kind = frame.schema[column].dataType
    return _NUMBER if isinstance(kind, NumericType) else kind.simpleString()


def _as_text(frame: DataFrame, column: str) -> Column:
    """The value of a bound as both sides write it; instants in UTC, which sessions are in."""
    kind, value = _kind(frame, column), F.col(f"`{column}`")
    return F.date_format(value, _FORMATS[kind]) if kind in _FORMATS else value.cast(kind).cast("string")
