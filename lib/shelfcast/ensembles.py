"""Ensembles of the baselines on Spark: weights learned on windows that were over, and the averages that follow."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.metrics import Metric, rmse, wape
from shelfcast.models import MODELS, ZERO
from shelfcast.models.ensemble import select_weights
from shelfcast.scoring import SCORED_COLUMNS
from shelfcast.table import column_names

FAMILY = "ensemble"
# Weights are few numbers: more series than these would not change them.
MOST_SERIES = 2000
_WEIGHTS = schemas.ENSEMBLES.columns.removeprefix("region string, ")
_KEYS = ("cutoff", "store_id", "item_id", "step")
_ROW = ("panel", "cutoff", "store_id", "item_id", "category_id", "step", "week", "y", "naive_mse")


class Ensemble(NamedTuple):
    """What an ensemble aims at, and the metric by which it weighs its members."""

    minimises: Literal["mean", "median"]
    metric: Metric


ENSEMBLES = {"ensemble_mean": Ensemble("mean", rmse), "ensemble_median": Ensemble("median", wape)}


def learn_weights(scored: DataFrame, cutoffs: Sequence[date]) -> DataFrame:
    """What each member weighs in each ensemble at each of `cutoffs`: panel, model, cutoff, member, weight, whole.

    scored: SCORED_COLUMNS of the members at several cutoffs. Weights at a cutoff rest on the windows that were over by
    then, so that the first has none. A member must have forecast all that others forecast there, and be fitted in a
    task: MLlib's fits are jobs of their own, which a member would cost at every cutoff. whole: whether demand
    was counted in whole units, so that its median is one.
    """
    at = F.explode(F.array(*[F.lit(cutoff) for cutoff in cutoffs])).alias("at")
    own = scored.where(~F.col("model").isin(*[name for name, model in MODELS.items() if model.library == "MLlib"]))
    known = _sampled(own).select("*", at).where((F.col("week") <= F.col("at")) & F.col("y").isNotNull())
    return known.groupBy("panel", "at").applyInPandas(_weigh, _WEIGHTS)


def average(scored: DataFrame, weights: DataFrame) -> DataFrame:
    """The ensembles' forecasts, SCORED_COLUMNS: the members' weighted average, of counted demand the median is whole.

    weights: rows of `learn_weights`.
    """
    members = weights.withColumnRenamed("model", "ensemble").withColumnRenamed("member", "model")
    weighed = scored.join(F.broadcast(members), ["panel", "model", "cutoff"])
    y_hat = F.sum(F.col("weight") * F.col("y_hat"))
    averaged = weighed.groupBy(F.col("ensemble").alias("model"), "whole", *_ROW).agg(y_hat.alias("y_hat"))
    medians = [name for name, ensemble in ENSEMBLES.items() if ensemble.minimises == "median"]
    # Sums of the same numbers in another order differ in the last digit, which must not decide where a half goes.
    whole = F.round(F.round("y_hat", 9))
    rounded = F.when(F.col("whole") & F.col("model").isin(medians), whole).otherwise(F.col("y_hat"))
    named = averaged.withColumn("y_hat", rounded).withColumn("fallback", F.lit(None).cast("string"))
    return named.select(*column_names(SCORED_COLUMNS))


def _sampled(scored: DataFrame) -> DataFrame:
    """The rows of at most about MOST_SERIES series a panel, drawn by hash."""
    series = scored.groupBy("panel").agg(F.approx_count_distinct(F.struct("store_id", "item_id")).alias("_series"))
    share = F.least(F.lit(1.0), MOST_SERIES / F.col("_series"))
    drawn = F.pmod(F.xxhash64("store_id", "item_id"), F.lit(1_000_000)) < share * 1_000_000
    return scored.join(F.broadcast(series), "panel").where(drawn).drop("_series")


def _weigh(rows: pd.DataFrame) -> pd.DataFrame:
    wide = rows.pivot_table(index=list(_KEYS), columns="model", values="y_hat")
    y = rows.drop_duplicates(list(_KEYS)).set_index(list(_KEYS))["y"].reindex(wide.index).to_numpy()
    members = {model: wide[model].to_numpy() for model in wide.columns[wide.notna().all()] if model != ZERO}
    named = {"panel": rows["panel"].iloc[0], "cutoff": rows["at"].iloc[0], "whole": bool((y % 1 == 0).all())}
    found = [
        {**named, "model": name, "member": member, "weight": weight}
        for name, ensemble in ENSEMBLES.items()
        for member, weight in select_weights(y, members, ensemble.metric).items()
    ]
    return pd.DataFrame(found, columns=column_names(_WEIGHTS))
