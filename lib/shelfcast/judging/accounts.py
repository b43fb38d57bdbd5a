"""The account of a run: what became of the rows of each delivery, of each store's day, and of each source table."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.cleaning import account, fate, versions
from shelfcast.cleaning.account import COUNTS, DELIVERIES
from shelfcast.job import Run
from shelfcast.judging.judged import Judged
from shelfcast.judging.writing import Writer
from shelfcast.sources import open_source
from shelfcast.sources.ledger import FIRST, LEDGER

Tally = dict[str, Any]
_DAY = ("store_id", "day", "known_from", "known_until")


def write_days(run: Run, sales: Judged | None, writer: Writer) -> None:
    """What became of the sales of each store's day."""
    if sales is None:
        writer.leave(fate.DAY_COUNTS)
        return
    now = _tally_days(sales.now)
    if sales.then is not None:
        now = account.added(run.read(fate.DAY_COUNTS), now, _tally_days(sales.then), _DAY)
    writer.replace(fate.DAY_COUNTS, now)


def _tally_days(sales: DataFrame) -> DataFrame:
    if versions.KNOWN in sales.columns:
        # Refused rows of a file that came again were refused until then.
        judged = sales.withColumn(
            "_fate", F.when(fate.is_refused(versions.ALONE), F.col(versions.ALONE)).otherwise(F.col("_fate"))
        )
        return fate.tally_by_day(judged, F.col(versions.KNOWN), F.col(versions.ENDED))
    return fate.tally_by_day(sales, F.col("known_from"), F.lit(None).cast("date"))


def tally_deliveries(run: Run, judged: Mapping[str, Judged]) -> dict[str, list[Tally]]:
    """What became of the rows of each delivery that is judged, by source table."""
    return {name: _tally_deliveries(run, name, each) for name, each in judged.items()}


def write_deliveries(run: Run, tallies: Mapping[str, Sequence[Tally]], writer: Writer) -> None:
    ledger = (
        run.read(LEDGER)
        .groupBy("source_table", "delivery")
        .agg(F.first("batch_id").alias("batch_id"), F.max("delivered_on").alias("delivered_on"))
    )
    columns = "source_table string, delivery bigint, told_until date, " + ", ".join(f"{name} bigint" for name in COUNTS)
    rows = [
        (name, row["delivery"], row["told_until"], *[row[count] for count in COUNTS])
        for name, found in tallies.items()
        for row in found
    ]
    told = run.spark.createDataFrame(rows, columns).join(ledger, ["source_table", "delivery"], how="left")
    until = F.coalesce("delivered_on", "told_until")
    writer.put(DELIVERIES, told.withColumn("told_until", until), key=("source_table", "delivery"))


def write_totals(
    run: Run, judged: Mapping[str, Judged], tallies: Mapping[str, Sequence[Tally]], writer: Writer
) -> None:
    """The counts of each source table, which are printed too."""
    flagged = {"sales": run.read(schemas.SALES).where("is_outlier").count()}
    totals = {name: _sums(tallies[name]) for name in judged}
    if writer.is_further:
        # Those of a run of the same key, which was killed, are counted on already.
        is_counted = run.has_written(schemas.ROW_COUNTS)
        for counted in run.read(schemas.ROW_COUNTS).collect():
            name, before = counted["source_table"], counted.asDict()
            if is_counted or name not in judged:
                totals[name] = before
            elif (then := judged[name].then) is not None:
                totals[name] = _added(before, judged[name].now, then)
    found = [
        {"region": run.config.region, "source_table": name, **{count: row[count] for count in COUNTS},
         "flagged": flagged.get(name, 0)}
        for name, row in sorted(totals.items())
    ]  # fmt: skip
    writer.replace(schemas.ROW_COUNTS, run.spark.createDataFrame(found, schemas.ROW_COUNTS.schema))
    for row in found:
        run.say(account.told(row))


def _tally_deliveries(run: Run, name: str, judged: Judged) -> list[Tally]:
    """Twenty million promotions need no second look where as many were written as came, and none tells since when it
    was known."""
    if versions.DELIVERY in judged.new.columns:
        return [row.asDict() for row in account.tally_by_delivery(judged.new).collect()]
    if name == "promotions" and "known_from" not in run.config.source.read_tables[name].columns:
        received = run.read(open_source(run.config).raw[name]).count()
        if received == run.written[schemas.PROMOTIONS.name].rows:
            return [{"delivery": FIRST, "told_until": None, **fate.all_clean(received)}]
    (counted,) = account.tally_of_one(judged.new).collect()
    return [{"delivery": FIRST, **counted.asDict()}]


def _sums(tallies: Sequence[Tally]) -> Tally:
    return {count: sum(row[count] for row in tallies) for count in COUNTS}


def _added(before: Tally, now: DataFrame, then: DataFrame) -> Tally:
    """The counts with those of the rows that were judged again in the place of what they were."""
    is_now, was_then = (frame.agg(*fate.tally()).collect()[0] for frame in (now, then))
    return {count: before[count] + is_now[count] - was_then[count] for count in COUNTS}
