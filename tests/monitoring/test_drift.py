from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import frame, sale
from shelfcast import schemas
from shelfcast.monitoring import drift
from shelfcast.settings.monitoring import Monitoring

AS_OF = date(2017, 12, 31)
counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=20).filter(any)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=2, max_size=12))
def test_the_index_is_never_below_0_and_the_same_both_ways(both: list[tuple[int, int]]) -> None:
    then, now = zip(*both, strict=True)
    assert min(drift.parts(then, now)) >= 0
    assert drift.psi(then, now) == pytest.approx(drift.psi(now, then))


@given(counts, st.integers(1, 1000))
def test_equal_distributions_have_none(shares: list[int], factor: int) -> None:
    assert drift.psi(shares, [factor * share for share in shares]) == pytest.approx(0, abs=1e-9)


def test_what_moved_to_another_bin_shows() -> None:
    # by hand: (0.7 - 0.5) ln(0.7 / 0.5) + (0.3 - 0.5) ln(0.3 / 0.5)
    assert drift.psi([50, 50], [70, 30]) == pytest.approx(0.2 * 0.336472 + 0.2 * 0.510826, abs=1e-6)


def test_chance_alone_stays_below_its_bound() -> None:
    rng, shares = np.random.default_rng(27), [0.1, 0.2, 0.3, 0.4]
    bound = drift.chance_bound(4, 500, 200)
    above = sum(drift.psi(rng.multinomial(500, shares), rng.multinomial(200, shares)) > bound for _ in range(2000))
    assert above <= 8


def sales(of: range, quantity: float, price: float, category: str) -> list[dict[str, object]]:
    return [sale(quantity, sold_on=AS_OF - timedelta(days=n), unit_price=price, product_id=category) for n in of]


def test_prices_that_rose_and_a_category_that_is_new_are_told(spark: SparkSession) -> None:
    rows = [*sales(range(28, 228), 1.0, 2.0, "c1"), *sales(range(28, 228), 2.0, 3.0, "c1")]
    rows += [*sales(range(28), 1.0, 4.0, "c1"), *sales(range(28), 2.0, 4.0, "c2")]
    known = frame(spark, schemas.SALES, *rows).withColumn("category_id", F.col("product_id"))
    windows = drift.of_both_windows(known, AS_OF, 4)
    cuts = drift.deciles(windows)
    assert cuts == {"quantity": [1.0, 1.5, 2.0], "price": [2.0, 2.5, 3.0]}
    counted = [tuple(row) for row in drift.count_bins(windows, cuts).collect()]
    bins = drift.as_bins(counted, cuts)
    assert {each.label: (each.expected, each.found) for each in bins if each.feature == "price"} == {
        "up to 2": (200, 0),
        "over 2 to 2.5": (0, 0),
        "over 2.5 to 3": (200, 0),
        "over 3": (0, 56),
    }
    measured = drift.measure(bins)
    found = {each.subject: each for each in drift.judge(measured, Monitoring())}
    assert {*found} == {"price, last 4 weeks", "category mix, last 4 weeks"}
    assert found["category mix, last 4 weeks"].reason.endswith("most by c2, 50% of sales, 0% in the year before")
    assert found["price, last 4 weeks"].found == pytest.approx(drift.psi([200, 200, 0], [0, 0, 56]))


def test_all_categories_but_the_largest_are_one_bin() -> None:
    counted = [("category mix", f"c{n:02}", float(100 - n), 1.0) for n in range(30)]
    bins = drift.as_bins(counted, {"quantity": [], "price": []})
    mix = [each for each in bins if each.feature == "category mix"]
    assert [each.label for each in mix] == [*(f"c{n:02}" for n in range(20)), "(other)"]
    assert (mix[-1].expected, mix[-1].found) == (sum(100 - n for n in range(20, 30)), 10.0)
