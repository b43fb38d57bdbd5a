"""Any company: its tables as the configuration maps them, without a line of code."""

from collections.abc import Collection, Sequence
from functools import reduce
from operator import or_
from typing import Any

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, TimestampType

from shelfcast.cleaning.dates import parsed_date
from shelfcast.config import Config
from shelfcast.database.connection import Server
from shelfcast.errors import ConfigError
from shelfcast.settings.source import MappedColumn, MappedTable, Source, plain_name, plain_names
from shelfcast.sources import csv_files
from shelfcast.sources.canonical import CONDITIONS, KNOWN_FROM, REQUIRED, canonical_columns, require_keys
from shelfcast.sources.csv_files import MALFORMED, Form, name_in, number_in
from shelfcast.sources.delta_tables import find_tables, read_delta_tables
from shelfcast.sources.excel_files import read_excel
from shelfcast.sources.files import Found, find_files
from shelfcast.sources.json_files import read_json
from shelfcast.sources.parquet_files import read_parquet
from shelfcast.sources.raw import METADATA, raw_table, with_raw
from shelfcast.sources.selections import Selected
from shelfcast.table import Table

# What of a table's description makes other rows of the same files.
_READ_BY = {"format", "received", "delimiter", "encoding", "sheet", "decimal"}
_MOMENTS = {"opening_stock": "opening", "closing_stock": "closing"}


