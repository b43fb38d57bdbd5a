import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from shelfcast.insights.items import COORDINATES, FEATURES, sample, with_coordinates
from shelfcast.insights.segments import assign, choose_clustering, describe, with_segments

# level, cv2, adi, price: fast and steady, slow and erratic, dear and sold now and then
KINDS = {"fast": (400.0, 0.1, 1.0, 2.0), "slow": (4.0, 2.0, 2.0, 2.0), "dear": (3.0, 0.4, 8.0, 90.0)}


def items(spark: SparkSession, name: str = "p") -> DataFrame:
    """Ninety products of three kinds, as `describe` measures them."""
    draw = np.random.default_rng(11)
    rows = []
    for kind, centre in KINDS.items():
        for number in range(30):
            measures = np.array(centre) * draw.lognormal(0, 0.1, 4)
            rows.append(("product", f"{name}{number}{kind}", float(measures[0] * 10), *map(float, measures)))
    frame = pd.DataFrame(rows, columns=["kind", "item_id", "revenue", "level", "cv2", "adi", "price"])
    frame = frame.assign(trend=0.0, season=np.nan, discounted=0.1, breadth=5)
    return spark.createDataFrame(frame)


def segmented(frame: DataFrame) -> pd.DataFrame:
    placed = with_coordinates(frame).cache()
    clustering = choose_clustering(sample(placed, 60, seed=27), 2, 4, seed=27)
    assigned = assign(placed, clustering)
    return with_segments(assigned, describe("product", assigned)).toPandas().sort_values("item_id")


def test_three_kinds_are_three_segments_whatever_they_are_called_and_wherever_they_lie(spark: SparkSession) -> None:
    found = segmented(items(spark).repartition(5))
    by_kind = found.groupby(found["item_id"].str[-4:])[["segment", "label"]].nunique()
    assert (by_kind == 1).all().all()
    assert found["segment"].nunique() == 3
    assert found.loc[found["segment"] == 1, "label"].iloc[0].startswith("fast, sold most weeks, steady")
    renamed = segmented(items(spark, "store ").repartition(2, "price"))
    assert renamed["segment"].tolist() == found["segment"].tolist()
    assert renamed["label"].tolist() == found["label"].tolist()


def test_coordinates_are_standard_deviations_from_the_mean_and_0_where_not_known(spark: SparkSession) -> None:
    found = with_coordinates(items(spark)).toPandas()
    logs = np.log(found["level"])
    assert found["level_scaled"].to_numpy() == pytest.approx(((logs - logs.mean()) / logs.std(ddof=0)), abs=1e-5)
    assert (found["season_scaled"] == 0).all()
    assert (found["discounted_scaled"] == 0).all()
    assert {name.removesuffix("_scaled") for name in COORDINATES} == {*FEATURES}


def test_items_that_are_all_alike_are_one_segment(spark: SparkSession) -> None:
    placed = with_coordinates(items(spark).where("item_id = 'p0fast'"))
    clustering = choose_clustering(sample(placed, 60, seed=27), 3, 5, seed=27)
    assert clustering.model is None
    (segment,) = describe("product", assign(placed, clustering))
    assert (segment.segment, segment.label) == (1, "like the average")
