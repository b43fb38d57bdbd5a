"""Where transactions come from: small modules behind one interface."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.sources.complete_journey import CompleteJourney
from shelfcast.table import Table


class Source(Protocol):
    """Tables as received, and how they read as the canonical ones."""

    @property
    def raw(self) -> Mapping[str, Table]:
        """The raw tables, by the name of the canonical table that each becomes: sales, products, promotions."""

    def files(self, name: str) -> list[str]:
        """The files of one table. Raises SourceError where they are not there."""

    def read(self, spark: SparkSession, name: str) -> Sequence[DataFrame]:
        """One table as received, in parts that are read beside one another."""

    def canonical(self, name: str, raw: DataFrame) -> DataFrame:
        """The columns of the canonical table, as far as the source has them, and `_raw`: the received row whole."""


_SOURCES: dict[str, type[CompleteJourney]] = {"complete_journey": CompleteJourney}


def open_source(config: Config) -> Source:
    """The source that the configuration names. Raises ConfigError for an unknown kind."""
    kind = config.source.kind
    if kind not in _SOURCES:
        raise ConfigError(f"source.kind: found {kind!r}, wanted one of {', '.join(sorted(_SOURCES))}")
    return _SOURCES[kind](config)
