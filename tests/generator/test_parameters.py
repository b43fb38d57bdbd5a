import numpy as np
import pandas as pd
import pytest

from shelfcast.generator import names
from shelfcast.generator.chain import CLASSES, Chain
from shelfcast.generator.pairs import draw_pairs, scaled
from shelfcast.generator.surprises import price_on
from shelfcast.generator.world import World, draw_world


@pytest.fixture(scope="module")
def wide(tiny: Chain) -> World:
    """A chain of many products, so that shares can be counted."""
    return draw_world(tiny.model_copy(update={"products": 4000, "stores": 40, "assortment": 0.25}))


def test_no_two_stores_share_a_city() -> None:
    assert len({names.city(number) for number in range(120)}) == 120


def test_vendors_names_fill_their_field() -> None:
    assert {len(names.vendor(number)) >= names.VENDOR_WIDTH for number in range(150)} == {True}
    assert len({names.vendor(number) for number in range(130)}) == 130


def test_each_class_has_its_share_of_the_products(wide: World) -> None:
    shares = wide.products["kind"].value_counts(normalize=True, sort=False).sort_index()
    assert shares.tolist() == [shape.share for shape in wide.chain.classes.in_order()]


def test_a_store_lists_its_share_of_products_and_each_product_is_somewhere(wide: World) -> None:
    pairs = draw_pairs(wide.chain, wide.stores, wide.products)
    assert len(pairs) / (40 * 4000) == pytest.approx(0.25, rel=0.05)
    assert pairs["product"].nunique() == 4000
    assert not pairs.duplicated(["store", "product"]).any()


def test_pairs_are_the_same_whatever_block_they_are_drawn_in(wide: World) -> None:
    whole = draw_pairs(wide.chain, wide.stores, wide.products.iloc[:30])
    part = draw_pairs(wide.chain, wide.stores, wide.products.iloc[20:30])
    same = whole[whole["product"] >= 20].assign(product=lambda frame: frame["product"] - 20)
    pd.testing.assert_frame_equal(part, same.reset_index(drop=True))


def test_a_busier_chain_has_the_mean_exactly_and_more_visits(wide: World) -> None:
    pairs = draw_pairs(wide.chain, wide.stores, wide.products.iloc[:50])
    busy = scaled(pairs, 3)
    assert np.allclose(busy["base"], 3 * pairs["base"])
    assert (busy["visit"] >= pairs["visit"]).all()
    assert busy["visit"].max() <= 1


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("not yet launched", "launches"),
        ("delisted", "delistings"),
        ("substitution", "delistings"),
        ("level shift", "level_shifts"),
        ("price change", "price_changes"),
    ],
)
def test_a_surprise_comes_to_its_share_of_the_products(wide: World, kind: str, share: str) -> None:
    hit = [any(effect.kind == kind for effect in effects) for effects in wide.products["effects"]]
    stated = getattr(wide.chain.surprises, share)
    assert np.mean(hit) == pytest.approx(stated, abs=4 * np.sqrt(2 * stated / 4000))


def test_the_rival_of_what_is_delisted_takes_its_customers_from_that_day(wide: World) -> None:
    effects = wide.products["effects"]
    gone = [(n, e.first) for n, of_product in enumerate(effects) for e in of_product if e.kind == "delisted"]
    assert gone
    for product, day in gone:
        assert ("substitution", day) in [(effect.kind, effect.first) for effect in effects[product ^ 1]]


def test_promotions_come_as_often_as_stated_and_some_hurt_the_rival(wide: World) -> None:
    kinds = [effect.kind for effects in wide.products["effects"] for effect in effects]
    slots = wide.chain.days // 28 * 4000
    assert kinds.count("promotion") / slots == pytest.approx(3 / 13, rel=0.03)
    assert kinds.count("cannibalised") / kinds.count("promotion") == pytest.approx(0.3, rel=0.05)


def test_a_competitor_is_near_some_stores(wide: World) -> None:
    assert {len(effects) for effects in wide.stores["effects"]} == {0, 1}


def test_every_day_has_one_price_and_a_promotion_is_cheaper(wide: World) -> None:
    for prices, effects in zip(wide.products["prices"], wide.products["effects"], strict=True):
        assert [later.first for later in prices[1:]] == [earlier.last + 1 for earlier in prices[:-1]]
        for effect in effects:
            if effect.kind == "promotion":
                assert price_on(prices, effect.first) <= price_on(prices, effect.first - 1)


def test_the_seed_decides_and_nothing_else(tiny: Chain) -> None:
    first, second = draw_world(tiny), draw_world(tiny)
    pd.testing.assert_frame_equal(first.products, second.products)
    other = draw_world(tiny.model_copy(update={"seed": 28}))
    assert (other.products["price"] != first.products["price"]).any()


def test_class_names_follow_the_order_of_the_chain_file(tiny: Chain) -> None:
    assert tuple(type(tiny.classes).model_fields) == CLASSES
