"""What one rule saves beside the others at equal service or equal stock."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from scipy.special import stdtrit

from shelfcast.inventory.replay import at_equal
from shelfcast.inventory.replayer import SUMS

ALL_CLASSES = "(all)"
GAIN_COLUMNS = "other string, given string, saved string, mean double, lower double, upper double, seeds int"
# The plan, and what else it could be: neither is another rule.
_OURS, _PLANS = "probabilistic", {"probabilistic", "least_cost"}
MEASURES = (("stock", "short_days"), ("fill_rate", "stock"), ("fill_rate", "cost"))
_KEY = ("rule", "parameter", "seed")
_YEAR = 365.0
# Where curves are compared: this many places along what both have.
_PLACES = 21


def as_replays(sums: DataFrame) -> DataFrame:
    """The columns of inventory/replays from sums by bucket, with a row of all classes for each rule, parameter and
    seed."""
    everything = sums.withColumn("class", F.lit(ALL_CLASSES))
    totals = sums.unionByName(everything).groupBy(*_KEY, "class").agg(*[F.sum(name).alias(name) for name in SUMS])
    days = F.col("series_days") / F.col("series")
    return totals.select(
        *_KEY,
        "class",
        "series",
        _ratio("served", F.col("wanted")).alias("fill_rate"),
        (F.col("short_days") / F.col("series_days")).alias("short_days"),
        (F.col("stock_days") / F.col("series_days")).alias("stock"),
        (F.col("stock_value_days") / days).alias("stock_value"),
        _ratio("served", F.col("stock_days") / _YEAR).alias("turnover"),
        "holding",
        "ordering",
        "lost_margin",
        (F.col("holding") + F.col("ordering") + F.col("lost_margin")).alias("cost"),
    )


def as_calibration(shares: DataFrame) -> DataFrame:
    """The columns of inventory/lead_time_calibration from counts by bucket, with rows of all classes."""
    both = shares.unionByName(shares.withColumn("class", F.lit(ALL_CLASSES)))
    sums = [F.sum(name).alias(name) for name in ("rows", "at_most", "below")]
    return (
        both.groupBy("class", "level")
        .agg(*sums)
        .select(
            "class",
            "level",
            F.col("rows").cast("bigint").alias("rows"),
            (F.col("at_most") / F.col("rows")).alias("observed"),
            (F.col("below") / F.col("rows")).alias("below"),
        )
    )


def _ratio(numerator: str, denominator: Column) -> Column:
    return F.when(denominator > 0, F.col(numerator) / denominator)


def gains(replays: DataFrame) -> DataFrame:
    """GAIN_COLUMNS, from the rows of all classes: a few for each rule, parameter and seed."""
    whole = replays.where(F.col("class") == ALL_CLASSES).select(*_KEY, "stock", "short_days", "fill_rate", "cost")
    return whole.groupBy().applyInPandas(compare, GAIN_COLUMNS)


def compare(rows: pd.DataFrame) -> pd.DataFrame:
    """Every other rule beside ours, by each of the measures; NaN where their curves share nothing."""
    others = sorted(set(rows["rule"]) - _PLANS)
    found = [(other, *measure, *_interval(rows, other, *measure)) for other in others for measure in MEASURES]
    return pd.DataFrame(found, columns=[column.split()[0] for column in GAIN_COLUMNS.split(", ")])


def _interval(rows: pd.DataFrame, other: str, given: str, saved: str) -> tuple[float, float, float, int]:
    """Mean and 95 % interval of Student's t over seeds, and how many these are."""
    found = np.array([*shares(rows, other, given, saved)])
    known = found[~np.isnan(found)]
    if len(known) < 2:
        return np.nan, np.nan, np.nan, len(known)
    mean, error = known.mean(), known.std(ddof=1) / np.sqrt(len(known))
    reach = stdtrit(len(known) - 1, 0.975) * error
    return float(mean), float(mean - reach), float(mean + reach), len(known)


def shares(rows: pd.DataFrame, other: str, given: str, saved: str) -> Iterator[float]:
    """Per seed the share saved, summed over the places that both curves have."""
    for _, of_seed in rows.groupby("seed"):
        ours, theirs = (of_seed[of_seed["rule"] == rule] for rule in (_OURS, other))
        low = max(ours[given].min(), theirs[given].min())
        high = min(ours[given].max(), theirs[given].max())
        if low > high:
            yield np.nan
            continue
        places = np.linspace(low, high, _PLACES)
        pairs = [[at_equal(curve, given, place, saved) for place in places] for curve in (ours, theirs)]
        yield 1 - sum(pairs[0]) / sum(pairs[1]) if sum(pairs[1]) > 0 else np.nan
