"""Raw tables: the source's columns as received, where they came from, and no person's number."""

import hmac
import sys
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Literal

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField

from shelfcast.errors import ConfigError, SchemaError
from shelfcast.settings.source import plain_name
from shelfcast.sources.csv_files import MALFORMED
from shelfcast.sources.person_key import person_key
from shelfcast.table import Table

# `_extra` holds the columns that the source's description does not know, as JSON: kept, and reported.
_ORIGIN = "_extra string, _source_file string, _batch_id string, _ingested_at timestamp"
# What Spark knows of a row's file; a reader that is not Spark's own tells it in a column of that name.
METADATA = "_metadata"
BATCH = "_batch_id"

# What stands for the text of a malformed row that may name a person.
_WITHHELD = "(withheld: source.persons)"

Persons = Mapping[str, Literal["drop", "hash"]]


def raw_table(name: str, columns: str, persons: Persons) -> Table:
    """The raw table of a source table with `columns` (Spark DDL); persons' columns are strings (hashed) or gone."""
    fields = []
    for item in Table(name, columns, key=()).schema:
        fate = _fate(item.name, persons)
        if fate != "drop":
            fields.append(StructField(item.name, StringType() if fate == "hash" else item.dataType))
    kept = ", ".join(f"`{item.name}` {item.dataType.simpleString()}" for item in fields)
    return Table(
        f"raw/{name}",
        f"region string, {kept}, {_ORIGIN}",
        key=(),
        # What came last is found by the name of its delivery.
        sought_by=(BATCH,),
        operational=("_source_file", BATCH, "_ingested_at"),
    )


def as_raw(
    frame: DataFrame, table: Table, region: str, persons: Persons, batch_id: str, spare: Collection[str] = ()
) -> DataFrame:
    """A received frame in the shape of its raw table, null in the columns of `spare` that it lacks.

    Raises SchemaError naming the column that is missing, or has another type than the source describes.
    """
    frame = _with_spare(without_persons(frame, persons), table, spare)
    wanted = {item.name: item.dataType for item in table.schema if item.name in _received(table)}
    found = dict(zip(frame.columns, (item.dataType for item in frame.schema), strict=True))
    for name, kind in wanted.items():
        if name not in found:
            raise SchemaError(f"{table.name}: no column {name} in the source; found {', '.join(found)}")
        if found[name] != kind:
            raise SchemaError(f"{table.name}: {name} is {found[name].simpleString()}, wanted {kind.simpleString()}")
    extra = unknown_columns(frame, table)
    return frame.select(
        F.lit(region).alias("region"),
        *wanted,
        (F.nullif(F.to_json(F.struct(*extra)), F.lit("{}")) if extra else F.lit(None).cast("string")).alias("_extra"),
        (F.col(f"{METADATA}.file_name") if METADATA in frame.columns else file_name()).alias("_source_file"),
        F.lit(batch_id).alias(BATCH),
        F.current_timestamp().alias("_ingested_at"),
    )


def _with_spare(frame: DataFrame, table: Table, spare: Collection[str]) -> DataFrame:
    lacking = [item for item in table.schema if item.name in spare and item.name not in frame.columns]
    return frame.withColumns({item.name: F.lit(None).cast(item.dataType) for item in lacking})


def file_name() -> Column:
    """The name of a row's file. Spark tells it as a part of an address, where a blank is %20."""
    return F.url_decode(F.replace(F.col(f"{METADATA}.file_name"), F.lit("+"), F.lit("%2B")))


