"""What people decided on suggested orders: approved, amended or rejected."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.errors import SchemaError

COLUMNS = ("order_id", "store_id", "vendor_id", "product_id", "need_by", "decision", "quantity", "decided_on")
DECISIONS = ("approved", "amended", "rejected")
# What a plan says of an order or a transfer: that it is to be decided on, or was refused lately.
SUGGESTED, REJECTED = "suggested", "rejected"
# Only a decision on a transfer names the store that gives.
GIVER = "from_store"
TOLD = "told"
_PAIR = ("store_id", "product_id")
# Between a need's name and the number of its second order, and of those after it.
_MARK = "-"


def order_id(region: Column, giver: Column | None = None) -> Column:
    """hash(region, store, vendor or giving store, product, need-by week): the same need has the same name on every
    day, until something of it is granted (`numbered`)."""
    parts = [F.coalesce(name, F.lit("")) for name in ("store_id", "vendor_id", "product_id")]
    given = [] if giver is None else [F.concat(F.lit("from "), giver)]
    told = F.concat_ws("|", region, *parts, *given, F.col("need_by").cast("string"))
    return F.substring(F.sha2(told, 256), 1, 16)


def numbered(orders: DataFrame, granted: DataFrame) -> DataFrame:
    """Orders or transfers, of whose need something has been granted already, under an order_id of their own, such as
    `9f86d081884c7d65-2`: what is decided on the rest takes no earlier decision's place, and a later word on any of them
    corrects that one alone. granted: rows of `granted`."""
    need = F.substring_index("order_id", _MARK, 1).alias("order_id")
    last = granted.groupBy(need).agg(F.max(_number(F.col("order_id"))).cast("bigint").alias("last"))
    named = F.concat_ws(_MARK, "order_id", (F.col("last") + 1).cast("string"))
    return orders.join(last, "order_id", how="left").withColumn("order_id", named).drop("last")


def _number(name: Column) -> Column:
    """Which order of its need an order_id names; null where it ends in no number."""
    return F.when(name.contains(_MARK), F.substring_index(name, _MARK, -1).try_cast("int")).otherwise(1)


def judged(rows: DataFrame, region: str, what: str) -> DataFrame:
    """The decisions in files of text, each with its `problem` or null. A row carries its order's store, vendor,
    product and week, so that its order_id can be checked; that of a transfer the giving store in `from_store`, which a
    file without transfers may lack; and what sorts rows by when they were told, `TOLD`.

    Raises SchemaError, naming `what` and the columns, for missing ones.
    """
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise SchemaError(f"{what}: no column {', '.join(missing)}; found {', '.join(rows.columns)}")
    rows = rows if GIVER in rows.columns else rows.withColumn(GIVER, F.lit(None))
    read = rows.select(
        *[F.trim(F.col(name).cast("string")).alias(name) for name in COLUMNS[:4]],
        F.nullif(F.trim(F.col(GIVER).cast("string")), F.lit("")).alias(GIVER),
        F.col("need_by").cast("string").try_cast("date").alias("need_by"),
        F.lower(F.trim("decision")).alias("decision"),
        F.col("quantity").cast("string").try_cast("double").alias("quantity"),
        F.col("decided_on").cast("string").try_cast("date").alias("decided_on"),
        TOLD,
    )
    return read.withColumn("problem", _problem(F.lit(region))).select(F.lit(region).alias("region"), "*")


def _problem(region: Column) -> Column:
    is_known = F.coalesce(F.col("decision").isin(*DECISIONS), F.lit(False))
    return (
        F.when(F.col("need_by").isNull() | F.col("decided_on").isNull(), "a date is missing or unreadable")
        .when(
            F.coalesce(~_is_named(F.col("order_id"), order_id(region, F.col(GIVER))), F.lit(True)),
            "order_id is not of this order",
        )
        .when(~is_known, "decision is none of approved, amended, rejected")
        .when(F.col("quantity").isNull() | (F.col("quantity") < 0), "quantity is missing or below 0")
    )


def _is_named(name: Column, need: Column) -> Column:
    return (F.substring_index(name, _MARK, 1) == need) & _number(name).isNotNull()


def merged(known: DataFrame, new: DataFrame) -> DataFrame:
    """All decisions, a row per order and day: that which was told last, of `new` rather than of `known`. new: rows of
    `judged`."""
    both = known.unionByName(new, allowMissingColumns=True)
    key = Window.partitionBy(
        "order_id", "decided_on", F.when(F.col("problem").isNotNull(), F.xxhash64(*COLUMNS, GIVER))
    )
    ranked = both.withColumn(
        "_rank", F.row_number().over(key.orderBy(F.desc_nulls_last(TOLD)).rowsBetween(Window.unboundedPreceding, 0))
    )
    return ranked.where("_rank = 1").drop(TOLD, "_rank")


def known_to_plan(decisions: DataFrame, as_of: date, *, is_past: bool) -> DataFrame:
    """The decisions that a plan of `as_of` knows. What is decided bears the day of the plan that it is on: one that is
    made again once a newer day is published, `is_past`, knows none of its own day, as it did when it was made."""
    return decisions.where(F.col("decided_on") < F.lit(as_of)) if is_past else decisions


def last_words(decisions: DataFrame, as_of: date) -> DataFrame:
    """The last decision on each order that was known on `as_of`."""
    known = decisions.where(F.col("problem").isNull() & (F.col("decided_on") <= F.lit(as_of)))
    newest = Window.partitionBy("order_id").orderBy(F.desc("decided_on"))
    ranked = known.withColumn("_rank", F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, 0)))
    return ranked.where("_rank = 1").drop("_rank", "problem")


def rejected(decisions: DataFrame, as_of: date, days: int) -> DataFrame:
    """store_id, product_id, from_store, rejected: the largest order or transfer in units that was refused in the last
    `days` days; from_store is null of orders."""
    since = F.lit(as_of - timedelta(days=days))
    recent = last_words(decisions, as_of).where((F.col("decision") == REJECTED) & (F.col("decided_on") > since))
    return recent.groupBy(*_PAIR, GIVER).agg(F.max("quantity").alias("rejected"))


def on_order(purchases: DataFrame, as_of: date, lapse_days: int) -> DataFrame:
    """What is bought and not received by `as_of`: store_id, product_id, source, reference, since, quantity (units).
    Orders of more than `lapse_days` ago will not come any more."""
    is_open = F.col("received_on").isNull() | (F.col("received_on") > F.lit(as_of))
    placed = F.col("ordered_on").between(F.lit(as_of - timedelta(days=lapse_days)), F.lit(as_of))
    lines = purchases.where(is_open & placed).groupBy(*_PAIR, F.col("po_number").alias("reference"))
    summed = lines.agg(F.min("ordered_on").alias("since"), F.sum("quantity").alias("quantity"))
    return summed.select(*_PAIR, F.lit("purchase").alias("source"), "reference", "since", "quantity")


def approved(decisions: DataFrame, purchases: DataFrame, as_of: date, lapse_days: int) -> DataFrame:
    """What is approved and not yet bought, as `on_order`: per series what was approved in the last `lapse_days` days,
    less what has been bought since the first of these approvals."""
    since = F.lit(as_of - timedelta(days=lapse_days))
    recent = granted(decisions, as_of, lapse_days).where(F.col(GIVER).isNull())
    wanted = recent.groupBy(*_PAIR).agg(
        F.min("decided_on").alias("since"),
        F.max_by("order_id", "decided_on").alias("reference"),
        F.sum("quantity").alias("approved"),
    )
    lines = purchases.where(F.col("ordered_on").between(since, F.lit(as_of)))
    bought = lines.select(*_PAIR, "ordered_on", F.col("quantity").alias("bought"))
    joined = wanted.join(bought, [*_PAIR], how="left")
    counted = F.sum(F.when(F.col("ordered_on") >= F.col("since"), F.col("bought")).otherwise(0.0))
    left = joined.groupBy(*_PAIR, "since", "reference", "approved").agg(counted.alias("bought"))
    rest = left.select(
        *_PAIR,
        F.lit("decision").alias("source"),
        "reference",
        "since",
        (F.col("approved") - F.col("bought")).alias("quantity"),
    )
    return rest.where("quantity > 0")


def approved_transfers(decisions: DataFrame, on_hand: DataFrame, as_of: date, lapse_days: int) -> DataFrame:
    """What is approved to move between stores and no count shows yet: product_id, from_store, to_store, reference,
    since, quantity (units).

    Nothing but a count tells that a transfer was made: it is open for either store until that has been counted since;
    for one that is never counted, `lapse_days` long. on_hand: rows of inventory/on_hand.
    """
    counts = on_hand.groupBy("store_id").agg(F.max("counted_on").alias("counted_on"))
    moves = _granted(decisions, as_of).where(F.col(GIVER).isNotNull())
    for store, name in ((GIVER, "given"), ("store_id", "taken")):
        own = counts.select(F.col("store_id").alias(store), F.col("counted_on").alias(name))
        moves = moves.join(F.broadcast(own), store, how="left")
    is_recent = F.col("decided_on") >= F.lit(as_of - timedelta(days=lapse_days))
    is_open = [F.coalesce(F.col(name) <= F.col("decided_on"), is_recent).alias(name) for name in ("given", "taken")]
    return moves.select(
        "product_id",
        GIVER,
        F.col("store_id").alias("to_store"),
        F.col("order_id").alias("reference"),
        F.col("decided_on").alias("since"),
        "quantity",
        *is_open,
    ).where("given or taken")


def granted(decisions: DataFrame, as_of: date, lapse_days: int) -> DataFrame:
    """The last words of the last `lapse_days` days that let something come."""
    return _granted(decisions, as_of).where(F.col("decided_on") >= F.lit(as_of - timedelta(days=lapse_days)))


def _granted(decisions: DataFrame, as_of: date) -> DataFrame:
    lets = F.col("decision").isin("approved", "amended") & (F.col("quantity") > 0)
    return last_words(decisions, as_of).where(lets)
