"""Totals instead of transactions: a CSV file with a row for what each department of each store sold in a day or week.

A total is the sale of a product that has the department's name, and there is no catalogue but what sold.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession

from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.sources.csv_files import find_files, read_csv, refusals, text_columns
from shelfcast.sources.raw import raw_table, with_raw
from shelfcast.table import Table


class Totals(ABC):
    """The file that the configuration names as `source.files.sales`, in the folder `source.path`."""

    kind: str
    publisher: str
    columns: str

    def __init__(self, config: Config) -> None:
        source = config.source
        if {*source.files} != {"sales"}:
            raise ConfigError(
                f"source.files: found {', '.join(sorted(source.files)) or 'none'}; wanted sales, the totals of "
                f"{self.publisher}, alone"
            )
        if source.path is None:
            raise ConfigError(f"source.path: not given; wanted the folder with the files of {self.publisher}")
        self._folder, self._pattern = source.path, source.files["sales"]
        self.raw: dict[str, Table] = {
            "sales": raw_table(f"{self.kind}_sales", text_columns(self.columns), source.persons)
        }

    def files(self, _: str) -> list[str]:
        return find_files(self._folder, self._pattern, f"sales of {self.publisher}")

    def read(self, spark: SparkSession, name: str) -> Sequence[DataFrame]:
        return read_csv(spark, self.files(name), self.columns.split())

    def refusals(self, _: str) -> dict[str, Column]:
        return refusals(self.columns.split())

    def canonical(self, _: str, raw: DataFrame) -> DataFrame:
        return with_raw(raw, self.sale())

    @abstractmethod
    def sale(self) -> dict[str, Column]:
        """The columns of the canonical sale that a row gives."""
