"""Demand of past weeks at the levels of a forecast, and what its checks share."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.monitoring.alerts import CRITICAL, WARNING
from shelfcast.table import ALL

SERIES = ("level", "store_id", "item_id")
# Levels whose series are few enough to be told of one by one.
NAMED = ("store", "region")


def weekly_levels(weekly: DataFrame, until: date) -> DataFrame:
    """level, store_id, item_id, week, quantity before `until`: products and categories as in demand/weekly, stores and
    the region as sums of these."""
    known = weekly.where(F.col("week") < F.lit(until)).select(*SERIES, "week", "quantity")
    categories, everything = known.where("level = 'category'"), F.lit(ALL)
    sums = [
        categories.groupBy(
            F.lit(level).alias("level"), store.alias("store_id"), everything.alias("item_id"), "week"
        ).agg(F.sum("quantity").alias("quantity"))
        for level, store in (("store", F.col("store_id")), ("region", everything))
    ]
    return known.unionByName(sums[0]).unionByName(sums[1])


def _subject() -> Column:
    """The words for a series: "region", "store 7" or "store 7, item 12"."""
    named = F.concat(F.lit("store "), F.col("store_id"))
    item = F.concat(named, F.lit(", item "), F.col("item_id"))
    return F.when(F.col("level") == "region", "region").when(F.col("level") == "store", named).otherwise(item)


def findings(odd: DataFrame, check: str, series: DataFrame, outside_share: float) -> DataFrame:
    """FINDINGS of odd series: stores and the region each, of the other levels one where more than `outside_share` of
    the series are odd, with the one farthest out.

    odd: SERIES, found, wanted, said, is_critical. series: SERIES of all that were checked.
    """
    told = odd.withColumns(
        {"subject": _subject(), "times": F.abs(F.ln(F.greatest("found", F.lit(1e-9)) / F.col("wanted")))}
    )
    alone = told.where(F.col("level").isin(*NAMED)).withColumn("reason", F.concat("subject", F.lit(": "), "said"))
    counts = series.where(~F.col("level").isin(*NAMED)).groupBy("level").agg(F.count(F.lit(1)).alias("all"))
    worst = F.max_by(F.struct("subject", "said", "found", "wanted"), F.struct("times", "subject")).alias("worst")
    grouped = told.where(~F.col("level").isin(*NAMED)).groupBy("level").agg(F.count(F.lit(1)).alias("odd"), worst)
    many = grouped.join(counts, "level").where(F.col("odd") > outside_share * F.col("all"))
    example = F.format_string("%d of %d series, such as %s: %s", "odd", "all", "worst.subject", "worst.said")
    together = many.select(
        F.concat(F.lit("level "), "level").alias("subject"),
        (F.col("odd") / F.col("all")).alias("found"),
        F.lit(outside_share).alias("wanted"),
        F.lit(False).alias("is_critical"),
        F.concat(F.lit("level "), "level", F.lit(": "), example).alias("reason"),
    )
    names = ("subject", "found", "wanted", "is_critical", "reason")
    return _as_findings(alone.select(*names).unionByName(together), check)


def _as_findings(told: DataFrame, check: str) -> DataFrame:
    """FINDINGS from subject, found, wanted, is_critical and reason, about neither a store's day nor its sales."""
    severity = F.when(F.col("is_critical"), CRITICAL).otherwise(WARNING)
    return told.select(
        severity.alias("severity"),
        F.lit(check).alias("check"),
        F.concat(F.lit("forecast, "), "subject").alias("subject"),
        F.lit(None).cast("string").alias("store_id"),
        F.lit(None).cast("date").alias("day"),
        F.col("found").cast("double").alias("found"),
        F.col("wanted").cast("double").alias("wanted"),
        F.lit(False).alias("held"),
        F.concat(F.lit("forecast, "), "reason").alias("reason"),
    )
