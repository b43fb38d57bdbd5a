"""The (s, S) policy of each item that costs least where its demand is known in truth."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.inventory.protection import LeadTimes
from shelfcast.inventory.replay import Shop, replay
from shelfcast.inventory.replayer import Replayer
from shelfcast.panel import FloatArray

# Futures of each item; the same for all policies that are tried.
PATHS = 20
# Safety stocks in standard deviations, and orders in economic quantities: where the search begins, and how often it is
# made finer about the best.
SAFETY, QUANTITY = np.linspace(-2.0, 5.0, 8), np.geomspace(0.35, 2.8, 7)
ROUNDS = 3


class TrueDays(NamedTuple):
    """mean: units, shape (days, n); visit, dispersion: shape (n,), as in shelfcast.generator.demand."""

    mean: FloatArray
    visit: FloatArray
    dispersion: FloatArray


def best_policies(
    replayer: Replayer, rows: pd.DataFrame, leads: LeadTimes, days: TrueDays
) -> tuple[FloatArray, FloatArray]:
    """s and S, shape (n,), by grid search, finer each round, over `PATHS` drawn futures of the weeks that are replayed:
    least holding + ordering + lost margin, without packs."""
    shop, cost, margin = _futures(replayer, rows, leads, days)
    mean, size = days.mean.mean(axis=0), days.mean / days.visit
    spread = np.sqrt((days.visit * (size + size**2 * (1 + 1 / days.dispersion)) - days.mean**2).mean(axis=0))
    protected = leads.mean() + replayer.review
    economic = replayer.order_quantity(rows, mean)
    at, times = np.zeros(len(rows)), np.ones(len(rows))
    for step in range(ROUNDS):
        best = np.full(len(rows), np.inf)
        center = at.copy(), times.copy()
        for safety in SAFETY / 4**step:
            for quantity in QUANTITY ** (1 / 3**step):
                tried = center[0] + safety, center[1] * quantity
                point = np.maximum(np.rint(protected * mean + tried[0] * spread * np.sqrt(protected)), 0.0)
                up_to = point + np.maximum(np.rint(tried[1] * economic), 1.0)
                total = _cost(replayer, shop, (point, up_to), cost, margin)
                better = total < best
                best = np.minimum(total, best)
                at, times = np.where(better, tried[0], at), np.where(better, tried[1], times)
    point = np.maximum(np.rint(protected * mean + at * spread * np.sqrt(protected)), 0.0)
    return point, point + np.maximum(np.rint(times * economic), 1.0)


def _futures(
    replayer: Replayer, rows: pd.DataFrame, leads: LeadTimes, days: TrueDays
) -> tuple[Shop, FloatArray, FloatArray]:
    """PATHS of each item side by side, with cost and margin of a unit."""
    rng = np.random.default_rng(replayer.seed)
    n = len(rows)
    comes = rng.random((len(days.mean), PATHS, n)) < days.visit
    wanted = np.broadcast_to((days.mean / days.visit)[:, None, :], comes.shape)
    k = np.broadcast_to(days.dispersion, comes.shape)
    drawn = rng.poisson(wanted * rng.gamma(k, 1 / k)) * comes
    lead = leads.draw(rng.random((n, len(days.mean) * PATHS))).T.reshape(len(days.mean), PATHS * n)
    cost, price = (rows[name].to_numpy(dtype=np.float64) for name in ("unit_cost", "price"))
    ones, none = np.ones(PATHS * n), np.zeros(PATHS * n)
    shop = Shop(drawn.reshape(len(days.mean), PATHS * n).astype(np.float64), lead, ones, none)
    return shop, cost, np.maximum(price - cost, 0.0)


def _cost(
    replayer: Replayer, shop: Shop, levels: tuple[FloatArray, FloatArray], cost: FloatArray, margin: FloatArray
) -> FloatArray:
    """Money an item, the mean over its futures."""
    weeks = len(shop.demand) // 7
    outcome = replay(shop, [(np.tile(levels[0], PATHS), np.tile(levels[1], PATHS))] * weeks, replayer.warm_up)
    holding = outcome.stock_days * np.tile(cost, PATHS) * replayer.holding_rate / 365.0
    lost = (outcome.wanted - outcome.served) * np.tile(margin, PATHS)
    return np.asarray((holding + outcome.orders * replayer.order_cost + lost).reshape(PATHS, -1).mean(axis=0))
