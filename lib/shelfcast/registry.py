"""The registry: what became of each model at each cutoff."""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.ensembles import ENSEMBLES, FAMILY
from shelfcast.models import spec
from shelfcast.plan import Plan
from shelfcast.schemas import REGISTRY

_KEY = ("panel", "model", "cutoff")
INTENDED = (
    "panel string, model string, cutoff date, family string, minimises string, has_history boolean, detail string"
)


def intended(
    spark: SparkSession, plan: Plan, panel: str, models: Sequence[str], sampled: Mapping[str, int]
) -> DataFrame:
    """A row per model and cutoff that the backtest is to run: panel, model, cutoff, family, minimises, has_history,
    detail.

    sampled: the models that forecast the largest series alone, and how many of them.
    """
    rows = []
    for model in models:
        known = spec(model)
        wanted = known.minimum_history(plan.season)
        for cutoff in plan.cutoffs:
            has_history = cutoff >= wanted
            part = f"the largest {sampled[model]:,} series alone" if model in sampled else None
            detail = part if has_history else f"{cutoff} weeks known, wanted {wanted}"
            rows.append((panel, model, plan.last_week(cutoff), known.library, known.minimises, has_history, detail))
    return spark.createDataFrame(rows, INTENDED)


def intended_ensembles(spark: SparkSession, plan: Plan, panel: str) -> DataFrame:
    """As `intended`, of the ensembles, which have no window to learn from at the first cutoff."""
    rows = [
        (panel, name, plan.last_week(cutoff), FAMILY, ensemble.minimises, True, None)
        for name, ensemble in ENSEMBLES.items()
        for cutoff in plan.cutoffs[1:]
    ]
    return spark.createDataFrame(rows, INTENDED)


def as_registry(wanted: DataFrame, fitted: DataFrame, backtests: DataFrame, region: str, version: str) -> DataFrame:
    """Rows of models/registry. fitted: FIT_COLUMNS of the global models. backtests: forecasts/backtests."""
    series = (
        backtests.where(F.col("step") == 1)
        .groupBy(*_KEY)
        .agg(F.count(F.lit(1)).alias("series"), F.count("fallback").alias("fallbacks"))
    )
    joined = wanted.join(fitted, [*_KEY], how="left").join(series, [*_KEY], how="left")
    return joined.select(
        F.lit(region).alias("region"),
        *_KEY,
        F.lit(version).alias("version"),
        "family",
        "minimises",
        _status().alias("status"),
        F.coalesce("error", "detail").alias("detail"),
        "examples",
        F.coalesce("series", F.lit(0)).alias("series"),
        F.coalesce("fallbacks", F.lit(0)).alias("fallbacks"),
        "seconds",
        "artefact",
    ).select(*REGISTRY.names)


def current_networks(rows: DataFrame, panel_run: str, cutoffs: Sequence[date]) -> DataFrame:
    """Of models/network_registry the networks of the panel that the run `panel_run` made, at these cutoffs: others
    have not learned from what the baselines did."""
    return rows.where((F.col("panel_run") == F.lit(panel_run)) & F.col("cutoff").isin(*cutoffs))


def _status() -> Column:
    return (
        F.when(~F.col("has_history"), "not enough history")
        .when(F.col("error").isNotNull(), "failed")
        .otherwise("fitted")
    )
