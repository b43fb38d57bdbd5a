"""The queries behind the page: each returns a frame that is small by construction, a row a week, model, store or cell.

`read` gives a table's rows of the region, None where no job has written it: its part of the page is then empty.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from math import log

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.monitoring import tables
from shelfcast.monitoring.alerts import rank
from shelfcast.networks.scoring import with_heads
from shelfcast.networks.tables import BY_NETWORKS, STORE_HEADS
from shelfcast.panels import REFERENCE
from shelfcast.plan import Plan
from shelfcast.reporting.data import COLUMNS
from shelfcast.study.tables import STUDY_METRICS, STUDY_MODELS, STUDY_SAMPLE
from shelfcast.table import Table
from shelfcast.tuning.trials import TRIALS

Read = Callable[[Table], DataFrame | None]

# Of the baselines, and of the networks where there are any.
BACKTEST_TABLES = (schemas.BACKTESTS, *(backtests for backtests, _ in BY_NETWORKS))
ALERTS = 10
CATEGORIES = 12
ERROR_CATEGORIES = 20
# Cells to a factor of two, and the smallest demand that a logarithmic axis shows.
CELLS_TO_DOUBLE = 2
SMALLEST_UNITS = 0.5
SMALLEST_CV2 = 0.01


def fetch(name: str, frame: DataFrame | None) -> pd.DataFrame:
    """The report's frame `name` from a bounded query; empty where its tables are not there."""
    columns = list(COLUMNS[name])
    return pd.DataFrame(columns=columns) if frame is None else frame.select(*columns).toPandas()


def row_counts(read: Read) -> DataFrame | None:
    counts = read(schemas.ROW_COUNTS)
    return counts.orderBy("source_table") if counts is not None else None


def refusals(read: Read) -> DataFrame | None:
    """Refused rows by table and rule."""
    refused = read(schemas.QUARANTINE)
    return None if refused is None else refused.groupBy("source_table", "rule").agg(F.count(F.lit(1)).alias("rows"))


def availability(read: Read) -> DataFrame | None:
    """Spells, their days and what they lost, by state and basis."""
    spells = read(AVAILABILITY)
    if spells is None:
        return None
    days = F.sum(F.datediff("last_day", "first_day") + 1).alias("days")
    grouped = spells.groupBy("state", "is_stated").agg(
        F.count(F.lit(1)).alias("spells"), days, F.sum("units").alias("units")
    )
    return grouped.orderBy(F.desc("units"), "state", "is_stated")


def alerts(read: Read) -> DataFrame | None:
    """The first ALERTS of each severity and check, worst first, with how many there are of their kind and how many of
    those hold sales back."""
    found = read(tables.ALERTS)
    if found is None:
        return None
    kind = Window.partitionBy("severity", "check")
    whole = kind.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    in_turn = kind.orderBy(F.desc("day"), "reason").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    counted = found.withColumns(
        {
            "place": F.row_number().over(in_turn),
            "of_kind": F.count(F.lit(1)).over(whole),
            "held_of_kind": F.count_if("held").over(whole),
        }
    )
    return counted.where(F.col("place") <= ALERTS).orderBy(F.desc(rank(F.col("severity"))), F.desc("day"), "reason")


def drift(read: Read) -> DataFrame | None:
    """A row for each bin of the few features."""
    measured = read(tables.DRIFT)
    return None if measured is None else measured.orderBy(F.desc("feature"), "bin")


def weekly(read: Read, plan: Plan) -> DataFrame | None:
    """Units and revenue of all stores, a row a whole week."""
    demand = _category_weeks(read, plan)
    return None if demand is None else _sum_demand(demand, "week").orderBy("week")


def weekly_by_category(read: Read, plan: Plan) -> DataFrame | None:
    """As `weekly`, of the CATEGORIES largest categories by revenue."""
    demand = _category_weeks(read, plan)
    if demand is None:
        return None
    named = demand.withColumn("category", F.col("category_id"))
    largest = _sum_demand(named, "category").orderBy(F.desc("revenue"), "category").limit(CATEGORIES)
    return _sum_demand(named.join(F.broadcast(largest), "category", how="semi"), "week", "category")


def demand_classes(read: Read) -> DataFrame | None:
    series = read(schemas.SERIES)
    if series is None:
        return None
    return series.groupBy("level", "demand_class").agg(F.count(F.lit(1)).alias("series"), F.sum("units").alias("units"))


def class_grid(read: Read) -> DataFrame | None:
    """Series counted by ADI and CV2; quantities that never vary are in the lowest row."""
    series = read(schemas.SERIES)
    if series is None:
        return None
    binned = series.where("adi is not null").select("level", *_bin("adi", 1.0), *_bin("cv2", SMALLEST_CV2))
    return _counted(binned, "series")


def leaderboard(read: Read) -> DataFrame | None:
    return read(schemas.LEADERBOARD)


