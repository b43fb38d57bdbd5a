"""Training examples from panels, bucket by bucket on the executors."""

import pandas as pd
from pyspark.sql import DataFrame

from shelfcast.features import NUMERIC_FEATURES, make_examples, share_of
from shelfcast.panel import Axis, densify
from shelfcast.panels import by_bucket
from shelfcast.schemas import Table

# What the plan of promotions says of the target week goes with the features of the past.
FEATURES = (*(name for name in NUMERIC_FEATURES if name != "step"), "planned_promoted")
TRAINING_FRAME = Table(
    "features/training_frame",
    "region string, panel string, store_id string, item_id string, category_id string, origin int, "
    "step int, week date, "
    "y double, scale double, " + ", ".join(f"{name} float" for name in FEATURES),
    key=("region", "panel", "store_id", "item_id", "origin", "step"),
    checks={"target_is_known": "y is not null"},
    partitions=("region", "panel"),
)


def sample_training_examples(
    panel: DataFrame, axis: Axis, origins: range, most: int, buckets: int, seed: int, country: str
) -> DataFrame:
    """About `most` examples of one panel with a known target, as features/training_frame keeps them.

    panel: rows of one panel of features/panel_demand. origins: weeks known at the origins to draw from.
    """

    series = panel.select("store_id", "item_id", "category_id").distinct().count()
    share = share_of(most, series, len(axis.weeks), origins, axis.horizon)

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        examples = make_examples(densify(rows, axis), origins, axis.horizon, share, seed, country)
        named = examples.assign(
            region=rows["region"].iloc[0], panel=rows["panel"].iloc[0], week=examples["period"].dt.date
        )
        return named[TRAINING_FRAME.names].astype(
            {"origin": "int32", "step": "int32", **dict.fromkeys(FEATURES, "float32")}
        )

    return by_bucket(panel, buckets).applyInPandas(of_bucket, TRAINING_FRAME.columns)
