"""How far a forecast lies beside the level of the weeks ahead, of all of them together."""

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.panel import FloatArray

# Weeks so far apart share their level alone. Nearer ones share more, as a promotion and the dip behind it.
_APART = 3
_MOST = 1.0


def measure_level_variance(backtests: DataFrame) -> float:
    """The variance of the factor that a week after a cutoff shares with the next, from 0 to 1.

    y = Poisson(m L g) with L of mean 1 and variance v, g independent from week to week: E[(y1 - m1)(y2 - m2)] = m1 m2 v
    for two weeks. Summed over pairs of neighbouring steps, each side divided by the root of m1 m2. backtests: rows of
    one model and level: cutoff, store_id, item_id, step, y, y_hat.
    """
    return _shared(backtests, F.col("next_step") == F.col("step") + 1)


def measure_lasting_variance(backtests: DataFrame) -> float:
    """As measure_level_variance, of the factor that all weeks after a cutoff share: by pairs of steps far apart. It is
    0 where a backtest is too short for those."""
    return _shared(backtests, F.col("next_step") >= F.col("step") + _APART)


def _shared(backtests: DataFrame, are_pair: Column) -> float:
    known = backtests.where("y is not null and y_hat > 0")
    key = ["cutoff", "store_id", "item_id"]
    error = F.col("y") - F.col("y_hat")
    first = known.select(*key, "step", error.alias("error"), F.col("y_hat").alias("mean"))
    second = first.withColumnsRenamed({name: f"next_{name}" for name in ("step", "error", "mean")})
    root = F.sqrt(F.col("mean") * F.col("next_mean"))
    shared = F.sum(F.col("error") * F.col("next_error") / root)
    row = first.join(second, key).where(are_pair).agg(shared.alias("shared"), F.sum(root).alias("whole")).first()
    if row is None or not row["whole"]:
        return 0.0
    return float(min(max(row["shared"] / row["whole"], 0.0), _MOST))


def level_since(came: FloatArray, means: FloatArray, dispersion: FloatArray, variance: float) -> FloatArray:
    """By what factor each series now sells above what was forecast of it, shape (n,): 1 where nothing is known.

    came, means: units of the weeks since the cutoff and their forecasts, shape (n, weeks), NaN where what came is not
    known; dispersion: of a week, shape (n,); variance: of the level, as measure_lasting_variance tells it. Credibility
    (Buehlmann and Straub 1970): a week of mean m varies by m (1 + m / k), so it tells m / (1 + m / k) of the level,
    beside the 1 / variance that is known before.
    """
    if variance == 0.0:
        return np.ones(len(means))
    weight = np.where(np.isnan(came), 0.0, 1 / (1 + means / dispersion[:, None]))
    sold, expected = (np.nansum(weight * of, axis=1) for of in (came, means))
    return np.asarray((1 / variance + sold) / (1 / variance + expected))
