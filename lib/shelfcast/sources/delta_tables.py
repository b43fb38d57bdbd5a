"""Delta tables of others as received: whole, at their newest version."""

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast import storage
from shelfcast.errors import SourceError
from shelfcast.lake import read_version
from shelfcast.sources.files import Found, folder_of
from shelfcast.sources.raw import METADATA

# Of a version in a commit's name.
_DIGITS = 20


def find_tables(folder: str, pattern: str, what: str, is_needed: bool = True) -> list[Found]:
    """The tables in `folder` that `pattern` names, each known by its newest commit. Raises SourceError where there is
    none, unless none is needed."""
    place = folder_of(folder)
    commits = {path: _commits(path) for path in storage.find(place, pattern)}
    found = [Found(path, 0, 0, content=storage.content_hash(told[-1])) for path, told in commits.items() if told]
    if not found and is_needed:
        raise SourceError(f"{place.rstrip('/')}/{pattern}: not there; wanted the {what}, a Delta table")
    return found


def read_delta_tables(spark: SparkSession, tables: Sequence[str]) -> list[DataFrame]:
    """The rows of each table; they are of the table, and not of a file in it."""
    return [
        read_version(spark, table, int(Path(_commits(table)[-1]).name[:_DIGITS])).withColumn(
            METADATA, F.struct(F.lit(Path(table).name).alias("file_name"))
        )
        for table in tables
    ]


def _commits(table: str) -> list[str]:
    """The files of the commits, oldest first; none where there is no table."""
    return storage.find(f"{table}/_delta_log", "[0-9]*.json")
