"""Outliers: what lies where hardly anything else does (DBSCAN: Ester, Kriegel, Sander and Xu 1996).

DBSCAN compares each with each. It sees a bounded sample, in one task, of which the core points are kept; whatever is
farther than their reach from all of them is an outlier, in the sample as DBSCAN has it.
"""

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.cluster import DBSCAN
from sklearn.neighbors import KDTree, NearestNeighbors

from shelfcast.insights.items import COORDINATES
from shelfcast.panel import FloatArray
from shelfcast.panels import bucket_of

# Twice the dimensions (Sander, Ester, Kriegel and Xu 1998).
NEIGHBOURS = 2 * len(COORDINATES)
_KEY = ["kind", "item_id"]
_LEAST_REACH = 1e-6
_CORE = "reach double, " + ", ".join(f"{name} double" for name in COORDINATES)


def find_core(points: DataFrame) -> DataFrame:
    """The core points among `points`, COORDINATES of a bounded sample, and their reach; none where nothing is dense."""
    one_task = points.select(*COORDINATES).groupBy().applyInPandas(core_points, _CORE)
    return one_task.select("reach", *COORDINATES)


def core_points(points: pd.DataFrame) -> pd.DataFrame:
    """The rows that have NEIGHBOURS within reach, themselves counted, in order. reach: `knee` of the distances to the
    farthest of so many neighbours."""
    at: pd.DataFrame = points[[*COORDINATES]].sort_values([*COORDINATES], ignore_index=True)
    if len(at) < NEIGHBOURS:
        return pd.DataFrame(columns=["reach", *COORDINATES], dtype=float)
    values = at.to_numpy()
    distances, _ = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(values).kneighbors(values)
    reach = max(knee(distances[:, -1]), _LEAST_REACH)
    found = DBSCAN(eps=reach, min_samples=NEIGHBOURS).fit(values)
    core: pd.DataFrame = at.iloc[found.core_sample_indices_].assign(reach=reach)
    return core[["reach", *COORDINATES]]


def knee(distances: FloatArray) -> float:
    """Where the rising curve of the distances turns up: the value farthest below the line from its first to its last
    (Satopaa et al. 2011).

    >>> knee([5.0, 0.1, 0.2, 0.3, 0.4, 3.0])
    0.4
    """
    rising = np.sort(np.asarray(distances, dtype=np.float64))
    line = np.linspace(rising[0], rising[-1], len(rising))
    return float(rising[np.argmax(line - rising)])


def with_remoteness(items: DataFrame, core: DataFrame, buckets: int) -> DataFrame:
    """Adds remoteness, the distance to the nearest core point over its reach, null without any; and is_outlier, where
    that is above 1. items: kind, item_id and COORDINATES among other columns."""
    places = items.select(*_KEY, *COORDINATES, bucket_of(buckets).alias("bucket")).groupBy("bucket")
    everywhere = core.crossJoin(core.sparkSession.range(buckets).select(F.col("id").cast("int").alias("bucket")))
    found = places.cogroup(everywhere.groupBy("bucket")).applyInPandas(
        remoteness, "kind string, item_id string, remoteness double"
    )
    known = F.when(~F.isnan("remoteness"), F.col("remoteness"))
    told = found.withColumn("remoteness", known)
    is_outlier = F.coalesce(F.col("remoteness") > 1, F.lit(False))
    return items.join(told.withColumn("is_outlier", is_outlier), _KEY)


def remoteness(items: pd.DataFrame, core: pd.DataFrame) -> pd.DataFrame:
    """kind, item_id and remoteness of each item; NaN where there is no core."""
    if core.empty or items.empty:
        return items[_KEY].assign(remoteness=np.nan)
    nearest, _ = KDTree(core[[*COORDINATES]].to_numpy()).query(items[[*COORDINATES]].to_numpy())
    return items[_KEY].assign(remoteness=nearest[:, 0] / core["reach"].iloc[0])
