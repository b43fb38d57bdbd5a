"""Delta tables of the lake: the only module that names delta-spark."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from delta import exceptions
from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shelfcast.commits import TOLD, Commit, as_commit, last_of, noted
from shelfcast.errors import LakeError, SchemaError, TransientError
from shelfcast.folder import Folder
from shelfcast.lake_version import mark_new
from shelfcast.properties import properties_of
from shelfcast.session import settings
from shelfcast.table import Table, require_schema
from shelfcast.turns import turn
from shelfcast.writers import writer_of

# A merge knows no options: what its commit tells is a setting of the session, of one merge at a time.
_MERGING = Lock()
_FIRST = "00000000000000000000.json"
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


class Lake(Folder):
    """The tables under one root. Reads and writes stay on the executors."""

    def path(self, table: Table | str) -> str:
        name = table if isinstance(table, str) else table.name
        return f"{self.root}/{name}"

    def regions(self) -> list[str]:
        """Every region that has rows in the lake."""
        return sorted({name.removeprefix("region=") for name in self.names("*/*/region=*")})

    def exists(self, table: Table) -> bool:
        """Whether a commit has made the table: a run killed before its first leaves an empty log."""
        # A log of years is long. One of before may have let its first commits go.
        return self.has_file(f"{table.name}/_delta_log/{_FIRST}") or bool(self._log(table))

    def read(self, table: Table, region: str, version: int | None = None) -> DataFrame:
        """The rows of `region`. Raises LakeError where no job has written the table yet."""
        if not self.exists(table):
            raise LakeError(
                f"table {table.name}: not in the lake {self.root}; wanted it written by {writer_of(table.name)}"
            )
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
        writer = writer.option("userMetadata", noted(note, scope, self._commits(table)))
        # A lake of before may lack a column that the table has gained: what is there keeps null in it.
        writer = writer.option("mergeSchema", "true")
        if table.rows_per_file:
            writer = writer.option("maxRecordsPerFile", table.rows_per_file)
        if self.exists(table):
            held = " and ".join(f"{column} = '{value}'" for column, value in scope.items())
            writer = writer.mode("overwrite").option("replaceWhere", held)
            with turn(self, table.name), _alone(table), self._of_kept_types(table):
                writer.save(self.path(table))
        else:
            # Nothing is there to be replaced, and Delta need not look for it.
            self._append(table, writer)
        return self._commit_of(table, note)

    def append(self, table: Table, frame: DataFrame, note: dict[str, Any] | None = None) -> None:
        """Append rows of telemetry: a run done twice leaves two rows. note: what the commit carries, its scope too."""
        require_schema(frame, table)
        writer = frame.select(*table.names).write.format("delta").option("mergeSchema", "true")
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
        writer = writer.option("userMetadata", noted(note, scope, self._commits(table)))
        self._append(table, writer.option("txnVersion", 1))
        return self._commit_of(table, note)

    def merge(
        self, table: Table, frame: DataFrame, on: Sequence[str], scope: dict[str, str], note: dict[str, Any]
    ) -> Commit:
        """Update the rows of `scope` that `frame` has by the columns `on`, insert its others, in one commit that
        carries `note`, and return it.

        frame: one row each of `on`, of `scope` alone. Rows of a table with `known_from` are sought among those known as
        late as the frame's.
        """
        require_schema(frame, table)
        met = [f"t.{column} <=> s.{column}" for column in on]
        held = [f"t.{column} = '{value}'" for column, value in scope.items()]
        since = frame.agg(F.min("known_from")).first() if "known_from" in on else None
        if since and since[0]:
            held.append(f"t.known_from >= date'{since[0]}'")
        told = noted(note, scope, self._commits(table))
        with turn(self, table.name), _alone(table), _MERGING, settings(self.spark, {TOLD: told}):
            target = DeltaTable.forPath(self.spark, self.path(table)).alias("t")
            merge = target.merge(frame.select(*table.names).alias("s"), " and ".join([*held, *met]))
            merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
        return self._commit_of(table, note)

    def commit(self, table: Table, version: int) -> Commit:
        """The commit that made the version."""
        return as_commit(version, self.read_text(f"{table.name}/_delta_log/{version:020d}.json"))

    def last_commit(self, table: Table, scope: dict[str, str], until: int | None = None) -> Commit | None:
        """The newest commit that changed rows of `scope`, up to version `until`; None where the log knows of none."""
        return last_of(self._commits(table, until), scope)

    def content_hash(self, table: Table, region: str) -> str:
        """An order-free hash of the business columns of a region's rows; floats count to 9 significant digits."""
        columns = [name for name in table.names if name not in table.operational]
        frame = self.read(table, region).select(
            *[_hashable(F.col(name), table.schema[name].dataType).alias(name) for name in columns]
        )
        row_hash = F.xxhash64(*columns).cast("decimal(38,0)")
        found = frame.agg(F.count(F.lit(1)).alias("rows"), F.sum(row_hash).alias("sum")).first()
        return f"{found['rows']}:{int(found['sum'] or 0) % 2**64:016x}" if found else "0:0"

    def _commit_of(self, table: Table, note: dict[str, Any]) -> Commit:
        """The newest commit of the run that `note` tells of."""
        return next(commit for commit in self._commits(table) if commit.run_key == note["run_key"])

    @contextmanager
    def _of_kept_types(self, table: Table) -> Iterator[None]:
        """A table may gain columns; one that would change its type is named."""
        try:
            yield
        except AnalysisException as refused:
            held = self.spark.read.format("delta").load(self.path(table)).schema
            kinds = {field.name: field.dataType.simpleString() for field in held}
            wanted = {field.name: field.dataType.simpleString() for field in table.schema}
            changed = [name for name in wanted if kinds.get(name, wanted[name]) != wanted[name]]
            if not changed:
                raise
            told = "; ".join(f"{name} is {wanted[name]}, wanted {kinds[name]}" for name in changed)
            raise SchemaError(f"table {table.name}: {told}, as the lake holds it") from refused

    def _log(self, table: Table) -> list[str]:
        """The files of the commits, oldest first."""
        return self.names(f"{table.name}/_delta_log/[0-9]*.json")

    def _commits(self, table: Table, until: int | None = None) -> Iterator[Commit]:
        """The commits that changed rows, newest first, each read as it is asked for: Delta's own history is a Spark
        job, and a job asks for that of many tables."""
        for name in reversed(self._log(table)):
            if until is not None and int(Path(name).stem) > until:
                continue
            commit = as_commit(int(Path(name).stem), self.read_text(f"{table.name}/_delta_log/{name}"))
            if commit.changes_rows:
                yield commit

    def _append(self, table: Table, writer: DataFrameWriter) -> None:
        """Append, and make the table where it is not there by the same commit: a constraint added later would scan it.

        A log without a commit, which a run killed before its first leaves and CREATE TABLE takes for a table, is no
        hindrance.
        """
        writer, is_new = writer.mode("append"), not self.exists(table)
        if is_new:
            mark_new(self)
            # A checksum without its commit would keep Delta from writing that commit.
            self.remove(f"{table.name}/_delta_log/.{_FIRST}.crc")
            writer = writer.options(**properties_of(table)).partitionBy(*table.partitions)
        with turn(self, table.name), _alone(table), self._of_kept_types(table):
            try:
                writer.save(self.path(table))
            except _CONFLICTS:
                if not is_new:
                    raise
                # Another region has made the table meanwhile.
                writer.save(self.path(table))


def read_version(spark: SparkSession, path: str, version: int) -> DataFrame:
    """All rows of a Delta table, which need be none of the lake's."""
    return spark.read.format("delta").option("versionAsOf", version).load(path)


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


def _hashable(value: Column, kind: T.DataType) -> Column:
    """The value with floats of nine digits, however deep they lie, and the entries of maps in order."""
    if isinstance(kind, T.DoubleType | T.FloatType):
        return F.format_string("%.8e", value + 0.0)
    if isinstance(kind, T.ArrayType):
        element = kind.elementType
        return F.transform(value, lambda each: _hashable(each, element))
    if isinstance(kind, T.MapType):
        entry = T.StructType([T.StructField("key", kind.keyType), T.StructField("value", kind.valueType)])
        return F.array_sort(_hashable(F.map_entries(value), T.ArrayType(entry)))
    if isinstance(kind, T.StructType):
        parts = [_hashable(value[field.name], field.dataType).alias(field.name) for field in kind]
        return F.when(value.isNotNull(), F.struct(*parts))
    return value
