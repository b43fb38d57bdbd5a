"""Champion and challenger: who forecasts each panel, since when, and how the next best did on the same weeks.

The rule that names both is the leaderboard's. They are compared on weeks that it has not seen.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.leaderboard import PURPOSES
from shelfcast.metrics import LEAST_CLUSTERS, Interval, bootstrap_of_roots, bootstrap_of_sums
from shelfcast.table import Table, column_names

_SCORES = ("wape", "rmse", "rmsse", "bias")
_STRUCT = "struct<" + ",".join(f"{name}:double" for name in _SCORES) + ">"
# The sums of a store that the score of a purpose is made of, and how they make it.
_LOSS = {"mean": ("squared", "rows", bootstrap_of_roots), "median": ("absolute", "units", bootstrap_of_sums)}
_TITLE = ["panel", "purpose"]
_INTERVAL = "panel string, purpose string, difference double, lower double, upper double, stores int"
CHAMPIONS = Table(
    "models/champions",
    # Each evaluation adds a row for each panel and purpose (mean, median); none is ever changed. The newest tells who
    # is champion. since: the as-of date of the first in the unbroken line of rows that name this champion. scores: over
    # the windows behind `cutoffs`, which chose neither. difference: of the champion's RMSE (mean) or WAPE (median) less
    # the challenger's there, below 0 where the champion is better, with its paired 95 % bootstrap interval over the
    # `stores`, null where these are too few.
    "region string, panel string, purpose string, as_of date, decided_at timestamp, run_id string, model string, "
    f"version string, since date, scores {_STRUCT}, challenger string, challenger_version string, "
    f"challenger_scores {_STRUCT}, cutoffs array<date>, difference double, lower double, upper double, stores int",
    key=("region", "panel", "purpose", "decided_at"),
    checks={"purpose_is_known": "purpose in ('" + "', '".join(PURPOSES) + "')"},
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
    return champions.join(challengers.withColumnsRenamed(renamed), _TITLE, how="left")


def confront(pairs: DataFrame, backtests: DataFrame, cutoffs: Sequence[date], seed: int) -> DataFrame:
    """Adds cutoffs, difference, lower, upper and stores: the champion less the challenger on the windows behind the
    cutoffs, and the paired 95 % bootstrap interval over stores.

    pairs: rows of `pair`. backtests: of both, the same series, steps and cutoffs.
    """
    contest = pairs.select(*_TITLE, "model", "challenger")
    named = contest.select("panel", F.explode(F.array("model", "challenger")).alias("model"))
    behind = backtests.where(F.col("cutoff").isin(*cutoffs))
    sums = _sum_by_store(behind.join(F.broadcast(named), ["panel", "model"], how="semi"))
    own, other = (
        F.broadcast(contest.select(*_TITLE, F.col(side).alias("model"))).join(sums, ["panel", "model"]).drop("model")
        for side in ("model", "challenger")
    )
    errors = {name: f"challenger_{name}" for name in ("squared", "absolute")}
    both = own.join(other.withColumnsRenamed(errors).drop("rows", "units"), [*_TITLE, "store_id"])

    def of_title(rows: pd.DataFrame) -> pd.DataFrame:
        return compare(rows, seed)

    intervals = both.groupBy(*_TITLE).applyInPandas(of_title, _INTERVAL)
    return pairs.join(intervals, _TITLE, how="left").withColumn("cutoffs", F.array(*map(F.lit, cutoffs)))


def _sum_by_store(backtests: DataFrame) -> DataFrame:
    """By panel, model and store: squared and absolute errors, rows, units."""
    error = F.col("y_hat") - F.col("y")
    known = backtests.where(F.col("y").isNotNull() & ~F.isnan("y"))
    return known.groupBy("panel", "model", "store_id").agg(
        F.sum(error * error).alias("squared"),
        F.sum(F.abs(error)).alias("absolute"),
        F.count(F.lit(1)).cast("double").alias("rows"),
        F.sum(F.abs("y")).alias("units"),
    )


def compare(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row of panel, purpose, difference, lower, upper, stores, from the sums of each store."""
    panel, purpose = rows["panel"].iloc[0], rows["purpose"].iloc[0]
    error, whole, bootstrap = _LOSS[purpose]
    ordered = rows.sort_values("store_id")
    a, b, units = (ordered[name].to_numpy(dtype=np.float64) for name in (error, f"challenger_{error}", whole))
    found = bootstrap(a, b, units, seed)
    interval = found if len(rows) >= LEAST_CLUSTERS else Interval(found.difference, np.nan, np.nan)
    return pd.DataFrame([(panel, purpose, *interval, len(rows))], columns=column_names(_INTERVAL))


def with_since(pairs: DataFrame, history: DataFrame, as_of: date) -> DataFrame:
    """Adds as_of, and `since` when the model is champion. history: the rows of models/champions up to now."""
    known = history.where(F.col("as_of") <= F.lit(as_of))
    before = known.groupBy(*_TITLE).agg(F.max_by(F.struct("model", "since"), "decided_at").alias("_before"))
    reigned = F.when(F.col("_before.model") == F.col("model"), F.col("_before.since"))
    joined = pairs.join(F.broadcast(before), _TITLE, how="left")
    return joined.withColumns({"as_of": F.lit(as_of), "since": F.coalesce(reigned, F.lit(as_of))}).drop("_before")
