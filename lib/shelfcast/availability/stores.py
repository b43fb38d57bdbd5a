"""Days on which a whole store sold nothing: it was closed, or its file did not come."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.availability.absence import Rules
from shelfcast.availability.tables import CLOSED, NOT_DELIVERED

# A store's dispersion where its selling days vary no more than chance: nearly Poisson.
_MOST_DISPERSION = 1000.0


def silent_spells(daily: DataFrame, received: DataFrame, last: date, rules: Rules) -> DataFrame:
    """The runs of days, from a store's first sale to `last`, on which it sold nothing and hardly by chance: store_id,
    first_day, last_day, state, probability.

    daily: rows of store_id, day; how many a day has says how busy it was. received: store_id, day: who takes goods in
    is not closed, and sales are missing. A store that has sold nothing for longer than `rules.delisted_days`, up to
    `last`, is gone: there is no demand that would be hidden.

    A day's number of rows is negative binomial, k = mean^2 / (variance - mean).
    """
    days = daily.where(F.col("day") <= F.lit(last)).groupBy("store_id", "day").agg(F.count(F.lit(1)).alias("rows"))
    mean, variance = F.avg("rows"), F.coalesce(F.var_samp("rows"), F.lit(0.0))
    k = F.when(variance > mean, mean * mean / (variance - mean)).otherwise(_MOST_DISPERSION)
    none = -F.least(k, F.lit(_MOST_DISPERSION)) * F.log1p(mean / F.least(k, F.lit(_MOST_DISPERSION)))
    busy = days.groupBy("store_id").agg(none.alias("log_none"))
    runs = _runs(days, last).join(F.broadcast(busy), "store_id")
    length = F.datediff("last_day", "first_day") + 1
    chance = F.exp(F.greatest(F.col("log_none") * length, F.lit(-700.0)))
    absent = rules.absent_share / (rules.absent_share + (1 - rules.absent_share) * chance)
    found = runs.withColumn("probability", absent).where(F.col("probability") >= rules.min_probability)
    is_gone = (F.col("state") == CLOSED) & (F.col("last_day") == F.lit(last)) & (length > rules.delisted_days)
    return _with_state(found, received).where(~is_gone)


def _runs(days: DataFrame, last: date) -> DataFrame:
    in_order = Window.partitionBy("store_id").orderBy("day")
    following = F.coalesce(F.lead("day").over(in_order), F.date_add(F.lit(last), 1))
    runs = days.select("store_id", F.date_add("day", 1).alias("first_day"), F.date_sub(following, 1).alias("last_day"))
    return runs.where("first_day <= last_day")


def _with_state(runs: DataFrame, received: DataFrame) -> DataFrame:
    came = received.select("store_id", "day").distinct()
    working = runs.join(came, "store_id").where(F.col("day").between(F.col("first_day"), F.col("last_day")))
    working = working.select("store_id", "first_day").distinct().withColumn("took_in", F.lit(True))
    joined = runs.join(working, ["store_id", "first_day"], how="left")
    state = F.when(F.col("took_in"), NOT_DELIVERED).otherwise(CLOSED)
    return joined.select("store_id", "first_day", "last_day", state.alias("state"), "probability")


def unknown_weeks(availability: DataFrame) -> DataFrame:
    """store_id, week: the weeks of a store that tell nothing: closed on all their days, or a day's file is missing."""
    spells = availability.where(F.col("item_id").isNull() & F.col("state").isin(CLOSED, NOT_DELIVERED))
    days = spells.select("store_id", "state", each_day().alias("day"))
    week = F.date_trunc("week", "day").cast("date").alias("week")
    grouped = days.groupBy("store_id", week).agg(
        F.count_distinct("day").alias("days"), F.count_if(F.col("state") == NOT_DELIVERED).alias("missing")
    )
    return grouped.where("missing > 0 or days = 7").select("store_id", "week")


def marked(rows: DataFrame, unknown: DataFrame) -> DataFrame:
    """Adds `is_known`, whether anything is known of the store's week. rows: store_id, week; unknown: of
    `unknown_weeks`."""
    named = unknown.withColumn("_unknown", F.lit(True))
    joined = rows.join(F.broadcast(named), ["store_id", "week"], how="left")
    return joined.withColumn("is_known", F.col("_unknown").isNull()).drop("_unknown")


def with_known_weeks(rows: DataFrame, first: Column, last: date, unknown: DataFrame) -> DataFrame:
    """Adds `known_weeks`, how many of the store's weeks from `first` to `last` are known. rows: store_id."""
    of_store = unknown.groupBy("store_id").agg(F.collect_set("week").alias("_unknown"))
    joined = rows.join(F.broadcast(of_store), "store_id", how="left")
    inside = F.filter("_unknown", lambda week: week.between(first, F.lit(last)))
    known = F.datediff(F.lit(last), first) / 7 + 1 - F.coalesce(F.size(inside), F.lit(0))
    return joined.withColumn("known_weeks", known).drop("_unknown")


def each_day() -> Column:
    """A row for each day of a spell."""
    return F.explode(F.sequence("first_day", "last_day"))