class Mapped:
    """The tables that `source.tables` describes, in the folder `source.path` and in `source.database`; raw ones are
    named for `source.name`."""

    def __init__(self, config: Config) -> None:
        self._source, self._first_day = config.source, config.cleaning.first_day
        require_keys(config.cleaning.keys)
        _require_places(config.source)
        self._folder, self._patterns = config.source.path or "", config.source.patterns
        tables = config.source.read_tables
        if "sales" not in tables:
            raise ConfigError(f"source.tables: found {', '.join(tables) or 'none'}; wanted sales among them")
        for name, table in tables.items():
            _require_columns(name, table, config.conditions if name in CONDITIONS else ())
        company = config.source.name or config.region
        self.raw: dict[str, Table] = {
            name: raw_table(f"{company}_{name}", _as_ddl(table), config.source.persons)
            for name, table in tables.items()
        }

    def found(self, name: str, is_needed: bool = True) -> list[Found]:
        place, table = (self._folder, self._patterns[name], name.replace("_", " "), is_needed), self._table(name)
        return find_tables(*place) if table.format == "delta" else find_files(*place, table.dated)

    def read_as(self, name: str) -> dict[str, Any]:
        told = self._table(name).model_dump(mode="json", include=_READ_BY)
        return {**told, "persons": self._source.persons}

    def read(
        self, spark: SparkSession, name: str, files: Sequence[str], spare: Collection[str] = ()
    ) -> Sequence[DataFrame]:
        received, persons = (*self._table(name).received, MALFORMED), self._source.persons
        parts = _read(spark, self._table(name), files, spare)
        return [_with_plain_names(frame, received, persons) for frame in parts]

    def selected(self, spark: SparkSession) -> dict[str, Selected]:
        """The tables that a database holds."""
        if self._source.database is None:
            return {}
        server = Server(spark, self._source.database)
        return {
            name: Selected(server, table.select, {each: plain_name(each) for each in table.received}, name)
            for name, table in self._source.tables.items()
            if table.select is not None
        }

    def refusals(self, name: str) -> dict[str, Column]:
        """What a row's form tells; and a day that is told and cannot be read, where a row may do without it."""
        table = self._table(name)
        names = [*table.received]
        of_form = csv_files.refusals([*map(plain_name, names)], names[0]) if table.format in ("csv", "excel") else {}
        if table.format == "json":
            of_form = {"malformed_row": F.col(f"_raw.{MALFORMED}").isNotNull()}
        unread = [self._is_unread(name, column) for column in self._spare_days(name)]
        return of_form | ({"unreadable_date": reduce(or_, unread)} if unread else {})

    def canonical(self, name: str, raw: DataFrame) -> DataFrame:
        columns = {column: self._column(name, column, kind, raw) for column, kind in canonical_columns(name).items()}
        if name in _MOMENTS:
            columns["moment"] = F.lit(_MOMENTS[name])
        if name in CONDITIONS:
            columns["measures"] = self._measures(name, raw)
        return with_raw(raw, columns)

    def _measures(self, name: str, raw: DataFrame) -> Column:
        told = [column for column in self._table(name).columns if column not in canonical_columns(name)]
        return F.create_map(*[part for each in told for part in (F.lit(each), self._column(name, each, "double", raw))])

    def _table(self, name: str) -> MappedTable:
        return self._source.tables[name]

    def _column(self, name: str, column: str, kind: str, raw: DataFrame) -> Column:
        mapped = self._table(name).columns.get(column)
        told = F.lit(None).cast(kind)
        if mapped is not None:
            told = self._read_as(kind, mapped, self._table(name), f"source.tables.{name}.columns.{column}", raw)
        if column != "known_from":
            return told
        # A row of which that is not told, as of one never changed, is known from its own day, and none before it.
        known = KNOWN_FROM.get(name)
        return F.greatest(told, F.lit(self._first_day) if known is None else self._column(name, known, kind, raw))

    def _read_as(self, kind: str, mapped: MappedColumn, table: MappedTable, place: str, raw: DataFrame) -> Column:
        if mapped.sql is not None:
            found = _checked(mapped.sql, raw, place).cast(kind)
        elif mapped.received is not None:
            found = self._received(kind, mapped, mapped.received, table, raw)
        else:
            found = F.lit(mapped.value).cast(kind)
        if kind == "date" and mapped.plus_days:
            found = F.date_add(found, mapped.plus_days)
        return found if mapped.default is None else F.coalesce(found, F.lit(mapped.default).cast(kind))

    def _received(self, kind: str, mapped: MappedColumn, received: str, table: MappedTable, raw: DataFrame) -> Column:
        column, held = F.col(plain_name(received)), raw.schema[plain_name(received)].dataType
        if isinstance(held, StringType):
            return _text_as(kind, mapped, plain_name(received), table)
        if isinstance(held, TimestampType) and kind == "date":
            # The file's instants: a sale on Sunday evening is one of that day where the store stands.
            return F.to_date(F.from_utc_timestamp(column, self._source.time_zone))
        return column.cast(kind)

    def _spare_days(self, name: str) -> list[str]:
        mapped, kinds = self._table(name).columns, canonical_columns(name)
        return [
            column
            for column, told in mapped.items()
            if kinds.get(column) == "date" and column not in REQUIRED[name] and told.received is not None
        ]

    def _is_unread(self, name: str, column: str) -> Column:
        mapped = self._table(name).columns[column]
        received = F.trim(F.col(f"_raw.{plain_name(str(mapped.received))}").cast("string"))
        return F.col(column).isNull() & ~received.isin("", *mapped.nothing)


def _require_places(source: Source) -> None:
    """Raise ConfigError where it is not said where a table's rows are, or where there are none to be had."""
    in_files = [name for name, table in source.tables.items() if table.select is None]
    if unknown := sorted({*source.files} - {*in_files}):
        raise ConfigError(f"source.files: no table {', '.join(unknown)}; wanted some of {', '.join(in_files)}")
    if unnamed := [name for name in in_files if not (source.files or name in source.patterns)]:
        raise ConfigError(f"source.tables.{unnamed[0]}.files: not given; wanted the name of its file, or a pattern")
    if source.path is None and in_files:
        raise ConfigError("source.path: not given; wanted the folder with the company's files")
    if source.database is None and len(in_files) < len(source.tables):
        raise ConfigError("source.database: not given; wanted the one that tables of format jdbc are in")


