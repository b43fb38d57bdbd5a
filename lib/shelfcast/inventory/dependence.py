"""How demand of one week depends on that of the week before, given the forecast of both."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MOST = 0.95


def measure_dependence(backtests: DataFrame) -> float:
    """The correlation of the hidden rates of neighbouring weeks, from 0 to 0.95.

    y = Poisson(m g) with g of mean 1 and variance v: E[(y1 - m1)(y2 - m2)] = m1 m2 v rho, E[(y - m)^2] - m = m^2 v.
    The ratio of both, summed over pairs of neighbouring steps, each divided by the root of m1 m2, is rho without the
    noise of counting. backtests: rows of one model and level: cutoff, store_id, item_id, step, y, y_hat.
    """
    known = backtests.where("y is not null and y_hat > 0")
    key = ["cutoff", "store_id", "item_id"]
    error = (F.col("y") - F.col("y_hat")).alias("error")
    first = known.select(*key, "step", error, F.col("y_hat").alias("mean"))
    second = first.select(*key, (F.col("step") - 1).alias("step"), F.col("error").alias("error_2"),
                          F.col("mean").alias("mean_2"))  # fmt: skip
    weight = 1 / F.sqrt(F.col("mean") * F.col("mean_2"))
    own = (F.col("error") ** 2 - F.col("mean")) / F.col("mean") + (F.col("error_2") ** 2 - F.col("mean_2")) / F.col(
        "mean_2"
    )
    sums = first.join(second, [*key, "step"]).agg(
        F.sum(F.col("error") * F.col("error_2") * weight).alias("shared"), F.sum(own / 2).alias("own")
    )
    row = sums.first()
    if row is None or not row["own"] or row["own"] <= 0:
        return 0.0
    return float(min(max(row["shared"] / row["own"], 0.0), _MOST))
