"""Where transactions come from: small modules behind one interface."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame, SparkSession

from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.sources.files import Found
from shelfcast.sources.mapped import Mapped
from shelfcast.sources.selections import Selected
from shelfcast.table import Table


class Source(Protocol):
    """Tables as received, and how they read as the canonical ones."""

    @property
    def raw(self) -> Mapping[str, Table]:
        """The raw tables, by what each is of: sales, and what else the source has of products, promotions, purchases,
        invoices, opening_stock and closing_stock."""

    def found(self, name: str, is_needed: bool = True) -> list[Found]:
        """The files of one table that are there now. Raises SourceError where none is, unless none is needed."""

    def read_as(self, name: str) -> dict[str, Any]:
        """How one table's files are read, and into which columns: what makes other rows of the same files."""

    def read(
        self, spark: SparkSession, name: str, files: Sequence[str], spare: Collection[str] = ()
    ) -> Sequence[DataFrame]:
        """Files of one table as received, in parts that are read beside one another. spare: columns that a file may
        lack, and its part then."""

    def refusals(self, name: str) -> Mapping[str, Column]:
        """What refuses a row for its form alone, by the rule's name: conditions on the canonical frame's `_raw`."""

    def canonical(self, name: str, raw: DataFrame) -> DataFrame:
        """The columns of the canonical table, as far as the source has them, and `_raw`: the received row whole."""


_SOURCES: dict[str, Callable[[Config], Source]] = {"mapped": Mapped}


def open_source(config: Config) -> Source:
    """The source that the configuration names. Raises ConfigError for an unknown kind."""
    kind = config.source.kind
    if kind not in _SOURCES:
        raise ConfigError(f"source.kind: found {kind!r}, wanted one of {', '.join(sorted(_SOURCES))}")
    return _SOURCES[kind](config)


def selected_tables(spark: SparkSession, config: Config) -> dict[str, Selected]:
    """Those of the source's tables that a database holds, by what each is of."""
    source = open_source(config)
    return source.selected(spark) if isinstance(source, Mapped) else {}
