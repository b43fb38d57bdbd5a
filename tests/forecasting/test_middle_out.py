from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from chispa import assert_approx_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import types as spark_types

from builders import Row, frame
from panel_builders import week
from shelfcast.forecasting.middle_out import MODELLED, SHARED, scale_modelled, share_out, split_categories

CUTOFF = date(2017, 11, 6)
_CATEGORY = "cutoff date, store_id string, category_id string"
CATEGORY_MEANS = f"{_CATEGORY}, step int, mean double, unlisted double"
PRODUCT_MEANS = f"{_CATEGORY}, item_id string, step int, mean double, method string"
SHARES = f"{_CATEGORY}, item_id string, weight double"
SPLIT = (
    f"{_CATEGORY}, step int, weights double, thin bigint, factor double, equal_part double, remainder double, "
    "unlisted double"
)
FEW_EXAMPLES = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Group:
    """A category of a store at one step: its mean, those of its modelled products, the weights of its thin ones, the
    share of those not listed yet."""

    whole: float
    models: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    unlisted: float = 0.0


@dataclass(frozen=True)
class Means:
    models: list[float]
    thin: list[float]
    unlisted: float = 0.0


def split_by_hand(group: Group, floor: float) -> Means:
    """The rules of the split, one group after the other."""
    modelled, whole = sum(group.models), group.whole * (1 - group.unlisted)
    if not group.models and not group.weights:
        return Means([], [], group.whole)
    unlisted, left = group.whole - whole, whole
    if not group.weights:
        scaled = [mean * whole / modelled for mean in group.models] if modelled else []
        return Means(scaled or [whole / len(group.models)] * len(group.models), [], unlisted)
    if modelled:
        left = max(whole - modelled, floor * whole)
    models = [mean / modelled * (whole - left) if modelled else 0.0 for mean in group.models]
    weights = group.weights if sum(group.weights) else (1.0,) * len(group.weights)
    return Means(models, [left * weight / sum(weights) for weight in weights], unlisted)


def split_on_spark(spark: SparkSession, groups: Sequence[Group], floor: float) -> list[Means]:
    """All groups side by side, each a category of its own store."""
    whole: list[Row] = []
    models: list[Row] = []
    weights: list[Row] = []
    for number, group in enumerate(groups):
        at = {"cutoff": CUTOFF, "store_id": f"s{number}", "category_id": "c1"}
        whole.append({**at, "step": 1, "mean": float(group.whole), "unlisted": group.unlisted})
        modelled = {**at, "step": 1, "method": MODELLED}
        models += [{**modelled, "item_id": f"{n}", "mean": float(mean)} for n, mean in enumerate(group.models)]
        weights += [{**at, "item_id": f"{n}", "weight": float(weight)} for n, weight in enumerate(group.weights)]
    products, shares = frame(spark, PRODUCT_MEANS, *models), frame(spark, SHARES, *weights)
    split = split_categories(frame(spark, CATEGORY_MEANS, *whole), products, shares, floor)
    rows = scale_modelled(products, split).unionByName(share_out(shares, split)).collect()
    unlisted = {row["store_id"]: row["unlisted"] for row in split.collect()}
    stores = [f"s{n}" for n in range(len(groups))]
    return [Means(of_store(rows, s, MODELLED), of_store(rows, s, SHARED), unlisted[s]) for s in stores]


def of_store(rows: Sequence[spark_types.Row], store: str, method: str) -> list[float]:
    mine = sorted((row["item_id"], row["mean"]) for row in rows if (row["store_id"], row["method"]) == (store, method))
    return [mean for _, mean in mine]


def is_near(found: Means, expected: Means, size: float = 1.0) -> bool:
    near = 1e-9 * max(size, 1.0)
    pairs = [(found.models, expected.models), (found.thin, expected.thin), ([found.unlisted], [expected.unlisted])]
    return all(mine == pytest.approx(other, rel=1e-9, abs=near) for mine, other in pairs)


