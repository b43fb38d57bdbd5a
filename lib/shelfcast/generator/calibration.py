"""Finds the scale and the safety with which a chain has the stated rows and the stated share of stock-outs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from shelfcast.errors import ConfigError
from shelfcast.generator import demand
from shelfcast.generator.demand import days_of
from shelfcast.generator.world import World, course
from shelfcast.panel import FloatArray

# Rows are expected on about so many days, spread over the whole chain, and sales simulated of so many products.
_EXPECTED_DAYS, _SIMULATED_PRODUCTS = 80, 300
# As logarithms of found / wanted: good enough to stop at, and what is refused after the last try.
_CLOSE_ROWS, _CLOSE_SHARE, _WANTED_ROWS, _TRIES = 0.007, 0.07, 0.01, 14
_SAFETIES = (-4.0, 8.0)
_APART = 0.05
# Between next to no customers and some on every day everywhere: more rows there are not.
_LOG_SCALES = (-14.0, 9.0)


@dataclass(frozen=True)
class Measured:
    """What a part of a chain comes to: expected rows on some days of all products and of the simulated ones; rows sold,
    days listed and days out of stock of the simulated ones; days of all listed pairs."""

    expected: float
    expected_of_simulated: float
    sold: int
    listed: int
    out_of_stock: int
    pair_days: int

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def rows(self) -> float:
        """Rows of the whole: those expected without stock-outs, times what stock-outs and chance left in the sample."""
        return self.expected * self.sold / max(self.expected_of_simulated, 1e-12)

    @property
    def share(self) -> float:
        """Of the listed days, those out of stock."""
        return self.out_of_stock / max(self.listed, 1)


def measure(world: World, block: int) -> Measured:
    """What a block of the chain comes to."""
    chain, products = world.chain, world.block(block)
    pairs = world.pairs(products)
    expected = _expected_rows(world, products, pairs)
    is_simulated = products.index.to_numpy() % -(-chain.products // _SIMULATED_PRODUCTS) == 0
    total, pair_days = float(expected.sum()), len(pairs) * chain.days
    if not is_simulated.any():
        return Measured(total, 0.0, 0, 0, 0, pair_days)
    seen = course(world, products[is_simulated])
    sold, listed, out_of_stock = (int(days.sum()) for days in (seen.sold > 0, seen.listed, seen.out_of_stock))
    return Measured(total, float(expected[is_simulated[pairs["product"]]].sum()), sold, listed, out_of_stock, pair_days)


def _expected_rows(world: World, products: pd.DataFrame, pairs: pd.DataFrame) -> FloatArray:
    """For each pair, on how many of some evenly spread days something is expected to be asked for."""
    step = max(world.chain.days // _EXPECTED_DAYS, 1)
    # no multiple of a week, else all of them were Mondays
    days = days_of(world.chain.first_day, np.arange(0, world.chain.days, step + (step % 7 == 0)))
    mean = demand.mean_demand(pairs, world.stores, products, days)
    none = demand.chance_of_none(mean, pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy())
    return np.asarray((1 - none).sum(axis=0))


def calibrated(world: World, measure_all: Callable[[World], Measured]) -> World:
    """The world with the scale that sells its chain's rows, and the safety that leaves the stated share out of stock or
    as near to it as stock policies come.

    measure_all: what all blocks of a world come to. Raises ConfigError where no scale leads to the rows within 1 %.
    """
    rows, share = world.chain.rows, world.chain.replenishment.out_of_stock
    scale, safety = _Secant(0.8, (0.1, 1.5)), _Secant(-0.8, (-3.0, -0.2))
    tried: list[tuple[float, float, World]] = []
    for _ in range(_TRIES):
        found = measure_all(world)
        rows_error, share_error = _log_ratio(found.rows, rows), _log_ratio(found.share, share)
        tried.append((abs(rows_error), abs(share_error), world))
        if (abs(rows_error) < _CLOSE_ROWS and abs(share_error) < _CLOSE_SHARE) or rows > found.pair_days:
            break
        log_scale = np.clip(scale.root(np.log(world.scale), rows_error), *_LOG_SCALES)
        factor = np.clip(safety.root(world.safety, share_error), *_SAFETIES)
        world = replace(world, scale=_rounded(np.exp(log_scale)), safety=_rounded(factor))
    near = [attempt for attempt in tried if attempt[0] < _WANTED_ROWS]
    if not near:
        raise ConfigError(
            f"rows: found {rows:,}, which chain {world.chain.name} cannot reach: of the {found.pair_days:,} days on "
            f"which a store lists a product it sells on {found.rows:,.0f} where demand is {tried[-1][2].scale:.2g} "
            f"times its file's; wanted a number nearer to that"
        )
    return min(near, key=lambda attempt: attempt[1])[2]


def _rounded(number: float) -> float:
    """To six digits: in what order the blocks' numbers are summed changes the last of sixteen, and nothing more."""
    return float(f"{number:.6g}")


def _log_ratio(found: float, wanted: float) -> float:
    # nothing at all is less than anything that is wanted, and has no logarithm
    return float(np.log(max(found / wanted, 1e-9)))


class _Secant:
    """The root of a function of one variable, from the last two of its values; `slope` where there is but one.

    Values carry the noise of a sample: points nearer than `_APART` say nothing about the slope.
    """

    def __init__(self, slope: float, bounds: tuple[float, float]) -> None:
        self.slope, self.bounds = slope, bounds
        self.last: tuple[float, float] | None = None

    def root(self, x: float, y: float) -> float:
        if self.last and abs(x - self.last[0]) > _APART:
            self.slope = float(np.clip((y - self.last[1]) / (x - self.last[0]), *self.bounds))
        self.last = x, y
        return x - y / self.slope
