"""Delta tables of the lake: the only module that names delta-spark."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from delta import exceptions
from pyspark.sql import DataFrame, DataFrameWriter
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shelfcast.errors import LakeError, SchemaError, TransientError
from shelfcast.folder import Folder
from shelfcast.lake_version import mark_new
from shelfcast.properties import properties_of
from shelfcast.table import Table
from shelfcast.turns import turn

# Commits that rearrange files or add constraints, and change no row.
_UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "ADD CONSTRAINT", "CREATE TABLE", "SET TBLPROPERTIES", "FSCK")
_FIRST_CHECKSUM = ".00000000000000000000.json.crc"
# Commits of two writers that exclude each other; the classes have no base in common.
_CONFLICTS = (
    exceptions.ConcurrentAppendException,
    exceptions.ConcurrentDeleteDeleteException,
    exceptions.ConcurrentDeleteReadException,
    exceptions.ConcurrentTransactionException,
    exceptions.ConcurrentWriteException,
    exceptions.DeltaConcurrentModificationException,
    exceptions.MetadataChangedException,
    exceptions.ProtocolChangedException,
)


@dataclass(frozen=True)
class Commit:
    """A commit that changed rows of a table: its version, what the run noted in it, the rows that it put out, and when
    it was made."""

    version: int
    note: dict[str, Any]
    rows: int
    made_at: datetime

    @property
    def run_key(self) -> str:
        """The run that wrote it; a change made by hand counts as a run of its own."""
        return str(self.note.get("run_key", f"version {self.version}"))


class Lake(Folder):
    """The tables under one root. Reads and writes stay on the executors."""

    def path(self, table: Table | str) -> str:
        name = table if isinstance(table, str) else table.name
        return f"{self.root}/{name}"

    def exists(self, table: Table) -> bool:
        """Whether a commit has made the table: a run killed before its first leaves an empty log."""
        return bool(self._log(table))

    def read(self, table: Table, region: str, version: int | None = None) -> DataFrame:
        """The rows of `region`. Raises LakeError where no job has written the table yet."""
        if not self.exists(table):
            raise LakeError(f"table {table.name}: not in the lake {self.root}; wanted it written by an earlier job")
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return _with_gained(reader.load(self.path(table)), table).where(F.col("region") == region)

    def replace(self, table: Table, frame: DataFrame, scope: dict[str, str], note: dict[str, Any]) -> Commit:
        """Replace the rows of `scope` (region first) by `frame` in one commit that carries `note`, and return it.

        Raises SchemaError, naming the table and the columns, where the frame does not fit the table.
        """
        require_schema(frame, table)
        writer = frame.select(*table.names).write.format("delta")
        writer = writer.option("userMetadata", json.dumps({**note, "scope": scope}, sort_keys=True))
        # A lake of before may lack a column that the table has gained: what is there keeps null in it.
        writer = writer.option("mergeSchema", "true")
        if table.rows_per_file:
            writer = writer.option("maxRecordsPerFile", table.rows_per_file)
        if self.exists(table):
            held = " and ".join(f"{column} = '{value}'" for column, value in scope.items())
            writer = writer.mode("overwrite").option("replaceWhere", held)
            with turn(self, table), _alone(table):
                writer.save(self.path(table))
        else:
            # Nothing is there to be replaced, and Delta need not look for it.
            self._append(table, writer)
        return self._commit_of(table, note)

    def append(self, table: Table, frame: DataFrame, note: dict[str, Any] | None = None) -> None:
        """Append rows of telemetry: a run done twice leaves two rows. note: what the commit carries, its scope too."""
        require_schema(frame, table)
        writer = frame.select(*table.names).write.format("delta")
        self._append(table, writer.option("userMetadata", json.dumps(note, sort_keys=True)) if note else writer)

    def append_once(self, table: Table, frame: DataFrame, scope: dict[str, str], note: dict[str, Any]) -> Commit:
        """Append `frame` in a commit that carries `note`, unless the last one of `scope` tells of the same run and of
        the same versions read; and return the one or the other.

        Who goes back to an earlier run appends its rows anew: the commit that they follow is part of what Delta takes
        for the same append (its idempotent `txn`).
        """
        require_schema(frame, table)
        last = self.last_commit(table, scope)
        if last and (last.run_key, last.note.get("reads")) == (note["run_key"], note.get("reads")):
            return last
        writer = frame.select(*table.names).write.format("delta").option("mergeSchema", "true")
        writer = writer.option("txnAppId", f"{note['run_key']}/{table.name}/{last.version if last else 'first'}")
        writer = writer.option("userMetadata", json.dumps({**note, "scope": scope}, sort_keys=True))
        self._append(table, writer.option("txnVersion", 1))
        return self._commit_of(table, note)

    def last_commit(self, table: Table, scope: dict[str, str], until: int | None = None) -> Commit | None:
        """The newest commit that changed rows of `scope`, up to version `until`; None where the log knows of none."""
        return next((commit for commit in self._commits(table, until) if _touches(commit, scope)), None)

    def content_hash(self, table: Table, region: str) -> str:
        """An order-free hash of the business columns of a region's rows; floats count to 9 significant digits."""
        columns = [name for name in table.names if name not in table.operational]
        frame = self.read(table, region).select(*[_hashable(table.schema[name]) for name in columns])
        row_hash = F.xxhash64(*columns).cast("decimal(38,0)")
        found = frame.agg(F.count(F.lit(1)).alias("rows"), F.sum(row_hash).alias("sum")).first()
        return f"{found['rows']}:{int(found['sum'] or 0) % 2**64:016x}" if found else "0:0"

    def _commit_of(self, table: Table, note: dict[str, Any]) -> Commit:
        """The newest commit of the run that `note` tells of."""
        return next(commit for commit in self._commits(table) if commit.run_key == note["run_key"])

    def _log(self, table: Table) -> list[str]:
        """The files of the commits, oldest first."""
        return self.names(f"{table.name}/_delta_log/[0-9]*.json")

    def _commits(self, table: Table, until: int | None = None) -> Iterator[Commit]:
        """The commits that changed rows, newest first, each read as it is asked for: Delta's own history is a Spark
        job, and a job asks for that of many tables."""
        for name in reversed(self._log(table)):
            if until is not None and int(Path(name).stem) > until:
                continue
            info = _commit_info(self.read_text(f"{table.name}/_delta_log/{name}"))
            if info["operation"] not in _UPKEEP:
                yield _as_commit(int(Path(name).stem), info)

    def _append(self, table: Table, writer: DataFrameWriter) -> None:
        """Append, and make the table where it is not there by the same commit: a constraint added later would scan it.

        A log without a commit, which a run killed before its first leaves and CREATE TABLE takes for a table, is no
        hindrance.
        """
        writer, is_new = writer.mode("append"), not self.exists(table)
        if is_new:
            mark_new(self)
            # A checksum without its commit would keep Delta from writing that commit.
            self.remove(f"{table.name}/_delta_log/{_FIRST_CHECKSUM}")
            writer = writer.options(**properties_of(table)).partitionBy(*table.partitions)
        with turn(self, table), _alone(table):
            try:
                writer.save(self.path(table))
            except _CONFLICTS:
                if not is_new:
                    raise
                # Another region has made the table meanwhile.
                writer.save(self.path(table))


