"""How clean tables take rows: all anew, or those of new deliveries beside what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import SchemaError
from shelfcast.job import Run
from shelfcast.table import Table


@dataclass(frozen=True)
class Writer:
    """Writes each table once a run, however often the run is killed and made again. is_further: beside what they
    hold."""

    run: Run
    is_further: bool

    def put(self, table: Table, frame: DataFrame, key: Sequence[str]) -> None:
        """The rows that are new: in the place of those of the same key and version, where rows have one."""
        shaped = in_shape(self.run, frame, table)
        if not self.is_further:
            self.run.write(table, shaped)
        elif key:
            self.run.merge(table, shaped, [*key, *[name for name in ("known_from",) if name in table.names]])
        else:
            self.run.append_once(table, shaped)

    def replace(self, table: Table, frame: DataFrame) -> None:
        """All rows. What is counted on from what the table holds is not counted on twice."""
        if not (self.is_further and self.run.has_written(table)):
            self.run.write(table, in_shape(self.run, frame, table))

    def leave(self, table: Table) -> None:
        """Nothing new, which its commit says."""
        self.run.append_once(table, self.run.spark.createDataFrame([], table.schema))


def in_shape(run: Run, frame: DataFrame, table: Table) -> DataFrame:
    """The table's columns in its types; a column that the source does not have is empty."""
    present = {*frame.columns}

    def column(name: str) -> Column:
        if name == "region":
            return F.lit(run.config.region).alias(name)
        found = F.col(name) if name in present else F.lit(None)
        return found.cast(table.schema[name].dataType).alias(name)

    missing = [name for name in table.key if name not in present and name != "region"]
    if missing:
        raise SchemaError(f"table {table.name}: the source gives no {', '.join(missing)}; wanted the key")
    return frame.select(*[column(name) for name in table.names])
