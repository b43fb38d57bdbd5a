"""Alerts: what a check found, how bad it is, and the sentence that says so."""

from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.flags import SEVERITIES
from shelfcast.settings.monitoring import Accepted
from shelfcast.table import column_names

INFO, WARNING, CRITICAL = SEVERITIES
FINDINGS = (
    "severity string, check string, subject string, store_id string, day date, found double, wanted double, "
    "held boolean, reason string"
)
# From so many stores on, and at least half of all, a day is told of once.
_MANY = 3


class Finding(NamedTuple):
    """What a check found: a row of FINDINGS."""

    severity: str
    check: str
    subject: str
    store_id: str | None
    day: date | None
    found: float | None
    wanted: float | None
    held: bool
    reason: str


def about(check: str, severity: str, subject: str, said: str, found: float, wanted: float) -> Finding:
    """A finding about neither a store's day nor the sales of one."""
    return Finding(severity, check, subject, None, None, found, wanted, False, f"{subject}: {said}")


def subject_of(day: date, store: str | None) -> str:
    """A store's day, or with None that of all stores."""
    return f"{day}, all stores" if store is None else f"{day}, store {store}"


def rank(severity: Column) -> Column:
    """0 info, 1 warning, 2 critical."""
    return F.array_position(F.array(*map(F.lit, SEVERITIES)), severity) - 1


def at_or_above(frame: DataFrame, severity: str) -> DataFrame:
    return frame.where(rank(F.col("severity")) >= SEVERITIES.index(severity))


def without_accepted(findings: DataFrame, accepted: Iterable[Accepted]) -> DataFrame:
    """Days that somebody accepted are told of still, as information, and held no longer."""
    days = [
        (F.col("day") == F.lit(each.day)) & (F.lit(True) if each.store is None else F.col("store_id") == each.store)
        for each in accepted
    ]
    is_accepted = F.coalesce(reduce(or_, days, F.lit(False)), F.lit(False))
    return findings.withColumns(
        {
            "severity": F.when(is_accepted, INFO).otherwise(F.col("severity")),
            "held": F.col("held") & ~is_accepted,
            "reason": F.when(is_accepted, F.concat("reason", F.lit(" (accepted)"))).otherwise(F.col("reason")),
        }
    )


def as_alerts(findings: DataFrame) -> DataFrame:
    """Findings with their alert_id: hash(check, subject, severity). The same finding has the same name on every day."""
    name = F.concat_ws("|", "check", "subject", "severity")
    return findings.select(F.substring(F.sha2(name, 256), 1, 16).alias("alert_id"), *column_names(FINDINGS))


def with_since(alerts: DataFrame, before: DataFrame, day: date) -> DataFrame:
    """Alerts of `day` with `since`, the first of the days on which each has stood without a break.

    before: alert_id, since of the alerts that stood when it was looked last.
    """
    stood = before.select("alert_id", "since", F.lit(True).alias("_stood"))
    since = F.when(F.col("_stood"), F.col("since")).otherwise(F.lit(day))
    return alerts.join(stood, "alert_id", how="left").withColumn("since", since).drop("_stood")


def told_once(findings: DataFrame, stores: int) -> DataFrame:
    """What befell at least half of all `stores` on a day as one finding, that of the store it is worst for.

    What a check says of all stores' day it does not say of each.
    """
    of_all = findings.where("store_id is null and day is not null").select("check", "day").distinct()
    of_stores = findings.where("store_id is not null and day is not null").join(of_all, ["check", "day"], how="anti")
    counted = of_stores.groupBy("check", "day").agg(F.count_distinct("store_id").alias("stores"))
    many = F.broadcast(counted.where(F.col("stores") >= max(_MANY, stores / 2)))
    alone = of_stores.join(many, ["check", "day"], how="anti")
    others = findings.where("store_id is null or day is null")
    together = _worst_of_days(of_stores.join(many, ["check", "day"]), stores)
    return others.unionByName(alone).unionByName(together)


def _worst_of_days(findings: DataFrame, stores: int) -> DataFrame:
    """A finding for each check and day. findings: with `stores`, how many it befell."""
    names = column_names(FINDINGS)
    # The most severe, then the farthest from 1, then by name: the same on any cluster.
    distance = F.abs(F.ln(F.greatest("found", F.lit(1e-9))))
    worst = F.max_by(F.struct(*names), F.struct(rank(F.col("severity")), distance, "store_id"))
    days = findings.groupBy("check", "day", "stores").agg(worst.alias("worst"), F.bool_or("held").alias("held"))
    day = F.col("day").cast("string")
    subject = F.format_string(f"%s, %d of {stores} stores", day, "stores")
    example = F.replace(F.col("worst.reason"), F.concat(day, F.lit(", ")), F.lit(""))
    return days.select(
        "worst.severity", "check", subject.alias("subject"), F.lit(None).cast("string").alias("store_id"), "day",
        "worst.found", "worst.wanted", "held", F.concat(subject, F.lit(", such as "), example).alias("reason"),
    )  # fmt: skip
