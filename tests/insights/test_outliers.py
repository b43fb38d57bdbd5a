import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from sklearn.cluster import DBSCAN

from shelfcast.insights.items import COORDINATES
from shelfcast.insights.outliers import NEIGHBOURS, core_points, find_core, knee, remoteness, with_remoteness


def points(seed: int, dense: int = 120, remote: int = 4) -> pd.DataFrame:
    """Many items alike, and some that are far from them and from one another."""
    draw = np.random.default_rng(seed)
    near = draw.normal(0, 1, (dense, len(COORDINATES)))
    far = draw.normal(0, 1, (remote, len(COORDINATES))) + 30 * np.eye(len(COORDINATES))[:remote]
    frame = pd.DataFrame(np.vstack([near, far]).round(6), columns=list(COORDINATES))
    return frame.assign(kind="product", item_id=[f"p{n}" for n in range(len(frame))])


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_in_the_sample_the_outliers_are_those_of_dbscan(seed: int) -> None:
    found = points(seed)
    core = core_points(found)
    noise = DBSCAN(eps=core["reach"].iloc[0], min_samples=NEIGHBOURS).fit(found[[*COORDINATES]]).labels_ == -1
    assert (remoteness(found, core)["remoteness"].to_numpy() > 1).tolist() == noise.tolist()
    assert noise[-4:].all()


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_neither_order_nor_names_change_who_is_an_outlier(seed: int) -> None:
    found = points(seed)
    other = found.sample(frac=1, random_state=seed).assign(item_id=lambda rows: "x" + rows["item_id"])
    one, two = (remoteness(rows, core_points(rows)).set_index("item_id")["remoteness"] for rows in (found, other))
    assert one.to_numpy() == pytest.approx(two.loc["x" + one.index].to_numpy(), abs=1e-12)


def test_an_item_outside_the_sample_is_judged_by_its_core_points() -> None:
    core = core_points(points(1))
    new = pd.DataFrame([[0.0] * len(COORDINATES), [9.0] * len(COORDINATES)], columns=list(COORDINATES))
    near, far = remoteness(new.assign(kind="product", item_id=["near", "far"]), core)["remoteness"]
    assert near < 1 < far


def test_too_few_items_have_no_dense_place() -> None:
    found = points(1, dense=NEIGHBOURS - 5)
    assert core_points(found).empty
    assert remoteness(found, core_points(found))["remoteness"].isna().all()


def test_items_that_are_all_alike_have_no_outlier() -> None:
    alike = pd.DataFrame(np.ones((40, len(COORDINATES))), columns=list(COORDINATES))
    found = remoteness(alike.assign(kind="product", item_id="p"), core_points(alike))
    assert (found["remoteness"] == 0).all()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_the_knee_is_one_of_the_distances(distances: list[float]) -> None:
    assert knee(np.array(distances)) in distances


def test_spark_finds_what_one_machine_does_however_the_rows_lie(spark: SparkSession) -> None:
    found = points(2)
    frame = spark.createDataFrame(found)
    expected = remoteness(found, core_points(found)).set_index("item_id")["remoteness"]
    for partitions, buckets in ((1, 1), (7, 3)):
        laid = frame.repartition(partitions, "item_id")
        told = with_remoteness(laid, find_core(laid), buckets).toPandas().set_index("item_id")
        assert told["remoteness"].loc[expected.index].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
        assert told["is_outlier"].loc[expected.index].tolist() == (expected > 1).tolist()
