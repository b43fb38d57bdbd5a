"""How far off what is published would have been."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def measure(scored: DataFrame) -> DataFrame:
    """Per level: rows, units sold, WAPE, bias (as a share of the units) and RMSE of the mean, and the WAPE of the
    median. Null shares where nothing sold.

    scored: level, y (null where not known), mean, p50.
    """
    known, error = scored.where(F.col("y").isNotNull()), F.col("mean") - F.col("y")
    units = F.sum("y")
    per_unit = F.nullif(units, F.lit(0.0))
    return known.groupBy("level").agg(
        F.count(F.lit(1)).alias("rows"),
        units.alias("units"),
        (F.sum(F.abs(error)) / per_unit).alias("wape"),
        (F.sum(error) / per_unit).alias("bias"),
        F.sqrt(F.avg(error * error)).alias("rmse"),
        (F.sum(F.abs(F.col("p50") - F.col("y"))) / per_unit).alias("median_wape"),
    )
