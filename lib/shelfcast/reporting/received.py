"""The queries behind the page's history of what was received: bounded, a row a delivery or a rule and run."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.cleaning.account import DELIVERIES
from shelfcast.judging.contracts import RESULTS
from shelfcast.reporting.queries import Read

RUNS = 10
_DELIVERIES = 30


def deliveries(read: Read) -> DataFrame | None:
    """The newest of each source table."""
    told = read(DELIVERIES)
    if told is None:
        return None
    newest = Window.partitionBy("source_table").orderBy(F.desc("delivery"))
    placed = told.withColumn("_place", F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, 0)))
    return placed.where(F.col("_place") <= _DELIVERIES).orderBy("source_table", F.desc("delivery"))


def contracts(read: Read) -> DataFrame | None:
    """What the last RUNS runs found of each rule."""
    found = read(RESULTS)
    if found is None:
        return None
    newest = Window.partitionBy("rule").orderBy(F.desc("checked_at"))
    aged = found.withColumn("age", F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, 0)))
    return aged.where(F.col("age") <= RUNS).orderBy("rule", "age")
