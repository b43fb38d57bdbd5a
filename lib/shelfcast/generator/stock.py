"""The shelves: periodic review, (s, S) orders, lead times, and sales that an empty shelf cuts short.

A store's stock of a product is reviewed once a week, on its vendor's weekday after closing. Where stock and open orders
are at or below s, it orders up to S in whole packs. What is asked for and not there is lost, not kept waiting.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shelfcast.generator import demand
from shelfcast.generator.chain import Chain
from shelfcast.generator.demand import IntArray
from shelfcast.generator.streams import stream
from shelfcast.panel import FloatArray

REVIEW_DAYS = 7


@dataclass(frozen=True)
class Policy:
    """The (s, S) policy of each pair, in units, and its vendor's lead times.

    pack: orders are multiples of it; opening: stock before the first simulated day; review_weekday; lead: days from
    order to receipt, shape (reviews, pairs), one review a week.
    """

    reorder_point: IntArray
    order_up_to: IntArray
    pack: IntArray
    opening: IntArray
    review_weekday: IntArray
    lead: IntArray


@dataclass(frozen=True)
class Flow:
    """What happened, shape (days, pairs): units sold, units received, and whether the shelf was empty or ran empty.

    orders: pair, day (both positions), lead and quantity of each order, in the order of days.
    """

    sold: IntArray
    received: IntArray
    short: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    orders: dict[str, IntArray]


def policy(
    chain: Chain, pairs: pd.DataFrame, products: pd.DataFrame, vendors: pd.DataFrame, safety: float, weeks: int
) -> Policy:
    """The policies of `pairs` over `weeks` of reviews.

    s = m (L + R) + safety * sigma * sqrt(L + R), S = s + the greater of a pack and m * cover_days, where m is the
    misjudged mean, sigma the standard deviation of a day's demand, L the mean lead time and R the review period
    (Silver, Pyke and Thomas 2017, periodic review; `safety` is their factor k).
    """
    rules = chain.replenishment
    vendor = products["vendor"].to_numpy()[pairs["product"]]
    base, visit, dispersion = (pairs[name].to_numpy() for name in ("base", "visit", "dispersion"))
    mean = base * np.exp(rules.estimate_error * pairs["misjudged"].to_numpy())
    lead = vendors["lead_least"].to_numpy() + vendors["lead_more"].to_numpy()
    protected = (lead + REVIEW_DAYS)[vendor]
    sigma = np.sqrt(demand.variance(base, visit, dispersion))
    point = np.maximum(np.floor(mean * protected + safety * sigma * np.sqrt(protected)), 0).astype(np.int64)
    pack = products["pack"].to_numpy()[pairs["product"]]
    up_to = point + np.maximum(pack, np.ceil(mean * rules.cover_days)).astype(np.int64)
    opening = np.floor(point + pairs["opening"].to_numpy() * (up_to - point + 1)).astype(np.int64)
    is_new = products["launch"].to_numpy()[pairs["product"]] >= 0
    return Policy(
        point,
        up_to,
        pack,
        np.where(is_new, 0, opening),
        vendors["review_weekday"].to_numpy()[vendor],
        _lead_times(chain, vendors, weeks)[:, vendor, pairs["store"].to_numpy()],
    )


def _lead_times(chain: Chain, vendors: pd.DataFrame, weeks: int) -> IntArray:
    """Days from order to receipt, shape (reviews, vendors, stores): an order of a store arrives as one."""
    drawn = [
        least + stream(chain.seed, "lead time", number).poisson(more, (weeks, chain.stores))
        for number, (least, more) in enumerate(zip(vendors["lead_least"], vendors["lead_more"], strict=True))
    ]
    return np.stack(drawn, axis=1).astype(np.int64)


def simulate(wanted: IntArray, rules: Policy, may_order: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Flow:
    """Sell what is there of `wanted` (days from a Monday, pairs), and reorder where `may_order` (same shape)."""
    days, pairs = wanted.shape
    arriving = np.zeros((days + int(rules.lead.max()) + 1, pairs), dtype=np.int64)
    sold, short = np.empty_like(wanted), np.empty(wanted.shape, dtype=np.bool_)
    stock, open_orders = rules.opening.copy(), np.zeros(pairs, dtype=np.int64)
    reviewed = [np.flatnonzero(rules.review_weekday == weekday) for weekday in range(7)]
    orders: list[IntArray] = []
    for day in range(days):
        stock += arriving[day]
        open_orders -= arriving[day]
        sold[day] = np.minimum(wanted[day], stock)
        short[day] = (stock == 0) | (wanted[day] > stock)
        stock -= sold[day]
        due = reviewed[day % 7]
        position = stock[due] + open_orders[due]
        orders_now = due[(position <= rules.reorder_point[due]) & may_order[day, due]]
        missing = rules.order_up_to[orders_now] - stock[orders_now] - open_orders[orders_now]
        quantity = -(-missing // rules.pack[orders_now]) * rules.pack[orders_now]
        lead = rules.lead[day // 7, orders_now]
        arriving[day + lead, orders_now] += quantity
        open_orders[orders_now] += quantity
        orders.append(np.stack([orders_now, np.full_like(orders_now, day), lead, quantity]))
    columns = dict(zip(("pair", "day", "lead", "quantity"), np.concatenate(orders, axis=1), strict=True))
    return Flow(sold, arriving[:days], short, columns)


def is_listed(products: pd.DataFrame, numbers: IntArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether a day (a number from the first day) finds a product launched and not delisted: (days, products)."""
    listed = np.ones((len(numbers), len(products)), dtype=np.bool_)
    for column, effects in enumerate(products["effects"]):
        for effect in effects:
            if effect.factor == 0:
                listed[(numbers >= effect.first) & (numbers <= effect.last), column] = False
    return listed


def stock_before(opening: IntArray, flow: Flow, day: int) -> IntArray:
    """The stock of each pair when the day at position `day` begins, before its receipts."""
    change: FloatArray | IntArray = flow.received[:day].sum(axis=0) - flow.sold[:day].sum(axis=0)
    return np.asarray(opening + change, dtype=np.int64)
