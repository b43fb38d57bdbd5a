import numpy as np
import pytest
from chispa import assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.ml.linalg import SparseVector, Vectors
from pyspark.sql import SparkSession

from shelfcast.encoding import encode, fit_scaler, fit_vocabulary, one_hot, standardize, vocabulary_sizes

SALES = "store_id string, brand string"
FEW_EXAMPLES = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_most_frequent_value_is_first_and_ties_go_by_text(spark: SparkSession) -> None:
    sales = spark.createDataFrame([("b", "x"), ("c", None), ("a", "x"), ("c", "y"), ("b", None)], SALES)
    expected = spark.createDataFrame(
        [("brand", "x", 1), ("brand", "y", 2), ("store_id", "b", 1), ("store_id", "c", 2), ("store_id", "a", 3)],
        "column string, value string, index int",
    )
    vocabulary = fit_vocabulary(sales, ["store_id", "brand"])
    assert_df_equality(vocabulary, expected, ignore_row_order=True, ignore_nullable=True)
    assert vocabulary_sizes(vocabulary) == {"store_id": 4, "brand": 3}


def test_never_seen_and_null_have_index_0(spark: SparkSession) -> None:
    vocabulary = fit_vocabulary(spark.createDataFrame([("a",), ("a",), ("b",)], "store_id string"), ["store_id"])
    frame = spark.createDataFrame([("b", 1), ("new", 2), (None, 3), ("a", 4)], "store_id string, units int")
    expected = spark.createDataFrame(
        [("b", 1, 2), ("new", 2, 0), (None, 3, 0), ("a", 4, 1)], "store_id string, units int, store_id_index int"
    )
    found = encode(frame, vocabulary, ["store_id"])
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_a_name_of_one_column_is_unknown_to_another(spark: SparkSession) -> None:
    sales = spark.createDataFrame([("7", "x")], SALES)
    vocabulary = fit_vocabulary(sales, ["store_id", "brand"])
    found = encode(spark.createDataFrame([("x", "7")], SALES), vocabulary, ["store_id", "brand"]).first()
    assert found is not None
    assert (found.store_id_index, found.brand_index) == (0, 0)


@given(st.lists(st.tuples(st.text(max_size=4), st.text(alphabet="abc", max_size=1)), min_size=1, max_size=40))
@FEW_EXAMPLES
def test_each_name_has_one_index_and_each_index_one_name(spark: SparkSession, rows: list[tuple[str, str]]) -> None:
    frame = spark.createDataFrame(rows, SALES)
    vocabulary = fit_vocabulary(frame, ["store_id", "brand"])
    encoded = encode(frame, vocabulary, ["store_id", "brand"]).collect()
    assert len(encoded) == len(rows)
    for name in ("store_id", "brand"):
        pairs = {(row[name], row[f"{name}_index"]) for row in encoded}
        assert len(pairs) == len({word for word, _ in pairs}) == len({index for _, index in pairs})
        assert min(index for _, index in pairs) == 1


@given(st.permutations(["a"] * 3 + ["b"] * 3 + ["c", "d", "e"]), st.integers(1, 5))
@FEW_EXAMPLES
def test_neither_order_nor_partitions_change_a_vocabulary(
    spark: SparkSession, values: list[str], partitions: int
) -> None:
    frame = spark.createDataFrame([(value,) for value in values], "brand string").repartition(partitions)
    found = {row.value: row["index"] for row in fit_vocabulary(frame, ["brand"]).collect()}
    assert found == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


def test_one_hot_is_sparse_and_as_long_as_the_vocabulary_whatever_the_frame_holds(spark: SparkSession) -> None:
    encoded = spark.createDataFrame([(0, 2), (1, 0)], "store_id_index int, brand_index int")
    found = one_hot(encoded, {"store_id": 4, "brand": 3}).collect()
    assert [(row.store_id_one_hot, row.brand_one_hot) for row in found] == [
        (Vectors.sparse(4, [0], [1.0]), Vectors.sparse(3, [2], [1.0])),
        (Vectors.sparse(4, [1], [1.0]), Vectors.sparse(3, [0], [1.0])),
    ]
    assert all(isinstance(row.store_id_one_hot, SparseVector) for row in found)


def test_standardizes_by_the_training_frame_and_leaves_null(spark: SparkSession) -> None:
    scaler = fit_scaler(spark.createDataFrame([(1.0,), (3.0,), (None,)], "price double"), ["price"])
    found = standardize(spark.createDataFrame([(5.0,), (None,)], "price double"), scaler)
    expected = spark.createDataFrame([(5.0, 3.0), (None, None)], "price double, price_scaled double")
    assert_df_equality(found, expected, ignore_nullable=True)


@pytest.mark.parametrize("value", [pytest.param(0.1, id="a-constant"), pytest.param(None, id="nothing-but-null")])
def test_a_column_without_spread_is_divided_by_one(spark: SparkSession, value: float | None) -> None:
    frame = spark.createDataFrame([(value,)] * 7, "price double").repartition(3)
    scaler = fit_scaler(frame, ["price"]).first()
    assert scaler is not None
    assert (scaler.mean, scaler.std) == (pytest.approx(value or 0.0), 1.0)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(-1000, 1000)), min_size=2, max_size=40))
@FEW_EXAMPLES
def test_moments_agree_with_numpy(spark: SparkSession, rows: list[tuple[float, int]]) -> None:
    frame = spark.createDataFrame(rows, "price double, size int")
    found = {row["column"]: (row["mean"], row["std"]) for row in fit_scaler(frame, ["price", "size"]).collect()}
    for name, values in zip(("price", "size"), np.array(rows, dtype=float).T, strict=True):
        spread = values.std() if np.ptp(values) > 0 else 1.0
        assert found[name] == pytest.approx((values.mean(), spread), rel=1e-6, abs=1e-6)


def test_each_group_has_a_vocabulary_and_a_scaler_of_its_own(spark: SparkSession) -> None:
    rows = [("a", "x", 1.0), ("a", "x", 3.0), ("a", "y", 2.0), ("b", "y", 10.0)]
    frame = spark.createDataFrame(rows, "panel string, brand string, price double")
    words = {(row.panel, row.value): row["index"] for row in fit_vocabulary(frame, ["brand"], by=["panel"]).collect()}
    assert words == {("a", "x"): 1, ("a", "y"): 2, ("b", "y"): 1}
    means = {row.panel: (row.column, row["mean"]) for row in fit_scaler(frame, ["price"], by=["panel"]).collect()}
    assert means == {"a": ("price", 2.0), "b": ("price", 10.0)}
