from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from shelfcast.insights import demand_sentences, supply_sentences
from shelfcast.insights.delisting import Rule
from shelfcast.insights.findings import TOPICS, Finding, Money, absent, amount, ranked, share
from shelfcast.inventory.classes import Borders

DOLLARS = Money("$")
VENDOR = {"vendor_id": "4425", "orders": 120, "mean_days": 9.24, "variation": 0.41, "p10": 4, "p90": 15}
VENDOR |= {"freight_share": 0.012, "products": 31}
STORE = {
    "store_id": "7",
    "units": 2000.0,
    "missed": 610.0,
    "wape": 0.3,
    "bias": -0.05,
    "excess_products": 1,
    "excess": 40.0,
}
STORE |= {"excess_value": 1234.5}
SEASON = {"category_id": "FRUIT", "is_seasonal": True, "peak_week": date(2017, 12, 18), "peak": 1.84, "season": 0.71}
SEASON |= {"trend": 0.2, "growth": 0.041, "growth_lower": 0.02, "growth_upper": 0.062}
DELISTED = {"product_id": "p1", "category_id": "2", "stores": 12, "units": 3.0, "revenue": 8.5, "margin": None}
DELISTED |= {"on_hand": None, "holding": None, "rule": "rate"}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def said(findings: Iterable[Finding]) -> list[str]:
    return [found.sentence for found in findings]


def test_a_vendor_s_late_orders_say_how_much_earlier_to_order() -> None:
    (found,) = supply_sentences.lead_times(frame(VENDOR))
    assert found.sentence == (
        "Vendor 4425 takes 9.2 days on average, over 120 orders, and nine orders in ten are there within 15: "
        "plan with 15 days, 6 beyond the average."
    )
    assert (found.topic, found.subject, found.figure, found.unit) == ("vendor_lead_times", "4425", 9.24, "days")


def test_a_vendor_that_is_never_late_can_be_relied_on() -> None:
    assert said(supply_sentences.lead_times(frame({**VENDOR, "p90": 9}))) == [
        "Vendor 4425 takes 9.2 days on average, over 120 orders, and nine orders in ten are there within 9: "
        "its average can be relied on."
    ]


def test_freight_is_compared_with_the_average() -> None:
    assert said(supply_sentences.freight(frame(VENDOR, {**VENDOR, "freight_share": 0.002}), 0.007)) == [
        "Freight adds 1.20 % to the price of vendor 4425, where vendors add 0.70 % on average: "
        "order from it in larger lots.",
        "Freight adds 0.20 % to the price of vendor 4425, where vendors add 0.70 % on average: nothing is to be done.",
    ]
    assert said(supply_sentences.freight(frame(), 0.0)) == ["No invoice tells of freight."]


def test_a_store_s_errors_are_told_in_units_and_as_a_share() -> None:
    one, two = supply_sentences.store_errors(frame(STORE, STORE), 8, 20)
    assert one.sentence.startswith("The forecast of store 7 was off by 610 units in 8 weeks, the most of 20 stores, ")
    assert "the 2nd most of 20 stores, which is 30.0 % of its demand" in two.sentence
    (closed,) = supply_sentences.store_errors(frame({**STORE, "wape": 7.9, "bias": 7.9}), 8, 20)
    assert closed.sentence.endswith("it sold half of what was forecast or less, so see whether it is still open.")
    assert said(supply_sentences.store_bias(frame(STORE), 8)) == [
        "Store 7 was forecast 5.0 % too low, 100 units in 8 weeks: watch its shelves until the next forecast."
    ]


@pytest.mark.parametrize(
    ("value", "worth"),
    [
        pytest.param(1234.5, ", worth $1,234 at cost", id="known"),
        pytest.param(None, "", id="no-cost"),
        pytest.param(float("nan"), "", id="no-number"),
    ],
)
def test_excess_without_a_cost_has_no_worth(value: float | None, worth: str) -> None:
    assert said(supply_sentences.store_excess(frame({**STORE, "excess_value": value}), DOLLARS)) == [
        f"Store 7 holds 40 units of 1 product beyond what it needs{worth}: order none of them there for now."
    ]


def test_moves_are_told_in_all_and_one_by_one() -> None:
    move = {"from_store": "1", "to_store": "2", "products": 3, "quantity": 12.0, "value": 50.0}
    assert said(supply_sentences.transfers(frame(move), {"quantity": 12.0, "value": 50.0}, DOLLARS)) == [
        "12 units, worth $50.00 at cost lie in one store and are needed in another: move before you order.",
        "Move 12 units of 3 products from store 1 to store 2, worth $50.00 at cost.",
    ]
    (nothing,) = supply_sentences.transfers(frame(), {"quantity": None, "value": None}, DOLLARS)
    assert (nothing.figure, nothing.unit) == (0.0, "units")


