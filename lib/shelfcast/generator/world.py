"""The whole chain's parameters, and what a block of its products goes through."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from shelfcast.generator import demand, stock
from shelfcast.generator.chain import Chain
from shelfcast.generator.demand import Days, IntArray, days_of
from shelfcast.generator.pairs import draw_pairs, scaled
from shelfcast.generator.parameters import draw_products, draw_stores, draw_vendors
from shelfcast.generator.streams import stream
from shelfcast.generator.surprises import with_surprises
from shelfcast.panel import FloatArray

# Before the first day shelves are stocked and orders are on their way: a first order takes two weeks or so.
WARM_UP = 28


@dataclass(frozen=True)
class World:
    """Everything that a task needs to know: small beside what it makes of it.

    scale: factor on all means, safety: the stock policies' factor, both chosen so that the chain has the stated rows
    and stock-outs.
    """

    chain: Chain
    stores: pd.DataFrame
    vendors: pd.DataFrame
    products: pd.DataFrame
    scale: float = 1.0
    safety: float = 1.0

    def block(self, number: int) -> pd.DataFrame:
        """The products of a block."""
        size = self.chain.block_products
        return self.products.iloc[number * size : (number + 1) * size]

    def pairs(self, products: pd.DataFrame) -> pd.DataFrame:
        """What the stores list of these products."""
        return scaled(draw_pairs(self.chain, self.stores, products), self.scale)


def draw_world(chain: Chain) -> World:
    """The parameters of a chain, before they are scaled."""
    stores, products = with_surprises(chain, draw_stores(chain), draw_products(chain))
    return World(chain, stores, draw_vendors(chain), products)


@dataclass(frozen=True)
class Course:
    """What some products go through in all stores that list them: arrays of shape (days, pairs).

    days: the chain's, after WARM_UP days that are in `flow` alone. wanted: demand in units; listed: launched and not
    delisted.
    """

    products: pd.DataFrame
    pairs: pd.DataFrame
    days: Days
    mean: FloatArray
    wanted: IntArray
    listed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    policy: stock.Policy
    flow: stock.Flow

    @cached_property
    def sold(self) -> IntArray:
        return self.flow.sold[WARM_UP:]

    @cached_property
    def received(self) -> IntArray:
        return self.flow.received[WARM_UP:]

    @cached_property
    def out_of_stock(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return self.flow.short[WARM_UP:] & self.listed

    @cached_property
    def opening(self) -> IntArray:
        """Stock when the first day begins, in units."""
        return stock.stock_before(self.policy.opening, self.flow, WARM_UP)

    @cached_property
    def closing(self) -> IntArray:
        """Stock when the last day has ended, in units."""
        return stock.stock_before(self.policy.opening, self.flow, len(self.flow.sold))


def course(world: World, products: pd.DataFrame) -> Course:
    """Simulate `products`, any rows of the world's."""
    chain, pairs = world.chain, world.pairs(products)
    days = days_of(chain.first_day, np.arange(-WARM_UP, chain.days))
    mean = demand.mean_demand(pairs, world.stores, products, days)
    wanted = draw_wanted(chain.seed, mean, pairs, products)
    rules = stock.policy(chain, pairs, products, world.vendors, world.safety, len(days) // 7)
    product = pairs["product"].to_numpy()
    # Ordered is what will be listed when it comes: a launch in good time, and no more of what is about to go.
    may_order = stock.is_listed(products, days.numbers + WARM_UP)
    flow = stock.simulate(wanted, rules, may_order[:, product])
    listed = stock.is_listed(products, days.numbers)[:, product]
    seen = slice(WARM_UP, None)
    within = Days(days.numbers[seen], days.weekday[seen], days.week[seen])
    return Course(products, pairs, within, mean[seen], wanted[seen], listed[seen], rules, flow)


def draw_wanted(seed: int, mean: FloatArray, pairs: pd.DataFrame, products: pd.DataFrame) -> IntArray:
    """Demand in units as `mean` (days, pairs), from two streams a product."""
    wanted = np.empty(mean.shape, dtype=np.int64)
    visit, dispersion = pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy()
    for position, index in enumerate(products.index):
        of_product = np.flatnonzero(pairs["product"].to_numpy() == position)
        streams = (stream(seed, "visits", int(index)), stream(seed, "sizes", int(index)))
        kind = float(dispersion[of_product[0]])
        wanted[:, of_product] = demand.draw_demand(mean[:, of_product], visit[of_product], kind, *streams)
    return wanted
