"""Metrics of many forecasts at once, on Spark: by model, cutoff and slice. Each is that of shelfcast.metrics, from
sums.

Millions of rows are summed once, by store, category and step; every slice adds up those sums.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# slice -> the column whose values it tells apart
SLICES = {"all": None, "step": "step", "store": "store_id", "category": "category_id"}
METRIC_NAMES = ("wape", "rmse", "mae", "bias", "r2", "rmsse", "rae", "rrse", "mape", "zeros_left_out", "correlation")
_MODEL = ("panel", "model")
_NAMED = (*_MODEL, "cutoff", "slice", "value")
_SERIES = ("store_id", "item_id", "category_id")
_CELL = ("store_id", "category_id", "step")
_ROUNDING = 1e-12


def measure(backtests: DataFrame) -> DataFrame:
    """Rows of forecasts/metrics without their region: every slice at each cutoff, and over all cutoffs (cutoff null).

    backtests: panel, model, cutoff, store_id, item_id, category_id, step, y, y_hat, naive_mse; y null where not known.
    RMSSE is a mean over series and has no value by step; RAE is measured on the whole.
    """
    known = backtests.where(F.col("y").isNotNull() & ~F.isnan("y"))
    cells = known.groupBy(*_MODEL, "cutoff", *_CELL).agg(*_sums())
    measured = _by_slice(cells, SLICES).groupBy(*_NAMED).agg(*[F.sum(name).alias(name) for name in _SUMMED])
    series = known.groupBy(*_MODEL, "cutoff", *_SERIES).agg(
        F.avg(F.pow(F.col("y_hat") - F.col("y"), 2)).alias("mse"), F.first("naive_mse").alias("naive_mse")
    )
    scaled = F.when(F.col("naive_mse") > 0, F.sqrt(F.col("mse") / F.col("naive_mse")))
    of_series = {name: column for name, column in SLICES.items() if column != "step"}
    rmsse = (
        _by_slice(series.withColumn("scaled", scaled), of_series).groupBy(*_NAMED).agg(F.avg("scaled").alias("rmsse"))
    )
    joined = _join(_join(measured, rmsse), _mean_deviation(known, measured))
    return joined.select(*_NAMED, "rows", F.col("y").alias("units"), F.col("y_abs").alias("units_abs"), *_metrics())


_SUMMED = (
    "rows",
    "y",
    "y_abs",
    "y_square",
    "y_hat",
    "y_hat_square",
    "product",
    "error_abs",
    "error_square",
    "ape",
    "zeros",
)


def _sums() -> list[Column]:
    y, y_hat = F.col("y"), F.col("y_hat")
    terms = {
        "y": y,
        "y_abs": F.abs(y),
        "y_square": y * y,
        "y_hat": y_hat,
        "y_hat_square": y_hat * y_hat,
        "product": y * y_hat,
        "error_abs": F.abs(y_hat - y),
        "error_square": (y_hat - y) * (y_hat - y),
        "ape": F.when(y != 0, F.abs((y_hat - y) / y)).otherwise(0.0),
    }
    counted = [F.count(F.lit(1)).alias("rows"), F.count(F.when(y == 0, 1)).alias("zeros")]
    return counted + [F.sum(term).alias(name) for name, term in terms.items()]


def _by_slice(frame: DataFrame, slices: dict[str, str | None]) -> DataFrame:
    """The rows once per slice and value, at their cutoff and once more over all cutoffs."""
    told = F.explode(
        F.array(
            *[
                F.struct(
                    F.lit(name).alias("slice"),
                    (F.col(column).cast("string") if column else F.lit("all")).alias("value"),
                )
                for name, column in slices.items()
            ]
        )
    )
    at = F.explode(F.array(F.col("cutoff"), F.lit(None).cast("date")))
    kept = [name for name in frame.columns if name not in ("cutoff", *_CELL, *_SERIES)]
    return frame.select(*kept, at.alias("cutoff"), told.alias("_told")).select(*kept, "cutoff", "_told.*")


def _mean_deviation(known: DataFrame, measured: DataFrame) -> DataFrame:
    """The mean absolute deviation of demand from its own mean, over the whole."""
    whole = measured.where(F.col("slice") == "all").select(*_NAMED, (F.col("y") / F.col("rows")).alias("level"))
    rows = _by_slice(known.select(*_MODEL, "cutoff", "y"), {"all": None})
    joined = _join(rows, F.broadcast(whole))
    return joined.groupBy(*_NAMED).agg(F.avg(F.abs(F.col("y") - F.col("level"))).alias("deviation"))


def _join(left: DataFrame, right: DataFrame) -> DataFrame:
    """Left join on the names of a metric row; a cutoff of null (all cutoffs) meets its like."""
    renamed = right.select(
        *[F.col(name).alias(f"_{name}") if name in _NAMED else F.col(name) for name in right.columns]
    )
    same = reduce(Column.__and__, [F.col(name).eqNullSafe(F.col(f"_{name}")) for name in _NAMED])
    return left.join(renamed, same, how="left").drop(*[f"_{name}" for name in _NAMED])


def _metrics() -> list[Column]:
    rows = F.col("rows")
    mse = F.col("error_square") / rows
    variance, spread = _variance("y"), _variance("y_hat")
    covariance = F.col("product") / rows - F.col("y") * F.col("y_hat") / (rows * rows)
    return [
        _ratio(F.col("error_abs"), F.col("y_abs")).alias("wape"),
        F.sqrt(mse).alias("rmse"),
        (F.col("error_abs") / rows).alias("mae"),
        _ratio(F.col("y_hat") - F.col("y"), F.col("y")).alias("bias"),
        (1 - _ratio(mse, variance)).alias("r2"),
        F.col("rmsse"),
        _ratio(F.col("error_abs") / rows, F.col("deviation")).alias("rae"),
        F.sqrt(_ratio(mse, variance)).alias("rrse"),
        _ratio(F.col("ape"), rows - F.col("zeros")).alias("mape"),
        F.col("zeros").alias("zeros_left_out"),
        _ratio(covariance, F.sqrt(variance * spread)).alias("correlation"),
    ]


def _variance(name: str) -> Column:
    """Null for a constant: of the difference of its two sums only rounding is left, of either sign."""
    mean_square = F.col(f"{name}_square") / F.col("rows")
    variance = mean_square - F.pow(F.col(name) / F.col("rows"), 2)
    return F.when(variance > _ROUNDING * mean_square, variance)


def _ratio(part: Column, whole: Column) -> Column:
    """Null where there is nothing to be measured on."""
    return F.when(whole > 0, part / whole)