@pytest.mark.parametrize(
    ("changes", "trend"),
    [
        pytest.param({}, "grows by 4.1 % a year (95 % interval +2.0 % to +6.2 %): raise its orders.", id="grows"),
        pytest.param(
            {"growth": -0.05, "growth_lower": -0.08, "growth_upper": -0.02},
            "shrinks by 5.0 % a year (95 % interval -8.0 % to -2.0 %): lower its orders.",
            id="shrinks",
        ),
        pytest.param(
            {"growth_lower": -0.01},
            "neither grows nor shrinks beyond chance (+4.1 % a year, 95 % interval -1.0 % to +6.2 %).",
            id="chance",
        ),
    ],
)
def test_growth_is_told_only_where_it_is_beyond_chance(changes: dict[str, float], trend: str) -> None:
    (sentence,) = said(demand_sentences.seasons(frame({**SEASON, **changes}), 130, 52))
    assert sentence.startswith(f"Category FRUIT {trend}")
    assert "Its peak was last in the week of 18 Dec 2017, 1.84 times its trend" in sentence


def test_too_short_a_history_is_said_to_be_so() -> None:
    short = {**SEASON, "is_seasonal": False, **dict.fromkeys(("season", "trend", "growth"), None)}
    first, second = demand_sentences.seasons(frame(short), 52, 52)
    assert first.sentence.startswith("Not enough history for season and trend: 52 weeks are known, and it takes 104")
    assert (first.figure, second.figure) == (None, 1.84)
    assert "1.84 times its average week; whether that comes back each year is not known yet" in second.sentence


def test_a_product_to_delist_says_by_which_rule() -> None:
    margin = {**DELISTED, "rule": "margin", "margin": -2.0, "holding": 30.0, "on_hand": 14.0}
    total, first, second = said(
        demand_sentences.delisting(frame(margin, DELISTED), 9, 300, Rule(26, 0.02, 0.25), DOLLARS)
    )
    assert total == (
        "9 products of 300 (3.0 %) earned less in the last 26 weeks than holding their stock costs or, where costs or "
        "stock are not known, sold 0.02 units a week or fewer in each store that lists them: delist those below."
    )
    assert first.endswith("earned minus $2.00 in 26 weeks, while holding its 14 units costs $30.00: "
                          "sell them off and delist it.")  # fmt: skip
    assert second == (
        "Product p1 (category 2), listed in 12 stores, sold 3 units in 26 weeks, $8.50 in all: "
        "delist it where it did not sell."
    )


def test_classes_say_how_few_products_bring_how_much() -> None:
    rows = [("AX", 10, 700.0), ("AZ", 10, 100.0), ("CZ", 80, 200.0)]
    first, second, third = demand_sentences.classes(
        pd.DataFrame(rows, columns=["class", "products", "revenue"]), Borders()
    )
    assert first.sentence.startswith("20 products of 100 (20.0 %) bring 80.0 % of the revenue (class A)")
    assert second.sentence.startswith("Of these 10 sell steadily (AX: weekly demand varies by at most 50.0 %")
    assert third.sentence.startswith("80 products (80.0 %, class C) bring 20.0 % of the revenue")
    assert [found.figure for found in (first, second, third)] == [20.0, 10.0, 80.0]


def test_one_product_brings_what_many_bring() -> None:
    first, _, third = demand_sentences.classes(
        pd.DataFrame([("AX", 1, 800.0), ("CZ", 1, 200.0)], columns=["class", "products", "revenue"]), Borders()
    )
    assert first.sentence.startswith("1 product of 2 (50.0 %) brings 80.0 %")
    assert third.sentence.startswith("1 product (50.0 %, class C) brings 20.0 %")


def test_segments_too_thin_to_tell_are_told_last() -> None:
    rows = [(0, "sold too seldom to tell", 60, 10.0), (1, "fast, steady", 30, 80.0), (2, "slow", 10, 10.0)]
    told = list(
        demand_sentences.segments("product", pd.DataFrame(rows, columns=["segment", "label", "items", "revenue"]), 5)
    )
    assert told[0].sentence == (
        "30 products of 100 with 80.0 % of the revenue: fast, steady; see that they never run out."
    )
    assert [found.subject for found in told] == ["1", "2", "0"]


def test_an_outlier_is_told_by_what_it_is_odd_in() -> None:
    counts = {"items": 200, "outliers": 1, "dense": 0.2, "price": 3.0}
    odd = {"item_id": "p9", "oddest": "price", "price": 83.2}
    first, second = demand_sentences.outliers("product", counts, frame(odd), counts)
    assert first.sentence.startswith("1 product of 200 (0.5 %) is like no other")
    assert second.sentence.startswith("Product p9 brings 83.2 a unit, where the average is 3:")
    (none,) = demand_sentences.outliers("product", {**counts, "dense": None}, frame(), counts)
    assert none.figure is None


def test_ranks_count_within_a_topic() -> None:
    rows = ranked([*absent(("vendor_freight", "transfers"), "why"), *absent(("transfers",), "why")])
    assert [(row.topic, row.rank) for row in rows] == [("vendor_freight", 1), ("transfers", 1), ("transfers", 2)]
    assert {row.topic for row in rows} <= {*TOPICS}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (amount(9.213), "9.21"),
        (amount(1234.4), "1,234"),
        (amount(0.0), "0"),
        (share(1.0), "100 %"),
        (share(0.9949), "99.5 %"),
        (share(0.9999), "100.0 %"),
        (DOLLARS(-3.5), "minus $3.50"),
        (DOLLARS(45_000), "$45,000"),
    ],
)
def test_numbers_are_written_as_people_say_them(written: str, number: str) -> None:
    assert written == number
