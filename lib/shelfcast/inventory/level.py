"""How far a forecast lies beside the level of the weeks ahead, of all of them together."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MOST = 1.0


def measure_level_variance(backtests: DataFrame) -> float:
    """The variance of the factor that the weeks after a cutoff share, from 0 to 1.

    y = Poisson(m L g) with L of mean 1 and variance v, g independent from week to week: E[(y1 - m1)(y2 - m2)] = m1 m2 v
    for two weeks. Summed over pairs of neighbouring steps, each side divided by the root of m1 m2. backtests: rows of
    one model and level: cutoff, store_id, item_id, step, y, y_hat.
    """
    known = backtests.where("y is not null and y_hat > 0")
    key = ["cutoff", "store_id", "item_id"]
    error = F.col("y") - F.col("y_hat")
    first = known.select(*key, "step", error.alias("error"), F.col("y_hat").alias("mean"))
    step_before = (F.col("step") - 1).alias("step")
    second = known.select(*key, step_before, error.alias("next_error"), F.col("y_hat").alias("next_mean"))
    root = F.sqrt(F.col("mean") * F.col("next_mean"))
    shared = F.sum(F.col("error") * F.col("next_error") / root)
    row = first.join(second, [*key, "step"]).agg(shared.alias("shared"), F.sum(root).alias("whole")).first()
    if row is None or not row["whole"]:
        return 0.0
    return float(min(max(row["shared"] / row["whole"], 0.0), _MOST))