FLOOR = 0.1
CASES = [
    pytest.param(Group(10, (2, 3), (3, 1)), Means([2, 3], [3.75, 1.25]), id="the-thin-share-what-the-modelled-leave"),
    pytest.param(Group(10, (6, 12), (3, 1)), Means([3, 6], [0.75, 0.25]), id="more-than-the-whole-leaves-the-floor"),
    pytest.param(Group(10, (9.5,), (1,)), Means([9], [1]), id="less-than-the-floor-is-left"),
    pytest.param(Group(10, (2, 3)), Means([4, 6], []), id="no-thin-ones-the-modelled-make-up-the-whole"),
    pytest.param(Group(10, (), (1, 3)), Means([], [2.5, 7.5]), id="no-modelled-ones-the-thin-share-it-all"),
    pytest.param(Group(10, (0, 0)), Means([5, 5], []), id="all-zero-modelled-alone-take-equal-parts"),
    pytest.param(Group(10, (0, 0), (1, 1)), Means([0, 0], [5, 5]), id="all-zero-modelled-leave-all-to-the-thin"),
    pytest.param(Group(10, (2,), (0, 0)), Means([2], [4, 4]), id="zero-weights-share-alike"),
    pytest.param(Group(0, (2, 3), (1,)), Means([0, 0], [0]), id="of-nothing-everyone-has-nothing"),
    pytest.param(Group(10, (2, 3), (3, 1), 0.3), Means([2, 3], [1.5, 0.5], 3), id="the-unlisted-have-their-share"),
    pytest.param(Group(10, (4, 8), (1,), 0.5), Means([1.5, 3], [0.5], 5), id="the-floor-is-of-what-they-leave"),
    pytest.param(Group(10, (2,), (), 0.4), Means([6], [], 4), id="no-thin-ones-the-modelled-make-up-what-they-leave"),
    pytest.param(Group(10, (), (), 0.4), Means([], [], 10), id="where-nobody-else-is-left-they-have-all"),
    pytest.param(Group(10, (2,), (1,), 1.0), Means([0], [0], 10), id="all-that-sells-is-new"),
    pytest.param(Group(0, (2,), (1,), 0.4), Means([0], [0], 0), id="of-nothing-they-have-nothing"),
]  # fmt: skip


@pytest.fixture(scope="module")
def worked(spark: SparkSession) -> dict[Group, Means]:
    groups = [group for group, _ in map(of_case, CASES)]
    return dict(zip(groups, split_on_spark(spark, groups, FLOOR), strict=True))


def of_case(case: Any) -> tuple[Group, Means]:
    group, expected = case.values
    return group, expected


@pytest.mark.parametrize(("group", "expected"), CASES)
def test_a_category_is_split(group: Group, expected: Means, worked: dict[Group, Means]) -> None:
    assert is_near(worked[group], expected)
    assert is_near(split_by_hand(group, FLOOR), expected)


amounts = st.just(0.0) | st.floats(1e-6, 1e6)
members = st.lists(amounts, max_size=4).map(tuple)
groups = st.builds(Group, amounts, members, members, st.just(0.0) | st.floats(0.0, 1.0))


@given(st.lists(groups, min_size=40, max_size=60), st.sampled_from([0.0, 0.05, 0.5]))
@FEW_EXAMPLES
def test_means_add_up_none_is_negative_and_all_are_as_by_hand(
    spark: SparkSession, drawn: list[Group], floor: float
) -> None:
    for group, found in zip(drawn, split_on_spark(spark, drawn, floor), strict=True):
        means = [*found.models, *found.thin, found.unlisted]
        assert sum(means) == pytest.approx(group.whole, rel=1e-9, abs=1e-9)
        assert min(means) >= 0
        assert is_near(found, split_by_hand(group, floor), group.whole)


def test_steps_cutoffs_and_stores_are_split_each_on_its_own(spark: SparkSession) -> None:
    keys = [
        (CUTOFF, "s1", 1, 10.0, 4.0),
        (CUTOFF, "s1", 2, 20.0, 4.0),
        (week(1), "s1", 1, 30.0, 4.0),
        (CUTOFF, "s2", 1, 40.0, 8.0),
    ]
    named = [
        {"cutoff": cutoff, "store_id": store, "category_id": "c1", "step": step} for cutoff, store, step, _, _ in keys
    ]
    whole = [{**key, "mean": row[3], "unlisted": 0.1} for key, row in zip(named, keys, strict=True)]
    products = [{**key, "item_id": "p1", "mean": row[4]} for key, row in zip(named, keys, strict=True)]
    weights = [(CUTOFF, "s1", 1.0), (week(1), "s1", 2.0), (CUTOFF, "s2", 4.0)]
    shares = [{"cutoff": c, "store_id": s, "category_id": "c1", "item_id": "p2", "weight": w} for c, s, w in weights]
    expected = [
        (CUTOFF, "s1", "c1", 1, 1.0, 1, 1.0, 9.0, 5.0, 1.0),
        (CUTOFF, "s1", "c1", 2, 1.0, 1, 1.0, 18.0, 14.0, 2.0),
        (week(1), "s1", "c1", 1, 2.0, 1, 1.0, 27.0, 23.0, 3.0),
        (CUTOFF, "s2", "c1", 1, 4.0, 1, 1.0, 36.0, 28.0, 4.0),
    ]
    found = split_categories(
        frame(spark, CATEGORY_MEANS, *whole),
        frame(spark, PRODUCT_MEANS, *products),
        frame(spark, SHARES, *shares),
        0.05,
    )
    order = ["cutoff", "store_id", "step"]
    expected_frame = spark.createDataFrame(expected, SPLIT)
    assert_approx_df_equality(found.orderBy(order), expected_frame.orderBy(order), 1e-12, ignore_nullable=True)
