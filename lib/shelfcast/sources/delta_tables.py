"""Delta tables of others as received: whole, at their newest version."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast import storage
from shelfcast.errors import SourceError
from shelfcast.lake import read_version
from shelfcast.sources.files import Found, folder_of, of_marks
from shelfcast.sources.parquet_files import require_kinds
from shelfcast.sources.raw import METADATA

# Of a version in a commit's name.
_DIGITS = 20


def find_tables(folder: str, pattern: str, what: str, is_needed: bool = True) -> list[Found]:
    """The tables in `folder` that `pattern` names, each known by the newest commit that changed rows.

    Raises SourceError where there is none, unless none is needed.
    """
    place = folder_of(folder)
    commits = {path: _commits(path) for path in storage.find(place, of_marks(pattern))}
    found = [
        Found(path, 0, 0, content=storage.content_hash(_last_change(told))) for path, told in commits.items() if told
    ]
    if not found and is_needed:
        raise SourceError(f"{place.rstrip('/')}/{pattern}: not there; wanted the {what}, a Delta table")
    return found


def read_delta_tables(spark: SparkSession, tables: Sequence[str], wanted: Mapping[str, str]) -> list[DataFrame]:
    """The rows of each table; they are of the table, and not of a file in it. wanted: column -> its type.

    Raises SchemaError, naming the table, where a column is missing or of another type.
    """
    found = []
    for table in tables:
        rows = read_version(spark, table, int(Path(_commits(table)[-1]).name[:_DIGITS]))
        require_kinds(table, rows.schema, wanted)
        found.append(rows.withColumn(METADATA, F.struct(F.lit(Path(table).name).alias("file_name"))))
    return found


def _commits(table: str) -> list[str]:
    """The files of the commits, oldest first; none where there is no table."""
    return storage.find(f"{table}/_delta_log", f"{'[0-9]' * _DIGITS}.json")


def _last_change(commits: Sequence[str]) -> str:
    """The newest one that changed rows, and did not rearrange files alone; the newest where the log has let it go."""
    return next(filter(_changes_rows, reversed(commits)), commits[-1])


def _changes_rows(commit: str) -> bool:
    actions = [json.loads(line) for line in storage.read_bytes(commit).splitlines()]
    is_changed = any(action.get(kind, {}).get("dataChange") for action in actions for kind in ("add", "remove"))
    return is_changed or any("metaData" in action for action in actions)
