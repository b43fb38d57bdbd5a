"""The section of a configuration that says where transactions come from, and how they read as the canonical ones."""

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime
from itertools import chain, count
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from shelfcast.settings.database import Database, Selection
from shelfcast.settings.encodings import known_encoding
from shelfcast.settings.sections import PlainName, Section

_BASES = ("from", "value", "sql")
# What some formats alone are told.
_TOLD = {
    "delimiter": ("csv",),
    "encoding": ("csv", "json"),
    "sheet": ("excel",),
    "dated": ("csv", "json", "parquet", "excel"),
}


_SUPPLY = {"purchases", "invoices", "opening_stock", "closing_stock"}
# A Delta table's columns have none of these in their names.
_MARKS = re.compile(r"[^\w]+")


class MappedColumn(Section):
    """What a canonical column is made of: a received column (`from`), a constant (`value`), or an expression of Spark's
    SQL over received columns (`sql`). A name alone is a received column.

    formats: of a date, the first that fits the whole text; plus_days: from the received day to the canonical one.
    nothing: texts that say that nothing is known. default: what then stands instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    received: str | None = Field(default=None, alias="from")
    value: str | float | date | None = None
    sql: str | None = None
    formats: tuple[str, ...] = ("yyyy-MM-dd",)
    plus_days: int = 0
    nothing: tuple[str, ...] = ()
    default: str | float | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_one_base(cls, given: Any) -> Any:
        if isinstance(given, dict) and len([base for base in _BASES if given.get(base) is not None]) != 1:
            raise ValueError("one of from, value and sql")
        return given


def _of_a_name(given: Any) -> Any:
    return {"from": given} if isinstance(given, str) else given


def _of_names(given: Any) -> Any:
    return dict.fromkeys(given, "string") if isinstance(given, list) else given


class MappedTable(Section):
    """One of a company's tables.

    files: the name of its file in `source.path`, or a pattern (*, ?) of several, where `source.files` does not name
    them; gzip packs those that end in .gz, bzip2 those in .bz2. dated: the form (yyyyMMdd, yyyy-MM-dd ...) of the day
    in a file's name on which it was delivered; else that is the newest day that a delivery tells of. select: what of
    `source.database`, where the format is jdbc. received: the names of its columns that are wanted or, where they have
    types, name -> type (Spark's); further ones are kept aside, those of a database left there. columns: canonical
    column -> what it is made of. delimiter, encoding: of text; decimal: the mark before fractions in numbers as text;
    sheet: of a workbook, the first where none is named.
    """

    files: str | None = None
    select: Selection | None = None
    format: Literal["csv", "json", "parquet", "delta", "excel", "jdbc"] = "csv"
    received: Annotated[dict[str, str], BeforeValidator(_of_names), Field(min_length=1)]
    columns: dict[str, Annotated[MappedColumn, BeforeValidator(_of_a_name)]]
    dated: str | None = None
    sheet: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(known_encoding)] = "utf-8"
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _ends_its_lines(self) -> "MappedTable":
        if self.format == "json" and self.encoding.startswith(("utf-16", "utf-32")):
            raise ValueError(
                f"format json in another encoding than {self.encoding}, in which Spark finds no line's end"
            )
        return self

    @model_validator(mode="after")
    def _says_where_from(self) -> "MappedTable":
        if self.format != "jdbc":
            if self.select is not None:
                raise ValueError("no select, which is of format jdbc")
            return self
        if self.files is not None or self.select is None:
            raise ValueError("select, and no files, with format jdbc")
        if unquotable := [name for name in self.received if '"' in name or "`" in name]:
            raise ValueError(f"received columns without quotes in their names, unlike {unquotable[0]}")
        if self.select.watermark is not None and self.select.watermark not in self.received:
            raise ValueError(f"the watermark {self.select.watermark} among the received columns")
        return self

    @model_validator(mode="after")
    def _tells_what_is_heeded(self) -> "MappedTable":
        for name, formats in _TOLD.items():
            if name in self.model_fields_set and self.format not in formats:
                raise ValueError(f"no {name}, which is of format {' or '.join(formats)}")
        return self


class Source(Section):
    """Where the transactions come from.

    path: the folder with the files; package://NAME/FOLDER is one of an installed Python package. tables: table -> how
    it is written and what it tells. files: table -> the name of its file in `path`, or a pattern (*, ?) of several;
    where it is given, of the tables in files those alone are read that it names. database: where the tables of format
    jdbc are. name: the company, for whom the raw tables are named; else the region. time_zone: that of the stores; a
    day is theirs.
    """

    kind: str
    name: PlainName | None = None
    path: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    tables: dict[str, MappedTable] = Field(default_factory=dict)
    persons: dict[str, Literal["drop", "hash"]] = Field(default_factory=dict)
    time_zone: str = "UTC"
    database: Database | None = None

    @property
    def patterns(self) -> dict[str, str]:
        """table -> the name of its files, or a pattern of several, of the tables that are read from files."""
        return self.files or {name: table.files for name, table in self.tables.items() if table.files is not None}

    @property
    def read_tables(self) -> dict[str, MappedTable]:
        """The tables that are read, from files or from the database."""
        return {name: table for name, table in self.tables.items() if name in self.patterns or table.select}

    @property
    def tells_of_supply(self) -> bool:
        """Whether it has purchases, invoices or stock, and with them vendors and prices."""
        return not _SUPPLY.isdisjoint(self.read_tables)

    @property
    def now(self) -> datetime:
        """In the stores' time."""
        return datetime.now(ZoneInfo(self.time_zone))

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("the name of a time zone, such as America/New_York")
        return name


def plain_name(column: str) -> str:
    """A received name as the lake's tables may have it: blanks and marks are no part of it there, and a raw table has a
    `region` of its own, as it has names that begin with `_`.

    >>> plain_name("Weekly Sales ($)"), plain_name("Region"), plain_name("# Units")
    ('Weekly_Sales_', 'received_Region', 'received__Units')
    """
    plain = _MARKS.sub("_", column)
    return f"received_{plain}" if plain.startswith("_") or plain.casefold() == "region" else plain


def plain_names(columns: Iterable[str], received: Collection[str]) -> dict[str, str]:
    """Column as it came -> its name in the lake's tables. Those of `received` have their plain ones to themselves; any
    other whose plain one is taken has a number.

    >>> plain_names(["Rabatt %", "Rabatt $"], ["Rabatt $"])
    {'Rabatt %': 'Rabatt_2', 'Rabatt $': 'Rabatt_'}
    """
    names, taken = {}, {plain_name(column).casefold() for column in received}
    for column in columns:
        plain = plain_name(column)
        names[column] = plain if column in received else _free_name(plain, taken)
        taken.add(names[column].casefold())
    return names


def _free_name(plain: str, taken: Collection[str]) -> str:
    numbered = (f"{plain.rstrip('_')}_{number}" for number in count(2))
    return next(name for name in chain([plain], numbered) if name.casefold() not in taken)
