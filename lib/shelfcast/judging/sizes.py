"""How many rows deliveries have, beside what was promised and what is usual."""

from statistics import median
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.cleaning import versions
from shelfcast.cleaning.account import DELIVERIES
from shelfcast.job import Run
from shelfcast.judging.judged import deliveries_of
from shelfcast.settings.contracts import Volume
from shelfcast.sources import open_source
from shelfcast.sources.canonical import CONDITIONS, KNOWN_FROM

# The day that a row is of: a delivery of years is as usual as one of a day.
_DAY = {**KNOWN_FROM, "promotions": "valid_from", **dict.fromkeys(CONDITIONS, "day")}


class Size(NamedTuple):
    """How many rows of a delivery stand. usual: of the day that a row is of, in the mean over the rows, so that a few
    late ones of other days count for little; of a table without days, all."""

    batch_id: str
    rows: int
    usual: float


def unusual(run: Run, name: str, wanted: Volume) -> str:
    """What is wrong with the first delivery of those that no clean table has yet whose size is not as promised; ""
    where none is."""
    taken_in = _taken_in(run, name)
    before: list[float] = []
    for size in _sizes(run, name):
        if size.batch_id not in taken_in and (found := _beyond(name, size, before, wanted)):
            return found
        before.append(size.usual)
    return ""


def _beyond(name: str, size: Size, before: list[float], wanted: Volume) -> str:
    if found := _outside(size.rows, wanted.at_least or 0, wanted.at_most):
        return f"a delivery of {name} has {size.rows:,} rows; wanted {found}"
    usual = median(before) if before and wanted.of_usual else 0
    if wanted.of_usual and usual:
        low, high = (times * usual for times in wanted.of_usual)
        if found := _outside(size.usual, low, high):
            rows = "rows a day" if name in _DAY else "rows"
            return f"a delivery of {name} has {size.usual:,.0f} {rows}; wanted {found}"
    return ""


def _outside(rows: float, low: float, high: float | None) -> str:
    if low <= rows and (high is None or rows <= high):
        return ""
    return f"at least {low:,.0f}" + ("" if high is None else f" and at most {high:,.0f}")


def _taken_in(run: Run, name: str) -> set[str]:
    """The deliveries that a run has judged to its end."""
    if not run.lake.exists(DELIVERIES):
        return set()
    rows = run.read(DELIVERIES).where(F.col("source_table") == name).select("batch_id").collect()
    return {row.batch_id for row in rows}


def _sizes(run: Run, name: str) -> list[Size]:
    """The sizes of the deliveries whose files stand and are no copies, in order; a table of a database is one."""
    deliveries, source = deliveries_of(run, name), open_source(run.config)
    raw = run.read(source.raw[name])
    if deliveries.isEmpty():
        return [Size("", raw.count(), 0)]
    read = versions.of_standing_files(deliveries).where("copy_of is null").select(versions.DELIVERY, "batch_id")
    rows = versions.of_standing_files(versions.with_delivery(source.canonical(name, raw), deliveries))
    sizes = read.distinct().join(_count(name, rows), versions.DELIVERY, how="left").orderBy(versions.DELIVERY)
    found = sizes.select("batch_id", F.coalesce("rows", F.lit(0)), F.coalesce("usual", F.lit(0.0))).collect()
    return [Size(*row) for row in found]


def _count(name: str, rows: DataFrame) -> DataFrame:
    """DELIVERY, rows, usual."""
    day = F.col(_DAY[name]) if name in _DAY else F.lit(None)
    by_day = rows.groupBy(versions.DELIVERY, day.alias("_day")).agg(F.count(F.lit(1)).alias("rows"))
    counted = F.col("rows")
    return by_day.groupBy(versions.DELIVERY).agg(
        F.sum(counted).alias("rows"), (F.sum(counted * counted) / F.sum(counted)).alias("usual")
    )