def in_slices(frame: DataFrame) -> list[DataFrame]:
    """The rows of Parquet files in as many parts as there are cores for each file.

    A row group is read by one task alone, and a publisher's file may be one row group. Decoding is cheap beside what
    follows: each part decodes all rows and keeps its own. Files as many as cores are read beside one another anyway.
    """
    cores, of_file = frame.sparkSession.sparkContext.defaultParallelism, frame.groupBy(f"{METADATA}.file_path").count()
    ((files, longest),) = of_file.agg(F.count("*"), F.max("count")).take(1)
    slices = max(1, cores // max(1, files))
    if slices == 1:
        return [frame]
    # A row's place is that within its file.
    place, starts = F.col(f"{METADATA}.row_index"), [(longest or 0) * each // slices for each in range(slices)]
    return [frame.where((place >= first) & (place < last)) for first, last in pairwise([*starts, sys.maxsize])]


def with_raw(raw: DataFrame, canonical: Mapping[str, Column]) -> DataFrame:
    """The canonical columns, and the raw row whole beside them as `_raw`, for quarantine."""
    return raw.select(F.struct("*").alias("_raw"), *[column.alias(name) for name, column in canonical.items()])


def unknown_columns(frame: DataFrame, table: Table) -> list[str]:
    """The columns of a received frame that its raw table has no place for."""
    return [name for name in frame.columns if name not in (*_received(table), METADATA)]


def persons_in(frame: DataFrame, persons: Persons) -> set[str]:
    """The names of persons' columns that a received frame has, folded."""
    return {name.casefold() for name in frame.columns if _fate(name, persons)}


def without_strangers(frame: DataFrame, table: Table, persons: Persons, known: Collection[str]) -> DataFrame:
    """A received frame, of whose unknown columns it is kept that they had values where a person's column is lacking:
    one of them may be it by another name.

    known: persons' columns that the table's deliveries have had, folded.
    """
    if not lacking_persons(frame, persons, known):
        return frame
    frame = _without_malformed(frame) if MALFORMED in frame.columns else frame
    strangers = [name for name in unknown_columns(frame, table) if name != MALFORMED and not _fate(name, persons)]
    return frame.withColumns({name: F.when(F.col(f"`{name}`").isNotNull(), F.lit(_WITHHELD)) for name in strangers})


def lacking_persons(frame: DataFrame, persons: Persons, known: Collection[str]) -> list[str]:
    """Those of `known` that still name persons and that a received frame lacks."""
    return sorted(name for name in {*known} - persons_in(frame, persons) if _fate(name, persons))


def without_persons(frame: DataFrame, persons: Persons) -> DataFrame:
    """The frame without persons' numbers: the columns dropped, or replaced by a keyed hash. Of a malformed row it is
    kept that there was one: a number may stand in its text, and for a field that it lacks in any column."""
    if MALFORMED in frame.columns and any(_fate(column, persons) for column in frame.columns):
        frame = _without_malformed(frame)
    for column in frame.columns:
        fate = _fate(column, persons)
        if fate == "drop":
            frame = frame.drop(column)
        elif fate == "hash":
            frame = frame.withColumn(column, _hashed(F.col(column).cast("string")))
    return frame


def keyed_hashes(texts: pd.Series, key: bytes) -> pd.Series:
    """HMAC-SHA256 (RFC 2104) of each text, in hexadecimal; null stays null."""
    return texts.map(lambda text: hmac.digest(key, text.encode(), "sha256").hex(), na_action="ignore")


def require_columns_of_persons(persons: Persons, described: Iterable[Table], received: Iterable[DataFrame]) -> None:
    """Raise ConfigError unless each name of `persons` is a column that the source describes or that came.

    A name that is nowhere is a slip of the keys, and whom it meant would reach the lake. described: the raw tables
    before anything is dropped from them.
    """
    known = {name for table in described for name in _received(table)}
    known |= {name for frame in received for name in frame.columns}
    folded = {name.casefold() for name in known}
    unknown = [name for name in persons if _names_of(name).isdisjoint(folded)]
    if unknown:
        raise ConfigError(
            f"source.persons: no column {', '.join(unknown)} in the source; found {', '.join(sorted(known))}"
        )


def _without_malformed(frame: DataFrame) -> DataFrame:
    is_whole = F.col(MALFORMED).isNull()
    told = [column for column in frame.columns if column not in (MALFORMED, METADATA)]
    kept = {column: F.when(is_whole, F.col(f"`{column}`")) for column in told}
    return frame.withColumns({**kept, MALFORMED: F.when(~is_whole, F.lit(_WITHHELD))})


def _hashed(text: Column) -> Column:
    # The function holds the key: what stands in a plan is shown by Spark's page, event logs and errors.
    key = person_key()

    def person(texts: pd.Series) -> pd.Series:
        return keyed_hashes(texts, key)

    hashed: Column = F.pandas_udf(person, "string")(text)  # type: ignore[attr-defined]
    return hashed


def _fate(column: str, persons: Persons) -> Literal["drop", "hash"] | None:
    """What becomes of a column, which may be named as in the source's files or in the lake; Spark knows columns in any
    case, and so do we. Named twice, it is dropped."""
    return min((fate for name, fate in persons.items() if column.casefold() in _names_of(name)), default=None)


def _names_of(person: str) -> set[str]:
    return {person.casefold(), plain_name(person).casefold()}


def _received(table: Table) -> list[str]:
    """The columns of a raw table that come from the source, whose own `region`, where it has one, is another."""
    return [name for name in table.names if name != "region" and not name.startswith("_")]
