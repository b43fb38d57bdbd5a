"""What a plan knows of each series: its forecast, weekdays, class and supply, a row a series."""

from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.availability.stores import marked, with_known_weeks
from shelfcast.inventory.classes import Borders
from shelfcast.inventory.classing import abc_class, share_before, xyz_class
from shelfcast.inventory.tables import ALL_STORES

_PAIR = ("store_id", "product_id")
_VALUE_WEEKS = 52
WEEKDAYS = range(1, 8)


def as_series(forecasts: DataFrame) -> DataFrame:
    """store_id, product_id, category_id; means: units a week, an entry a step. forecasts: forecasts/demand of one
    date."""
    products = forecasts.where(F.col("level") == "product")
    steps = F.sort_array(F.collect_list(F.struct("step", "mean")))
    grouped = products.groupBy("store_id", F.col("item_id").alias("product_id"), "category_id")
    return grouped.agg(steps.alias("steps")).select(*_PAIR, "category_id", F.col("steps.mean").alias("means"))


def with_weekdays(series: DataFrame, daily: DataFrame, prior: float) -> DataFrame:
    """Adds `profile`, what Monday to Sunday have of a week's demand, as shares.

    A series' own shares are shrunk to its store's by `prior` units, and these evenly by as many. daily: product rows of
    demand/daily.
    """
    units = [F.sum(F.when(F.weekday("day") + 1 == day, F.col("quantity")).otherwise(0.0)) for day in WEEKDAYS]
    own = daily.groupBy("store_id", F.col("item_id").alias("product_id")).agg(F.array(*units).alias("own"))
    stores = daily.groupBy("store_id").agg(F.array(*units).alias("all"))
    joined = series.join(own, [*_PAIR], how="left").join(F.broadcast(stores), "store_id", how="left")
    even = F.array(*[F.lit(1 / 7) for _ in WEEKDAYS])
    of_store = joined.withColumn("all", _shrunk(F.col("all"), even, prior))
    return of_store.withColumn("profile", _shrunk(F.col("own"), F.col("all"), prior)).drop("own", "all")


def _shrunk(units: Column, shares: Column, prior: float) -> Column:
    total = F.aggregate(units, F.lit(0.0), lambda one, other: one + other)
    shrunk = F.zip_with(units, shares, lambda own, share: (own + prior * share) / (total + prior))
    return F.coalesce(shrunk, shares)


def with_class(
    series: DataFrame, weekly: DataFrame, last_week: date, borders: Borders, unknown: DataFrame
) -> DataFrame:
    """Adds `class`, ABC by revenue within the store and XYZ by the coefficient of variation of weekly units, over the
    last year's weeks since the series first sold, as far as they are known; CZ where it did not sell. weekly: product
    rows of demand/weekly; unknown: store_id, week."""
    first = last_week - timedelta(weeks=_VALUE_WEEKS - 1)
    rows = weekly.where(F.col("week").between(F.lit(first), F.lit(last_week)))
    units = F.when(F.col("is_known"), F.col("quantity"))
    sums = {"value": F.sum("revenue"), "units": F.sum(units), "squares": F.sum(units**2), "first": F.min("week")}
    sold = (
        marked(rows, unknown)
        .groupBy("store_id", F.col("item_id").alias("product_id"))
        .agg(*[found.alias(name) for name, found in sums.items()])
    )
    sold = with_known_weeks(sold, F.col("first"), last_week, unknown).withColumn("variation", _variation())
    abc = abc_class(share_before("value", "product_id", "store_id"), F.col("value"), borders)
    xyz = xyz_class(F.col("variation"), borders)
    classes = sold.select(*_PAIR, F.concat(abc, xyz).alias("class"))
    return series.join(classes, [*_PAIR], how="left").withColumn("class", F.coalesce("class", F.lit("CZ")))


def _variation() -> Column:
    """Null where a series was out of stock in all of its weeks, or none of them is known."""
    mean, mean_square = (F.try_divide(name, "known_weeks") for name in ("units", "squares"))
    return F.try_divide(F.sqrt(F.greatest(mean_square - mean**2, F.lit(0.0))), mean)


def with_unknown(series: DataFrame, unknown: DataFrame) -> DataFrame:
    """Adds `unknown`, an array of the store's weeks of which nothing is known; null where there is none. unknown:
    store_id, week."""
    of_store = unknown.groupBy("store_id").agg(F.collect_list("week").alias("unknown"))
    return series.join(F.broadcast(of_store), "store_id", how="left")


