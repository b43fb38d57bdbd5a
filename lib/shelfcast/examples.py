"""Training examples from panels, bucket by bucket on the executors."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.features import NUMERIC_FEATURES, known_targets, make_examples, share_of
from shelfcast.history import selling_weeks
from shelfcast.panel import PLANNED, RECENT, Axis, densify
from shelfcast.panels import by_bucket
from shelfcast.table import Table

# What the plan of promotions says of the target week goes with the features of the past.
FEATURES = (*(name for name in NUMERIC_FEATURES if name != "step"), "planned_promoted")
TRAINING_FRAME = Table(
    "features/training_frame",
    "region string, panel string, store_id string, item_id string, category_id string, origin int, "
    "step int, week date, "
    # conditions: feature -> value, of what goes on beside sales; as many as the configuration names.
    "y double, scale double, conditions map<string,double>, " + ", ".join(f"{name} float" for name in FEATURES),
    key=("region", "panel", "store_id", "item_id", "origin", "step"),
    checks={"target_is_known": "y is not null"},
    partitions=("region", "panel"),
)


def sample_training_examples(
    panel: DataFrame,
    axis: Axis,
    origins: range,
    least_weeks: int,
    most: int,
    buckets: int,
    seed: int,
    country: str,
) -> DataFrame:
    """About `most` examples of one panel with a known target, as features/training_frame keeps them.

    panel: rows of one panel of features/panel_demand. origins: weeks known at the origins to draw from. Of a series
    only the origins by which it had sold in `least_weeks` weeks: from others nothing is forecast, and which series were
    to sell on was not known there.
    """
    share = share_of(most, count_examples(panel, axis, origins, least_weeks))

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        dense = densify(rows, axis)
        examples = make_examples(dense, origins, axis.horizon, share, seed, country)
        weeks = selling_weeks(dense.y)[examples["series"], examples["origin"] - 1]
        examples = examples[weeks >= least_weeks]
        named = examples.assign(
            region=rows["region"].iloc[0],
            panel=rows["panel"].iloc[0],
            week=examples["period"].dt.date,
            conditions=pack_conditions(examples),
        )
        return named[TRAINING_FRAME.names].astype(
            {"origin": "int32", "step": "int32", **dict.fromkeys(FEATURES, "float32")}
        )

    return by_bucket(panel, buckets).applyInPandas(of_bucket, TRAINING_FRAME.columns)


def pack_conditions(examples: pd.DataFrame) -> "pd.Series[Any]":
    """The features of conditions, of which no table can know the names, as one value a row; None where there are
    none."""
    names = [str(name) for name in examples if str(name).startswith((PLANNED, RECENT)) and name not in FEATURES]
    told = [dict(zip(names, row, strict=True)) for row in examples[names].to_numpy()]
    packed = [{name: value for name, value in row.items() if value == value} or None for row in told]
    return pd.Series(packed, index=examples.index, dtype=object)


def unpack_conditions(examples: pd.DataFrame) -> pd.DataFrame:
    """The examples with a column a feature in the place of `conditions`."""
    told = [dict(each) if each is not None else {} for each in examples["conditions"]]
    plain, names = examples.drop(columns="conditions"), sorted({name for each in told for name in each})
    return plain.assign(**{name: [each.get(name, np.nan) for each in told] for name in names})


def count_examples(panel: DataFrame, axis: Axis, origins: range, least_weeks: int) -> int:
    """How many examples with a known target the panel has."""
    sold = F.when((F.col("quantity") > 0) & F.col("week").between(axis.weeks[0], axis.weeks[-1]), F.col("week"))
    by_series = panel.groupBy("store_id", "item_id", "category_id").agg(F.sort_array(F.collect_set(sold)).alias("sold"))
    # A series has no more selling weeks than the axis has weeks.
    reached = F.get("sold", F.lit(least_weeks - 1)) if least_weeks else F.lit(axis.weeks[0])
    weeks = F.datediff(reached, F.lit(axis.weeks[0])) / 7 + 1
    from_origin = by_series.select(F.greatest(weeks, F.lit(origins.start)).cast("int").alias("origin"), reached)
    counts = from_origin.where(reached.isNotNull()).groupBy("origin").count()
    return sum(
        row["count"] * known_targets(len(axis.weeks), range(row["origin"], origins.stop), axis.horizon)
        for row in counts.toLocalIterator()
    )
