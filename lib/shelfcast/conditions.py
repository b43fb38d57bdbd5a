"""Conditions: what goes on by day and place beside sales, such as local holidays, weather and campaigns."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.cleaning.versions import DELIVERY
from shelfcast.config import Condition
from shelfcast.panel import PLANNED, RECENT
from shelfcast.table import Table

CONDITIONS = Table(
    "clean/conditions",
    # Of all stores where `store_id` is null; from `day` to `until`, both in. Known since `known_from`, until its file
    # came again without it `known_until`.
    "region string, store_id string, day date, until date, name string, value double, known_from date, "
    "known_until date",
    key=("region", "store_id", "day", "name", "known_from"),
    checks={"ends_after_it_starts": "until >= day"},
)


def as_conditions(judged: Sequence[DataFrame]) -> DataFrame:
    """A row for each measure that rows of holidays, weather and campaigns tell. Of several of one place and day, known
    since one day, that counts which stands and came last, and of those of one delivery the largest. judged: with
    `measures`."""
    told = reduce(DataFrame.unionByName, map(_as_measures, judged))
    last = told.groupBy("store_id", "day", "name", "known_from").agg(F.max("_told").alias("_told"))
    return last.select("store_id", "day", "name", "known_from", "_told.value", "_told.until", "_told.known_until")


def _as_measures(judged: DataFrame) -> DataFrame:
    delivery = F.col(DELIVERY) if DELIVERY in judged.columns else F.lit(0)
    measures = judged.select("*", F.explode("measures").alias("name", "value")).where("value is not null")
    ends = F.col("known_until") if "known_until" in judged.columns else F.lit(None).cast("date")
    until = F.coalesce("until", "day").alias("until")
    told = F.struct(
        ends.isNull().alias("stands"), delivery.cast("bigint").alias("delivery"), "value", until,
        ends.alias("known_until"),
    )  # fmt: skip
    return measures.select("store_id", "day", "name", "known_from", told.alias("_told"))


def by_store(
    conditions: DataFrame, stores: DataFrame, first: date, last: date, told: Mapping[str, Condition]
) -> DataFrame:
    """store_id, conditions: feature -> its values, one a week from that of `first` to that of `last`.

    A week's value is the mean over its days, of which those that nothing is told of count as the condition's `absent`.
    conditions: those that are known, of which the newest version counts. first, last: Mondays. stores: store_id.
    """
    newest = F.max_by(F.struct("until", "value"), "known_from").alias("_newest")
    conditions = conditions.groupBy("store_id", "day", "name").agg(newest).select("*", "_newest.*").drop("_newest")
    everywhere = conditions.where("store_id is null").drop("store_id").crossJoin(stores.select("store_id").distinct())
    placed = conditions.where("store_id is not null").unionByName(everywhere)
    days = in_days(placed, first, last + timedelta(days=6))
    daily = days.groupBy("store_id", "name", "_day").agg(F.max("value").alias("value"))
    week = F.date_trunc("week", "_day").cast("date").alias("week")
    summed = daily.groupBy("store_id", "name", week).agg(F.sum("value").alias("sum"), F.count("value").alias("days"))
    parts = [_of_weeks(summed, name, condition, first, last) for name, condition in told.items()]
    features = stores.select("store_id").distinct()
    for part in parts:
        features = features.join(part, "store_id", how="left")
    pairs = [
        pair
        for name, condition in told.items()
        for pair in (F.lit(feature_of(name, condition)), F.coalesce(name, _nothing(condition, first, last)))
    ]
    return features.select("store_id", F.create_map(*pairs).alias("conditions"))


def in_days(placed: DataFrame, first: date, last: date) -> DataFrame:
    """A row for each day, from `first` to `last`, on which a condition holds. What goes on until further notice may end
    in the year 9999."""
    asked = placed.where((F.col("until") >= F.lit(first)) & (F.col("day") <= F.lit(last)))
    days = F.sequence(F.greatest("day", F.lit(first)), F.least("until", F.lit(last)))
    return asked.select("store_id", "name", "value", F.explode(days).alias("_day"))


def feature_of(name: str, condition: Condition) -> str:
    return f"{PLANNED if condition.known == 'ahead' else RECENT}{name}"


def join_conditions(panel: DataFrame, conditions: DataFrame | None) -> DataFrame:
    """Adds `conditions` to the first row of each series, which speaks for all of its weeks; null in the others."""
    if conditions is None:
        return panel.withColumn("conditions", F.lit(None).cast("map<string,array<double>>"))
    order = Window.partitionBy("store_id", "item_id").orderBy("week")
    place = F.row_number().over(order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    joined = panel.withColumn("_place", place).join(F.broadcast(conditions), "store_id", how="left")
    first = F.when(F.col("_place") == 1, F.col("conditions"))
    return joined.withColumn("conditions", first).drop("_place")


def _of_weeks(summed: DataFrame, name: str, condition: Condition, first: date, last: date) -> DataFrame:
    """store_id and, under the condition's name, the array of its weeks."""
    own = summed.where(F.col("name") == name)
    if condition.absent is None:
        value = F.col("sum") / F.col("days")
    else:
        value = (F.col("sum") + condition.absent * (7 - F.col("days"))) / 7
    known = own.groupBy("store_id").agg(F.map_from_entries(F.collect_list(F.struct("week", value))).alias("_weeks"))
    values = F.transform(
        _weeks(first, last), lambda each: F.coalesce(F.try_element_at("_weeks", each), _absent(condition))
    )
    return known.select("store_id", values.alias(name))


def _nothing(condition: Condition, first: date, last: date) -> Column:
    """The weeks of a store of which nothing is told."""
    return F.transform(_weeks(first, last), lambda _: _absent(condition))


def _absent(condition: Condition) -> Column:
    return F.lit(condition.absent).cast("double")


def _weeks(first: date, last: date) -> Column:
    return F.sequence(F.lit(first), F.lit(last), F.make_interval(weeks=F.lit(1)))
