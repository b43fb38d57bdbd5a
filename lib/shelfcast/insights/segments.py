"""Segments by k-means: as many as tell the items apart best, each named by what sets it apart."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.insights.items import COORDINATES, FEATURES
from shelfcast.insights.labels import PLAIN, name_segments
from shelfcast.session import side_by_side

# A few extreme items would have segments of their own; that they are extreme is told of them as outliers.
_MOST_APART = 3.0
_POINT = "point"


class Segment(NamedTuple):
    """cluster: of the model; segment: 1 is the one of most revenue."""

    cluster: int
    segment: int
    label: str


class Clustering(NamedTuple):
    """A fitted model with its mean silhouette, from -1 to 1; no model where all are alike."""

    model: KMeansModel | None
    silhouette: float


def choose_clustering(points: DataFrame, fewest: int, most: int, seed: int) -> Clustering:
    """The number of clusters with the largest mean silhouette (Rousseeuw 1987), squared Euclidean as MLlib measures it,
    the smaller of equals. points: COORDINATES of a bounded sample.

    The sample lies sorted in one partition: k-means|| (Bahmani et al. 2012) draws by partition.
    """
    with _one_partition(points) as known:
        distinct = known.select(*COORDINATES).distinct().count()
        counts = range(min(fewest, distinct - 1), min(most, distinct - 1) + 1)
        tried = [partial(_fit, known, k, seed) for k in counts if k > 1]
        found = side_by_side(points.sparkSession, *tried) if tried else []
    return max(found, key=lambda one: one.silhouette, default=Clustering(None, 0.0))


@contextmanager
def _one_partition(points: DataFrame) -> Iterator[DataFrame]:
    known = _assembled(points).repartition(1).sortWithinPartitions(*COORDINATES).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield known
    finally:
        known.unpersist()


def _fit(points: DataFrame, k: int, seed: int) -> Clustering:
    model = KMeans(k=k, seed=seed, featuresCol=_POINT, predictionCol="cluster", maxIter=30).fit(points)
    assigned = model.transform(points)
    if assigned.select("cluster").distinct().count() < 2:
        return Clustering(model, -1.0)
    evaluator = ClusteringEvaluator(featuresCol=_POINT, predictionCol="cluster")
    return Clustering(model, round(float(evaluator.evaluate(assigned)), 6))


def assign(items: DataFrame, clustering: Clustering) -> DataFrame:
    """Adds `cluster` to items with COORDINATES; 0 where there is no model."""
    if clustering.model is None:
        return items.withColumn("cluster", F.lit(0))
    return clustering.model.transform(_assembled(items)).drop(_POINT)


def describe(kind: str, assigned: DataFrame) -> list[Segment]:
    """The segments in falling order of revenue, named by what sets them apart."""
    centres = [F.avg(f"{name}_scaled").alias(name) for name in FEATURES]
    found = assigned.groupBy("cluster").agg(F.sum("revenue").alias("revenue"), *centres).collect()
    found.sort(key=lambda row: (-row["revenue"], row["cluster"]))
    if len(found) == 1:
        return [Segment(found[0]["cluster"], 1, PLAIN)]
    labels = name_segments(kind, [{name: row[name] for name in FEATURES} for row in found])
    return [
        Segment(row["cluster"], place + 1, label) for place, (row, label) in enumerate(zip(found, labels, strict=True))
    ]


def with_segments(assigned: DataFrame, segments: Sequence[Segment]) -> DataFrame:
    """Adds segment and label in place of cluster."""
    named = assigned.sparkSession.createDataFrame(list(segments), "cluster int, segment int, label string")
    return assigned.join(F.broadcast(named), "cluster").drop("cluster")


def _assembled(items: DataFrame) -> DataFrame:
    near = {name: F.greatest(F.least(name, F.lit(_MOST_APART)), F.lit(-_MOST_APART)) for name in COORDINATES}
    inputs = [f"_{name}" for name in COORDINATES]
    clipped = items.withColumns({f"_{name}": value for name, value in near.items()})
    return VectorAssembler(inputCols=inputs, outputCol=_POINT).transform(clipped).drop(*inputs)
