from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from chispa import assert_approx_df_equality, assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import types as spark_types

from builders import Row, demand, frame
from panel_builders import week
from shelfcast.config import Forecast
from shelfcast.forecasting.middle_out import (
    MODELLED,
    SHARED,
    scale_modelled,
    share_out,
    share_weights,
    split_categories,
)
from shelfcast.schemas import DEMAND, SERIES

CUTOFF = date(2017, 11, 6)
_CATEGORY = "cutoff date, store_id string, category_id string"
CATEGORY_MEANS = f"{_CATEGORY}, step int, mean double"
PRODUCT_MEANS = f"{_CATEGORY}, item_id string, step int, mean double"
SHARES = f"{_CATEGORY}, item_id string, weight double"
SPLIT = f"{_CATEGORY}, step int, weights double, thin bigint, factor double, equal_part double, remainder double"
FEW_EXAMPLES = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Group:
    """A category of a store at one step: its mean, those of its modelled products, the weights of its thin ones."""

    whole: float
    models: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Means:
    models: list[float]
    thin: list[float]


def split_by_hand(group: Group, floor: float) -> Means:
    """The rules of the split, one group after the other."""
    modelled, left = sum(group.models), group.whole
    if not group.weights:
        scaled = [mean * group.whole / modelled for mean in group.models] if modelled else []
        return Means(scaled or [group.whole / len(group.models)] * len(group.models), [])
    if modelled:
        left = max(group.whole - modelled, floor * group.whole)
    models = [mean / modelled * (group.whole - left) if modelled else 0.0 for mean in group.models]
    weights = group.weights if sum(group.weights) else (1.0,) * len(group.weights)
    return Means(models, [left * weight / sum(weights) for weight in weights])


def split_on_spark(spark: SparkSession, groups: Sequence[Group], floor: float) -> list[Means]:
    """All groups side by side, each a category of its own store."""
    whole: list[Row] = []
    models: list[Row] = []
    weights: list[Row] = []
    for number, group in enumerate(groups):
        at = {"cutoff": CUTOFF, "store_id": f"s{number}", "category_id": "c1"}
        whole.append({**at, "step": 1, "mean": float(group.whole)})
        models += [{**at, "item_id": f"{n}", "step": 1, "mean": float(mean)} for n, mean in enumerate(group.models)]
        weights += [{**at, "item_id": f"{n}", "weight": float(weight)} for n, weight in enumerate(group.weights)]
    products, shares = frame(spark, PRODUCT_MEANS, *models), frame(spark, SHARES, *weights)
    split = split_categories(frame(spark, CATEGORY_MEANS, *whole), products, shares, floor)
    rows = scale_modelled(products, split).unionByName(share_out(shares, split)).collect()
    return [Means(*(of_store(rows, f"s{n}", method) for method in (MODELLED, SHARED))) for n in range(len(groups))]


def of_store(rows: Sequence[spark_types.Row], store: str, method: str) -> list[float]:
    mine = sorted((row["item_id"], row["mean"]) for row in rows if (row["store_id"], row["method"]) == (store, method))
    return [mean for _, mean in mine]


def is_near(found: Means, expected: Means, size: float = 1.0) -> bool:
    near = 1e-9 * max(size, 1.0)
    return found.models == pytest.approx(expected.models, rel=1e-9, abs=near) and found.thin == pytest.approx(
        expected.thin, rel=1e-9, abs=near
    )


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
groups = st.builds(Group, amounts, members, members).filter(lambda group: group.models or group.weights)


@given(st.lists(groups, min_size=40, max_size=60), st.sampled_from([0.0, 0.05, 0.5]))
@FEW_EXAMPLES
def test_means_add_up_none_is_negative_and_all_are_as_by_hand(
    spark: SparkSession, drawn: list[Group], floor: float
) -> None:
    for group, found in zip(drawn, split_on_spark(spark, drawn, floor), strict=True):
        means = found.models + found.thin
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
    whole = [{**key, "mean": row[3]} for key, row in zip(named, keys, strict=True)]
    products = [{**key, "item_id": "p1", "mean": row[4]} for key, row in zip(named, keys, strict=True)]
    weights = [(CUTOFF, "s1", 1.0), (week(1), "s1", 2.0), (CUTOFF, "s2", 4.0)]
    shares = [{"cutoff": c, "store_id": s, "category_id": "c1", "item_id": "p2", "weight": w} for c, s, w in weights]
    expected = [
        (CUTOFF, "s1", "c1", 1, 1.0, 1, 1.0, 10.0, 6.0),
        (CUTOFF, "s1", "c1", 2, 1.0, 1, 1.0, 20.0, 16.0),
        (week(1), "s1", "c1", 1, 2.0, 1, 1.0, 30.0, 26.0),
        (CUTOFF, "s2", "c1", 1, 4.0, 1, 1.0, 40.0, 32.0),
    ]
    found = split_categories(
        frame(spark, CATEGORY_MEANS, *whole),
        frame(spark, PRODUCT_MEANS, *products),
        frame(spark, SHARES, *shares),
        0.05,
    )
    assert_df_equality(found, spark.createDataFrame(expected, SPLIT), ignore_row_order=True, ignore_nullable=True)


def test_recent_units_weigh_whole_and_older_ones_less(spark: SparkSession) -> None:
    sold = [
        # last week that counts whole, the one before it, and one after the earlier cutoff
        *(demand(quantity, week(n), item_id="p1") for n, quantity in ((2, 1.0), (3, 10.0), (5, 100.0), (6, 1000.0))),
        demand(7.0, week(6), item_id="p2"),
        demand(9.0, week(1), item_id="refused"),
    ]
    listed = [{"store_id": "s1", "item_id": item, "category_id": "c1"} for item in ("p1", "p2", "never")]
    found = share_weights(
        frame(spark, DEMAND["weekly"], *sold),
        frame(spark, SERIES, *listed),
        [week(5), week(6)],
        Forecast(share_weeks=3, share_prior=0.5, remainder_floor=0.0, calibration_share=1.0),
    )
    expected = spark.createDataFrame(
        [
            # of weeks 3 to 5 and before
            (week(5), "s1", "p1", "c1", 110.5),
            # of weeks 4 to 6 and before
            (week(6), "s1", "p1", "c1", 1105.5),
            # had not sold by week 5: no row there; the one that never sold has its row at the last cutoff
            (week(6), "s1", "p2", "c1", 7.0),
            (week(6), "s1", "never", "c1", 0.0),
        ],
        "cutoff date, store_id string, item_id string, category_id string, weight double",
    )
    order = ["cutoff", "item_id"]
    assert_approx_df_equality(found.orderBy(order), expected.orderBy(order), 1e-12, ignore_nullable=True)