def with_recent(series: DataFrame, weekly: DataFrame, last_week: date, weeks: int) -> DataFrame:
    """Adds `recent`, an array of (ago, quantity): the weeks that sold among the last so many, ago from 0, the last one;
    null where none did. weekly: product rows of demand/weekly."""
    first = last_week - timedelta(weeks=weeks - 1)
    rows = weekly.where(F.col("week").between(F.lit(first), F.lit(last_week)))
    ago = (F.datediff(F.lit(last_week), "week") / 7).cast("int").alias("ago")
    sold = rows.groupBy("store_id", F.col("item_id").alias("product_id"))
    recent = sold.agg(F.collect_list(F.struct(ago, "quantity")).alias("recent"))
    return series.join(recent, [*_PAIR], how="left")


def with_costs(series: DataFrame, costs: DataFrame) -> DataFrame:
    """Adds vendor_id, unit_cost (purchase price + freight, money), price, pack; null where not known."""
    named = costs.select("product_id", "vendor_id", (F.col("purchase_price") + F.col("freight")).alias("unit_cost"),
                         "price", "pack")  # fmt: skip
    return series.join(F.broadcast(named), "product_id", how="left")


def with_lead_times(series: DataFrame, leads: DataFrame, assumed_days: int) -> DataFrame:
    """Adds lead_days and lead_chances (cumulative): of vendor and store, else of the vendor, else `assumed_days`."""
    of_store = leads.where(F.col("store_id") != ALL_STORES)
    own = of_store.select("vendor_id", "store_id", F.col("days").alias("own_days"), F.col("chances").alias("own"))
    whole = leads.where(F.col("store_id") == ALL_STORES)
    shared = whole.select("vendor_id", F.col("days").alias("all_days"), F.col("chances").alias("all"))
    joined = series.join(F.broadcast(own), ["vendor_id", "store_id"], how="left")
    joined = joined.join(F.broadcast(shared), "vendor_id", how="left")
    days = F.coalesce("own_days", "all_days", F.array(F.lit(assumed_days)))
    chances = F.coalesce("own", "all", F.array(F.lit(1.0)))
    return joined.withColumns({"lead_days": days, "lead_chances": chances}).drop("own_days", "own", "all_days", "all")


def ended(series: DataFrame, planned: DataFrame) -> DataFrame:
    """store_id, product_id of series that have ended and are not planned. series: demand/series; planned: rows of
    inventory/policies."""
    products = series.where("level = 'product' and state = 'ended'")
    return products.select("store_id", F.col("item_id").alias("product_id")).join(planned, [*_PAIR], how="anti")


def with_surplus(stocked: DataFrame) -> DataFrame:
    """Adds `surplus`, all that is on hand and not promised: nobody asks for it any more. stocked: of `with_stock`."""
    left = F.greatest(F.col("on_hand") - F.col("promised"), F.lit(0.0))
    return stocked.withColumn("surplus", F.floor(left).cast("double"))


def with_stock(series: DataFrame, on_hand: DataFrame, open_orders: DataFrame, open_transfers: DataFrame) -> DataFrame:
    """Adds on_hand, on_order (what is to come) and promised (to other stores), units; in a store that was counted, what
    no count or receipt names is not there, and in others on_hand is not known. What sold beyond the books came by a
    transfer, of which they know nothing before a count: so much of it is to come no more."""
    taken = open_transfers.where("taken").select(F.col("to_store").alias("store_id"), "product_id", "quantity")
    given = open_transfers.where("given").select(F.col("from_store").alias("store_id"), "product_id", "quantity")
    counted = on_hand.select("store_id").distinct().withColumn("is_counted", F.lit(True))
    parts = [
        (on_hand.select(*_PAIR, "on_hand", "balance"), [*_PAIR]),
        (open_orders.groupBy(*_PAIR).agg(F.sum("quantity").alias("ordered")), [*_PAIR]),
        (taken.groupBy(*_PAIR).agg(F.sum("quantity").alias("taken")), [*_PAIR]),
        (given.groupBy(*_PAIR).agg(F.sum("quantity").alias("promised")), [*_PAIR]),
        (F.broadcast(counted), ["store_id"]),
    ]
    joined = reduce(lambda left, part: left.join(part[0], part[1], how="left"), parts, series)
    there = F.when(F.col("is_counted"), F.coalesce("on_hand", F.lit(0.0)))
    ordered, taken_over, balance, promised = (
        F.coalesce(name, F.lit(0.0)) for name in ("ordered", "taken", "balance", "promised")
    )
    to_come = ordered + F.greatest(taken_over + F.least(balance, F.lit(0.0)), F.lit(0.0))
    stocked = joined.withColumns({"on_hand": there, "on_order": to_come, "promised": promised})
    return stocked.drop("is_counted", "balance", "ordered", "taken")
