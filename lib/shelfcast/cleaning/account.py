"""What became of the rows of each delivery, and of each store and day."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.cleaning import fate, versions
from shelfcast.table import Table

COUNTS = ("raw", "clean", "quarantined", "duplicates", "superseded", "blank")
DELIVERIES = Table(
    "clean/deliveries",
    # As judged when it was taken in, or when all was judged anew. told_until: the newest day that it tells of.
    "region string, source_table string, delivery bigint, batch_id string, told_until date, raw bigint, clean bigint, "
    "quarantined bigint, duplicates bigint, superseded bigint, blank bigint",
    key=("region", "source_table", "delivery"),
    checks={"counts_add_up": "raw = clean + quarantined + duplicates + superseded + blank"},
)


def tally_by_delivery(judged: DataFrame) -> DataFrame:
    """The tally of each delivery: delivery, told_until, COUNTS. judged: with the deliveries' days."""
    delivery = F.col(versions.DELIVERY).alias("delivery")
    return judged.groupBy(delivery).agg(_newest_known(judged), *fate.tally())


def tally_of_one(judged: DataFrame) -> DataFrame:
    """The tally of all rows, which came at once: told_until, COUNTS."""
    if "known_from" not in judged.columns:
        return judged.agg(F.lit(None).cast("date").alias("told_until"), *fate.tally())
    days = judged.groupBy("known_from").agg(*fate.tally())
    # As they were before those that tell of the same were told apart.
    told = versions.with_slips(days.withColumn("rows", F.expr("raw - quarantined - blank")))
    is_told = (F.col("rows") > 0) & ~F.col("_is_slip")
    newest = F.max(F.when(is_told, F.col("known_from"))).alias("told_until")
    return told.agg(newest, *[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in COUNTS])


def _newest_known(judged: DataFrame) -> Column:
    """The newest day that the rows tell of, null where none has a day."""
    if versions.TOLD_UNTIL in judged.columns:
        return F.max(versions.TOLD_UNTIL).alias("told_until")
    if "known_from" not in judged.columns:
        return F.lit(None).cast("date").alias("told_until")
    return F.max(F.when(F.col("_fate") == fate.CLEAN, F.col("known_from"))).alias("told_until")


def added(before: DataFrame, now: DataFrame, then: DataFrame, key: Sequence[str]) -> DataFrame:
    """Counts by `key` with those of `now` in the place of those of `then`: the same rows, judged again."""
    counts = [name for name in COUNTS if name in before.columns]
    less = then.select(*key, *[(-F.col(name)).alias(name) for name in counts])
    parts = before.select(*key, *counts).unionByName(now.select(*key, *counts)).unionByName(less)
    return parts.groupBy(*key).agg(*[F.sum(name).alias(name) for name in counts])


def told(counts: Mapping[str, int | str]) -> str:
    """The counts of one table as a sum that adds up."""
    return (
        "{source_table}: {raw:,} rows = {clean:,} clean + {quarantined:,} quarantined + {duplicates:,} duplicates "
        "+ {superseded:,} superseded + {blank:,} blank; {flagged:,} outliers capped".format(**counts)
    )