def _with_gained(frame: DataFrame, table: Table) -> DataFrame:
    """A table that was written last before it gained a column is null in it."""
    gained = [field for field in table.schema if field.name not in frame.columns]
    return frame.withColumns({field.name: F.lit(None).cast(field.dataType) for field in gained})


@contextmanager
def _alone(table: Table) -> Iterator[None]:
    """Commits of two runs that exclude each other are no fault of either: the later one may try again."""
    try:
        yield
    except _CONFLICTS as conflict:
        raise TransientError(
            f"table {table.name}: changed by another run at the same time; wanted none until the commit"
        ) from conflict


def require_schema(frame: DataFrame, table: Table) -> None:
    """Raise SchemaError unless `frame` has just the columns of `table`, in their types."""
    found = {field.name: field.dataType for field in frame.schema}
    wanted = {field.name: field.dataType for field in table.schema}
    problems = [f"no column {name}" for name in wanted if name not in found]
    problems += [f"unknown column {name}" for name in found if name not in wanted]
    problems += [
        f"{name} is {found[name].simpleString()}, wanted {wanted[name].simpleString()}"
        for name in wanted
        if name in found and found[name].simpleString() != wanted[name].simpleString()
    ]
    if problems:
        raise SchemaError(f"table {table.name}: {'; '.join(problems)}")


def require_columns(frame: DataFrame, columns: Iterable[str], what: str) -> None:
    """Raise SchemaError, naming `what` and the columns, unless the frame has all of them."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise SchemaError(f"{what}: no column {', '.join(missing)}; found {', '.join(frame.columns)}")


def _commit_info(commit: str) -> dict[str, Any]:
    """What a commit says of itself: one of its actions, a line of JSON each (Delta protocol, Commit Provenance)."""
    actions = (json.loads(line) for line in commit.splitlines())
    return next((action["commitInfo"] for action in actions if "commitInfo" in action), {"operation": ""})


def _as_commit(version: int, info: dict[str, Any]) -> Commit:
    note = json.loads(info.get("userMetadata", "{}"))
    made_at = datetime.fromtimestamp(info.get("timestamp", 0) / 1000, UTC)
    return Commit(version, note, int(info.get("operationMetrics", {}).get("numOutputRows", 0)), made_at)


def _touches(commit: Commit, scope: dict[str, str]) -> bool:
    """A commit without a note of its scope may have touched anything."""
    noted = commit.note.get("scope")
    return noted is None or all(noted.get(column, value) == value for column, value in scope.items())


def _hashable(field: T.StructField) -> Any:
    column = F.col(field.name)
    if isinstance(field.dataType, T.DoubleType | T.FloatType):
        return F.format_string("%.8e", column + 0.0).alias(field.name)
    if isinstance(field.dataType, T.MapType):
        return F.array_sort(F.map_entries(column)).alias(field.name)
    return column
