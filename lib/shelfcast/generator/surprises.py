"""What changes demand and is told to no model: effects that hold from one day to another, by product or by store.

An effect is a factor on the mean. Days count from the first day of the chain; both ends belong to the effect.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.generator.chain import Chain
from shelfcast.generator.streams import stream
from shelfcast.panel import FloatArray

# Far before and after every chain, and still a date: 27 years.
LONG_AGO, FOR_EVER = -10_000, 10_000

# A new product starts at 30 % of what it comes to, and nears it with a time constant of five weeks.
RAMP_START, RAMP_DAYS = 0.3, 35.0
_DISCOUNTS = (0.10, 0.15, 0.20, 0.25)
# What a display adds to what the lower price does.
_DISPLAY = 1.15
_SHIFTS = (0.5, 0.65, 1.5, 1.9)
_PRICE_STEPS = (0.92, 1.05, 1.10)
_CANNIBALISED, _SUBSTITUTED, _COMPETED = 0.75, 1.35, 0.78
_SLOT_DAYS = 28


class Effect(NamedTuple):
    """A factor on the mean of a product or of a store, from the day `first` to the day `last`."""

    kind: str
    first: int
    last: int
    factor: float


class Price(NamedTuple):
    """What a unit costs in cents from the day `first` to the day `last`."""

    first: int
    last: int
    cents: int
    is_promotion: bool


def with_surprises(chain: Chain, stores: pd.DataFrame, products: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`stores` with effects, and `products` with launch (its day), effects and prices: lists of the types above."""
    launch = _launches(chain)
    effects: defaultdict[int, list[Effect]] = defaultdict(list)
    for product in np.flatnonzero(launch > LONG_AGO).tolist():
        effects[product].append(Effect("not yet launched", LONG_AGO, int(launch[product]) - 1, 0.0))
    for product, day in _delistings(chain).items():
        effects[product].append(Effect("delisted", day, FOR_EVER, 0.0))
        effects[product + 1].append(Effect("substitution", day, FOR_EVER, _SUBSTITUTED))
    for product, shift in _level_shifts(chain).items():
        effects[product].append(shift)
    prices = [[Price(LONG_AGO, FOR_EVER, int(cents), False)] for cents in products["price"]]
    _change_prices(chain, products, prices, effects)
    _promote(chain, products, prices, effects)
    of_products = pd.Series([effects[n] for n in range(len(products))])
    return (
        stores.assign(effects=pd.Series(_competitors(chain))),
        products.assign(launch=launch, effects=of_products, prices=pd.Series(prices)),
    )


def _launches(chain: Chain) -> FloatArray:
    """The day of the launch, LONG_AGO where the product was always there."""
    is_new = stream(chain.seed, "launch").random(chain.products) < chain.surprises.launches
    share = stream(chain.seed, "launch day").uniform(0.1, 0.8, chain.products)
    return np.where(is_new, np.floor(share * chain.days), LONG_AGO)


def _delistings(chain: Chain) -> dict[int, int]:
    """The first of two rivals may go, with twice the share; the second then takes a part of its customers."""
    firsts = np.arange(0, chain.products - 1, 2)
    goes = stream(chain.seed, "delisting").random(len(firsts)) < 2 * chain.surprises.delistings
    share = stream(chain.seed, "delisting day").uniform(0.3, 0.95, len(firsts))
    return {int(firsts[n]): int(share[n] * chain.days) for n in np.flatnonzero(goes)}


def _level_shifts(chain: Chain) -> dict[int, Effect]:
    shifts = stream(chain.seed, "shift").random(chain.products) < chain.surprises.level_shifts
    share = stream(chain.seed, "shift day").uniform(0.2, 0.9, chain.products)
    factor = stream(chain.seed, "shift factor").choice(_SHIFTS, chain.products)
    return {
        n: Effect("level shift", int(share[n] * chain.days), FOR_EVER, float(factor[n]))
        for n in np.flatnonzero(shifts).tolist()
    }


def _competitors(chain: Chain) -> list[list[Effect]]:
    opens = stream(chain.seed, "competitor").random(chain.stores) < chain.surprises.competitors
    share = stream(chain.seed, "competitor day").uniform(0.3, 0.9, chain.stores)
    effects = [Effect("competitor", int(part * chain.days), FOR_EVER, _COMPETED) for part in share]
    return [[effect] if is_near else [] for effect, is_near in zip(effects, opens, strict=True)]


def _change_prices(
    chain: Chain, products: pd.DataFrame, prices: list[list[Price]], effects: defaultdict[int, list[Effect]]
) -> None:
    changes = stream(chain.seed, "price change").random(chain.products) < chain.surprises.price_changes
    share = stream(chain.seed, "price change day").uniform(0.1, 0.9, chain.products)
    step = stream(chain.seed, "price change step").choice(_PRICE_STEPS, chain.products)
    for n in np.flatnonzero(changes).tolist():
        old, day = prices[n][0], int(share[n] * chain.days)
        new = _shelf_price(old.cents * step[n])
        prices[n] = [old._replace(last=day - 1), Price(day, FOR_EVER, new, False)]
        factor = (new / old.cents) ** -float(products["elasticity"].iloc[n])
        effects[n].append(Effect("price change", day, FOR_EVER, factor))


def _promote(
    chain: Chain, products: pd.DataFrame, prices: list[list[Price]], effects: defaultdict[int, list[Effect]]
) -> None:
    """At most one promotion in each four weeks, of one week or two: they never overlap."""
    slots = max(chain.days // _SLOT_DAYS, 1)
    shape = (chain.products, slots)
    promoted = stream(chain.seed, "promotion").random(shape) < chain.surprises.promotions_a_year * _SLOT_DAYS / 364
    start = stream(chain.seed, "promotion start").integers(14, size=shape)
    weeks = stream(chain.seed, "promotion weeks").integers(1, 3, size=shape)
    discount = stream(chain.seed, "discount").choice(_DISCOUNTS, shape)
    hurts = stream(chain.seed, "cannibalised").random(shape) < chain.surprises.cannibalised
    for n, slot in np.argwhere(promoted).tolist():
        first = slot * _SLOT_DAYS + int(start[n, slot])
        last = first + 7 * int(weeks[n, slot]) - 1
        regular = price_on(prices[n], first)
        cents = _shelf_price(regular * (1 - discount[n, slot]))
        factor = _DISPLAY * (cents / regular) ** -float(products["elasticity"].iloc[n])
        prices[n] = _cut_in(prices[n], Price(first, last, cents, True))
        effects[n].append(Effect("promotion", first, last, factor))
        if hurts[n, slot] and n ^ 1 < chain.products:
            effects[n ^ 1].append(Effect("cannibalised", first, last, _CANNIBALISED))


def price_on(prices: list[Price], day: int) -> int:
    """The price of a day, in cents."""
    return next(price.cents for price in prices if price.first <= day <= price.last)


def _cut_in(prices: list[Price], new: Price) -> list[Price]:
    """The prices with `new` in the place of what it overlaps, in the order of days."""
    before = [price._replace(last=min(price.last, new.first - 1)) for price in prices]
    after = [price._replace(first=max(price.first, new.last + 1)) for price in prices]
    left = [price for price in (*before, *after) if price.first <= price.last]
    return sorted([*left, new])


def _shelf_price(cents: float) -> int:
    return max(round(cents / 50), 1) * 50 - 1