def _text_as(kind: str, mapped: MappedColumn, received: str, table: MappedTable) -> Column:
    """A received text as a canonical value; null where it is none."""
    if kind == "date":
        # A day in a cell of its own kind comes in one form, whatever those of days that were typed as text.
        forms = (*mapped.formats, "yyyy-MM-dd") if table.format == "excel" else mapped.formats
        found = parsed_date(F.col(received), tuple(dict.fromkeys(forms)))
    else:
        found = number_in(received, table.decimal) if kind == "double" else name_in(received)
    return F.when(~F.trim(F.col(received)).isin(*mapped.nothing), found) if mapped.nothing else found


def _checked(expression: str, raw: DataFrame, place: str) -> Column:
    """The expression. Raises ConfigError where Spark cannot read it, or it names what was not received."""
    try:
        found = F.expr(expression)
        raw.select(found)
    except (AnalysisException, ParseException) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{place}.sql: found {expression!r}, which Spark refuses: {reason}") from None
    return found


def _require_columns(name: str, table: MappedTable, measures: Collection[str]) -> None:
    """Raise ConfigError for a table or column that no forecast is made of, a needed one that is not mapped, and one
    that is made of what is not received."""
    if name not in REQUIRED:
        raise ConfigError(f"source.tables: no table {name}; wanted some of {', '.join(REQUIRED)}")
    known = [*canonical_columns(name), *measures]
    if unknown := [column for column in table.columns if column not in known]:
        raise ConfigError(f"source.tables.{name}.columns: no {', '.join(unknown)}; wanted some of {', '.join(known)}")
    if missing := [column for column in REQUIRED[name] if column not in table.columns]:
        raise ConfigError(f"source.tables.{name}.columns: no {', '.join(missing)}; wanted {', '.join(REQUIRED[name])}")
    sought = {mapped.received for mapped in table.columns.values() if mapped.received is not None}
    if absent := sorted(sought - {*table.received}):
        raise ConfigError(
            f"source.tables.{name}.columns: made of {', '.join(absent)}; wanted some of what is received: "
            f"{', '.join(table.received)}"
        )
    _require_names(name, table)


def _require_names(name: str, table: MappedTable) -> None:
    """Raise ConfigError where two received columns would be one in the lake."""
    if len({plain_name(column).casefold() for column in table.received}) < len(table.received):
        raise ConfigError(f"source.tables.{name}.received: two columns of one name among {', '.join(table.received)}")


def _with_plain_names(frame: DataFrame, received: Collection[str], persons: Collection[str]) -> DataFrame:
    """The frame with its columns' names in the lake, without those that have a number in the place of a person's name:
    they may be that person's."""
    of_persons = {plain_name(name).casefold() for name in persons}
    named = plain_names([column for column in frame.columns if column != METADATA], received)
    kept = [
        F.col(f"`{column}`").alias(name)
        for column, name in named.items()
        if name == plain_name(column) or plain_name(column).casefold() not in of_persons
    ]
    return frame.select(*kept, *[METADATA for column in frame.columns if column == METADATA])


def _read(spark: SparkSession, table: MappedTable, files: Sequence[str], spare: Collection[str]) -> Sequence[DataFrame]:
    needed = [column for column in table.received if column not in spare]
    if table.format == "parquet":
        return read_parquet(spark, files, table.received, spare)
    if table.format == "delta":
        # What a table lacks now it lacks in all of its rows, whenever they came.
        return read_delta_tables(spark, files, table.received)
    if table.format == "excel":
        return read_excel(spark, files, needed, table.sheet, table.decimal)
    if table.format == "json":
        return read_json(spark, files, _kept(table), table.encoding, spare)
    return csv_files.read_csv(spark, files, needed, Form(table.delimiter, table.encoding))


def _kept(table: MappedTable) -> dict[str, str]:
    """The received columns and their types, and where the files are text, what a row was whose form is none."""
    return table.received if table.format in ("parquet", "delta", "jdbc") else {**table.received, MALFORMED: "string"}


def _as_ddl(table: MappedTable) -> str:
    return ", ".join(f"{plain_name(name)} {kind}" for name, kind in _kept(table).items())