def errors_by(read: Read, what: str, last_cutoff: date) -> DataFrame | None:
    """The rows of forecasts/metrics of one slice at the last cutoff: a row per model and value."""
    metrics = read(schemas.METRICS)
    return (
        None if metrics is None else metrics.where((F.col("slice") == what) & (F.col("cutoff") == F.lit(last_cutoff)))
    )


def champion_errors(read: Read, what: str, name: str, last_cutoff: date, champion: str | None) -> DataFrame | None:
    """The champion's errors by category or store, the largest first; `name`: the report's column for the value."""
    found = errors_by(read, what, last_cutoff)
    if found is None or champion is None:
        return None
    own = found.where((F.col("panel") == REFERENCE) & (F.col("model") == champion) & F.col("wape").isNotNull())
    return own.withColumn(name, F.col("value")).orderBy(F.desc("units"), name)


def scatter(read: Read, last_cutoff: date, models: Sequence[str]) -> DataFrame | None:
    """Actual against predicted, in cells: `models` in the backtest at the last cutoff, and the study's two best."""
    frames = []
    for backtests in [found for table in BACKTEST_TABLES if (found := read(table)) is not None]:
        at_last = (F.col("panel") == REFERENCE) & (F.col("cutoff") == F.lit(last_cutoff))
        chosen = backtests.where(at_last & F.col("model").isin(*models) & F.col("y").isNotNull())
        frames.append(_pairs("backtest", chosen, F.col("y_hat"), F.col("y")))
    sample, best = read(STUDY_SAMPLE), _best_of_study(read)
    if sample is not None and best is not None:
        chosen = sample.join(F.broadcast(best), "model", how="semi")
        frames.append(_pairs("study", chosen, F.col("prediction"), F.col("units")))
    return reduce(DataFrame.unionByName, frames) if frames else None


def trials(read: Read) -> DataFrame | None:
    return read(TRIALS)


def accuracy(read: Read) -> DataFrame | None:
    measured = read(schemas.ACCURACY)
    return None if measured is None else measured.select("level", "rows", "wape", "bias", "median_wape")


def calibration(read: Read) -> DataFrame | None:
    measured = read(schemas.CALIBRATION)
    return None if measured is None else measured.withColumn("stated", F.col("quantile"))


def series_counts(read: Read) -> DataFrame | None:
    return read(schemas.SERIES_COUNTS)


def store_heads(read: Read, last_cutoff: date) -> DataFrame | None:
    """A row for each store that tried a head of a network that stands on the leaderboard."""
    heads, board = read(STORE_HEADS), read(schemas.LEADERBOARD)
    if heads is None or board is None:
        return None
    at_last = heads.where(F.col("cutoff") == F.lit(last_cutoff)).withColumn("contestant", with_heads("model"))
    standing = board.select("panel", F.col("model").alias("contestant"))
    return at_last.join(F.broadcast(standing), ["panel", "contestant"], how="semi")


def study(read: Read) -> DataFrame | None:
    """The study's metrics on all test rows."""
    metrics, models = read(STUDY_METRICS), read(STUDY_MODELS)
    if metrics is None or models is None:
        return None
    tested = metrics.where("split = 'test' and scope = 'all'")
    return tested.join(models.select("model", "representation", "differs", "seconds"), "model", how="left")


def _category_weeks(read: Read, plan: Plan) -> DataFrame | None:
    demand = read(schemas.DEMAND["weekly"])
    if demand is None:
        return None
    # The first and the last week of the data may be cut; only whole ones compare.
    return demand.where(
        (F.col("level") == "category") & F.col("week").between(F.lit(plan.weeks[0]), F.lit(plan.weeks[-1]))
    )


def _sum_demand(demand: DataFrame, *keys: str) -> DataFrame:
    return demand.groupBy(*keys).agg(F.sum("quantity").alias("units"), F.sum("revenue").alias("revenue"))


def _best_of_study(read: Read) -> DataFrame | None:
    metrics = study(read)
    return None if metrics is None else metrics.orderBy("rmse", "model").limit(2).select("model")


def _pairs(protocol: str, frame: DataFrame, predicted: Column, actual: Column) -> DataFrame:
    named = frame.select("model", predicted.alias("predicted"), actual.alias("actual"))
    binned = named.select("model", *_bin("predicted", SMALLEST_UNITS), *_bin("actual", SMALLEST_UNITS))
    return _counted(binned, "pairs").withColumn("protocol", F.lit(protocol))


def _bin(name: str, least: float) -> list[Column]:
    """The edges of the cell of a geometric grid, CELLS_TO_DOUBLE to a factor of two, that a value is in."""
    place = F.floor(F.log(F.greatest(F.col(name), F.lit(least)) / least) / (log(2) / CELLS_TO_DOUBLE))
    return [
        (least * F.pow(F.lit(2.0), (place + step) / CELLS_TO_DOUBLE)).alias(f"{name}_{end}")
        for step, end in ((0, "low"), (1, "high"))
    ]


def _counted(binned: DataFrame, name: str) -> DataFrame:
    return binned.groupBy(*binned.columns).agg(F.count(F.lit(1)).alias(name))
