"""Champion and challenger: who forecasts each panel, since when, and how the next best did on the same weeks.

The rule that names both is the leaderboard's. They are compared on weeks that it has not seen; whether the challenger
is promoted is decided on all (shelfcast.promotion).
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.leaderboard import PURPOSES
from shelfcast.metrics import LEAST_CLUSTERS, Interval, bootstrap_of_roots, bootstrap_of_sums
from shelfcast.panel import FloatArray
from shelfcast.table import Table, column_names

_SCORES = ("wape", "rmse", "rmsse", "bias")
_STRUCT = "struct<" + ",".join(f"{name}:double" for name in _SCORES) + ">"
# The sums of a store that the score of a purpose is made of, and how they make it.
LOSS = {"mean": ("squared", "rows", bootstrap_of_roots), "median": ("absolute", "units", bootstrap_of_sums)}
TITLE = ["panel", "purpose"]
_INTERVAL = "panel string, purpose string, difference double, lower double, upper double, stores int"
# What a decision may be; a history of before knows of none.
DECISIONS = ("first", "kept", "promoted", "replaced", "rolled_back")
CHAMPIONS = Table(
    "models/champions",
    # Each evaluation adds a row for each panel and purpose (mean, median); none is ever changed. The newest tells who
    # is champion. since: the as-of date of the first in the unbroken line of rows that name this champion. scores: over
    # the windows behind `cutoffs`, which named neither (but a promotion has seen them). difference: of the champion's
    # RMSE (mean) or WAPE (median) less the challenger's there, below 0 where the champion is better, with its paired
    # 95 % bootstrap interval over the `stores`, null where these are too few. decision: first (there was none before),
    # kept, promoted (it was the challenger until now), replaced (the one before is no candidate any more), rolled_back
    # (to it, by hand, from the one that stands as challenger); reason: why, in words.
    "region string, panel string, purpose string, as_of date, decided_at timestamp, run_id string, model string, "
    f"version string, since date, scores {_STRUCT}, challenger string, challenger_version string, "
    f"challenger_scores {_STRUCT}, cutoffs array<date>, difference double, lower double, upper double, stores int, "
    "decision string, reason string",
    key=("region", "panel", "purpose", "decided_at"),
    checks={
        "purpose_is_known": "purpose in ('" + "', '".join(PURPOSES) + "')",
        "decision_is_known": "ifnull(decision in ('" + "', '".join(DECISIONS) + "'), true)",
    },
    operational=("decided_at", "run_id", "version", "challenger_version"),
)


def pair(board: DataFrame, registry: DataFrame) -> DataFrame:
    """A row for each panel and purpose with a champion: panel, purpose, model, version, scores, and of the challenger,
    null where no other could be chosen, challenger, challenger_version, challenger_scores.

    board: models/leaderboard. registry: the rows of the registries that it tells of.
    """
    versions = registry.groupBy("panel", "model").agg(F.max("version").alias("version"))
    purpose = F.explode(F.array(*map(F.lit, PURPOSES))).alias("purpose")
    told = board.join(versions, ["panel", "model"]).select(
        "panel", purpose, "model", "version", F.struct(*_SCORES).alias("scores"), "champion", "challenger"
    )
    champions, challengers = (
        told.where(F.col(title).contains(F.col("purpose"))).drop("champion", "challenger")
        for title in ("champion", "challenger")
    )
    renamed = {"model": "challenger", "version": "challenger_version", "scores": "challenger_scores"}
    return champions.join(challengers.withColumnsRenamed(renamed), TITLE, how="left")


def sum_errors(backtests: DataFrame, classes: DataFrame) -> DataFrame:
    """By panel, model, cutoff, store_id and demand_class: squared and absolute errors, rows, units.

    classes: panel, store_id, item_id, demand_class; a series that is not there has class `none`.
    """
    error = F.col("y_hat") - F.col("y")
    known = backtests.where(F.col("y").isNotNull() & ~F.isnan("y"))
    told = known.join(classes, ["panel", "store_id", "item_id"], how="left")
    demand_class = F.coalesce("demand_class", F.lit("none")).alias("demand_class")
    return told.groupBy("panel", "model", "cutoff", "store_id", demand_class).agg(
        F.sum(error * error).alias("squared"),
        F.sum(F.abs(error)).alias("absolute"),
        F.count(F.lit(1)).cast("double").alias("rows"),
        F.sum(F.abs("y")).alias("units"),
    )


def oppose(pairs: DataFrame, errors: DataFrame) -> DataFrame:
    """Of each pair what both have forecast: panel, purpose, cutoff, store_id, demand_class, the sums of the champion,
    and as challenger_squared and challenger_absolute those of the challenger.

    pairs: rows of `pair`. errors: rows of `sum_errors`.
    """
    contest = pairs.select(*TITLE, "model", "challenger")
    own, other = (
        F.broadcast(contest.select(*TITLE, F.col(side).alias("model"))).join(errors, ["panel", "model"]).drop("model")
        for side in ("model", "challenger")
    )
    renamed = {name: f"challenger_{name}" for name in ("squared", "absolute")}
    theirs = other.withColumnsRenamed(renamed).drop("rows", "units")
    return own.join(theirs, [*TITLE, "cutoff", "store_id", "demand_class"])


def confront(pairs: DataFrame, errors: DataFrame, cutoffs: Sequence[date], seed: int) -> DataFrame:
    """Adds cutoffs, difference, lower, upper and stores: the champion less the challenger on the windows behind the
    cutoffs, and the paired 95 % bootstrap interval over stores.

    pairs: rows of `pair`. errors: rows of `sum_errors`, of both at these cutoffs.
    """
    both = oppose(pairs, errors.where(F.col("cutoff").isin(*cutoffs)))

    def of_title(rows: pd.DataFrame) -> pd.DataFrame:
        return compare(rows, seed)

    intervals = both.groupBy(*TITLE).applyInPandas(of_title, _INTERVAL)
    return pairs.join(intervals, TITLE, how="left").withColumn("cutoffs", F.array(*map(F.lit, cutoffs)))


def compare(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row of panel, purpose, difference, lower, upper, stores, from rows of `oppose` of one panel and purpose."""
    a, b, whole = losses(rows, "store_id")
    found = LOSS[rows["purpose"].iloc[0]][2](a, b, whole, seed)
    interval = found if len(a) >= LEAST_CLUSTERS else Interval(found.difference, np.nan, np.nan)
    told = (*rows[TITLE].iloc[0], *interval, len(a))
    return pd.DataFrame([told], columns=column_names(_INTERVAL))


def losses(rows: pd.DataFrame, by: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By store or class, in order: the champion's errors, the challenger's, and what they are divided by."""
    error, whole, _ = LOSS[rows["purpose"].iloc[0]]
    names = [error, f"challenger_{error}", whole]
    summed = rows.groupby(by)[names].sum().sort_index()
    a, b, of = (summed[name].to_numpy(dtype=np.float64) for name in names)
    return a, b, of


def with_since(pairs: DataFrame, incumbents: DataFrame, as_of: date) -> DataFrame:
    """Adds as_of, and `since` when the model is champion. incumbents: panel, purpose, model, since until now."""
    before = incumbents.select(*TITLE, F.struct("model", "since").alias("_before"))
    reigned = F.when(F.col("_before.model") == F.col("model"), F.col("_before.since"))
    joined = pairs.join(F.broadcast(before), TITLE, how="left")
    return joined.withColumns({"as_of": F.lit(as_of), "since": F.coalesce(reigned, F.lit(as_of))}).drop("_before")
