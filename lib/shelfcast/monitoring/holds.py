"""Days of sales that are put aside: nothing learns from them, and nothing is ordered for their stores.

A day is held by a critical alert about it (table monitoring/input_alerts), until it is delivered anew or accepted
(setting monitoring.accepted). Where no inputs were checked for the as-of date, nothing is held.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import HeldError, LakeError
from shelfcast.job import Run
from shelfcast.monitoring.tables import INPUT_ALERTS


def held_days(run: Run) -> DataFrame | None:
    """store_id, day, reason of what is held on the as-of date, a null store for all; None where nothing is."""
    if not run.lake.exists(INPUT_ALERTS):
        return None
    alerts = run.lake.read(INPUT_ALERTS, run.config.region)
    held = alerts.where((F.col("forecast_date") == F.lit(run.as_of)) & F.col("held"))
    return held.select("store_id", "day", "reason")


def stamp(run: Run) -> str:
    """What is held, for a run key: what depends on it is made anew where that changes, and not where an alert does."""
    held = held_days(run)
    if held is None:
        return ""
    day = F.pmod(F.xxhash64("store_id", "day"), F.lit(2**40))
    found = held.select("store_id", "day").distinct().agg(F.count(F.lit(1)), F.sum(day)).first()
    return f"{found[0]} {found[1]}" if found and found[0] else ""


def require_checked(run: Run) -> None:
    """Raise LakeError unless job check_inputs has looked at the sales of the as-of date."""
    if run.lake.last_commit(INPUT_ALERTS, run.scope(INPUT_ALERTS)) is None:
        raise LakeError(f"job {run.job.name}: table {INPUT_ALERTS.name} has nothing of {run.as_of}; wanted the sales "
                        f"checked by job check_inputs")  # fmt: skip


def without_held(sales: DataFrame, held: DataFrame | None) -> DataFrame:
    """The sales of no held day."""
    if held is None:
        return sales
    days = held.select("store_id", F.col("day").alias("sold_on")).distinct()
    of_all, of_stores = days.where("store_id is null").select("sold_on"), days.where("store_id is not null")
    known = sales.join(F.broadcast(of_stores), ["store_id", "sold_on"], how="anti")
    return known.join(F.broadcast(of_all), "sold_on", how="anti")


def without_held_stores(series: DataFrame, held: DataFrame | None) -> DataFrame:
    """The series of stores of which nothing is held."""
    if held is None:
        return series
    return series.join(F.broadcast(held.select("store_id").distinct()), "store_id", how="anti")


def since(held: DataFrame | None, as_of: date, days: int) -> DataFrame | None:
    """What is held of the last `days` days."""
    return None if held is None else held.where(F.col("day") > F.lit(as_of - timedelta(days=days)))


def require_known_stores(held: DataFrame | None, stores: DataFrame, held_share: float) -> None:
    """Raise HeldError, naming a day, where all stores are held or more than `held_share` of them.

    stores: store_id of those that would be planned.
    """
    if held is None:
        return
    planned = stores.select("store_id").distinct().withColumn("_planned", F.lit(True))
    known = held.join(planned, "store_id", how="left").where("store_id is null or _planned")
    newest = F.max_by("reason", F.struct("day", "reason"))
    found = known.agg(F.count_distinct("store_id"), F.bool_or(F.col("store_id").isNull()), newest).first()
    total = planned.count()
    if found and (found[1] or found[0] > held_share * total):
        which = "all stores" if found[1] else f"{found[0]} of {total} stores"
        raise HeldError(f"no plan: {which} have sales that are held, such as {found[2]}; wanted them delivered anew, "
                        f"or accepted by monitoring.accepted")  # fmt: skip
