"""What was wanted of a product while it was not there, from the weeks that a cutoff knows.

A day's mean is product level x store factor x the pair's own factor x the store's weekday. Each is a gamma posterior of
a Poisson rate: units / expected units over the days on which the product was there, both with a prior, and units count
1 / dispersion of what they would if customers bought one each. Levels, stores and weekdays are learned week by week, in
their order; levels forget and the others hardly do, and nothing that comes later is known, so that a stock-out that
follows a lucky week is not mistaken for a strong product: a posterior mean does not mind when one stops looking. The
pair's own factor is learned of all weeks given, later ones too, but for those just before (`_own_factors`). On the day
on which the shelf ran out what lies beyond the stock is expected as well (`sizes`), and counts as sold from then on.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.availability.sizes import Sizes, fit_sizes
from shelfcast.availability.sums import IntArray, sums_of
from shelfcast.panel import FloatArray

# What of last week's evidence still counts: of a product's level, which seasons and promotions move, of a store's
# factor, and of what a store's customers think of a product.
_LEVEL_KEEPS, _STORE_KEEPS, _PAIR_KEEPS = 0.5, 0.9, 0.99
# Weeks from an order to the end of what it brought, about: the shelf that is empty now was filled no longer ago.
_CYCLE_WEEKS = 5
# Purchases by which a product's level is held to that of all it has sold, a store's factor to 1, and a pair's to its
# product's and store's.
_LEVEL_PRIOR, _STORE_PRIOR, _PAIR_PRIOR = 0.1, 20.0, 12.0
# Units by which a store's weekdays are held to those of all stores, and these to even ones.
_WEEKDAY_PRIOR = 50.0
_ROUNDS = 2


@dataclass(frozen=True)
class Shelves:
    """Some products in some stores over whole weeks.

    store, item: of each series, 0... open_days: shape (stores, weeks, 7), 1 where the store was open. begins, ends: the
    first and last day of each series, counted from a Monday. sold: series, day, units. absent: series, day, weight:
    days without the product, and with which probability. ran_out: series, day, units, weight: days on which the last
    unit sold.
    """

    store: IntArray
    item: IntArray
    open_days: FloatArray
    begins: IntArray
    ends: IntArray
    sold: pd.DataFrame
    absent: pd.DataFrame
    ran_out: pd.DataFrame


def recover(shelves: Shelves) -> pd.DataFrame:
    """series, day, units (>= 0), chance: what is expected to have been lost on each day of `absent` and `ran_out`, and
    how likely it is that anything was asked for in vain or would have been."""
    weeks = shelves.open_days.shape[1]
    even = np.ones((len(shelves.store), weeks))
    rates = _Rates(even, even, np.ones((len(shelves.open_days), weeks, 7)), shelves.store)
    for _ in range(2):
        sold, ran_out = (rates.joined(rows, rates.shared) for rows in (shelves.sold, shelves.ran_out))
        sizes = fit_sizes(sold, ran_out, shelves.item)
        rates = _learn(shelves, sizes)
    days = shelves.absent
    daily = rates.joined(days, rates.mean)["rate"] * days["weight"]
    lost = pd.concat([sizes.lost, days[["series", "day"]].assign(units=daily, chance=days["weight"])])
    return lost.groupby(["series", "day"], as_index=False).agg({"units": "sum", "chance": "max"})


class _Rates(NamedTuple):
    """What is known at the end of each week. mean: units expected of an even day, shape (series, weeks); shared: the
    same by what others tell, the product elsewhere and the store; weekdays: what the store's days are worth of an even
    one, shape (stores, weeks, 7)."""

    mean: FloatArray
    shared: FloatArray
    weekdays: FloatArray
    store: IntArray

    def joined(self, rows: pd.DataFrame, of_even_day: FloatArray) -> pd.DataFrame:
        """Adds `rate`, what is expected of the day."""
        series, week, weekday = rows["series"].to_numpy(), rows["day"].to_numpy() // 7, rows["day"].to_numpy() % 7
        return rows.assign(rate=of_even_day[series, week] * self.weekdays[self.store[series], week, weekday])


def _learn(shelves: Shelves, sizes: Sizes) -> _Rates:
    """Go through the weeks, with what was asked for beyond the stock as if it had been sold."""
    posterior = _Posterior(shelves, sizes.spread)
    weeks = range(shelves.open_days.shape[1])
    wanted = pd.concat([shelves.sold, sizes.lost])
    frames = zip(_by_week(wanted, weeks), _by_week(_not_there(shelves), weeks), strict=True)
    told = [posterior.learn(week, *rows) for week, rows in zip(weeks, frames, strict=True)]
    shared, units, expected, weekdays = (np.stack(parts, axis=1) for parts in zip(*told, strict=True))
    factor = _own_factors(units, expected, _PAIR_PRIOR * sizes.spread[shelves.item])
    return _Rates(shared * factor, shared, weekdays, shelves.store)


def _own_factors(units: FloatArray, expected: FloatArray, prior: FloatArray) -> FloatArray:
    """What each pair sells beside what the others tell, as a factor, in the view of each week: shape (series, weeks).

    The weeks before are left out of it: it took more demand than usual to empty a shelf, and shelves that are not empty
    had less. prior: units by which a factor is held to 1.
    """
    sums = [_around(values) - _just_before(values) for values in (units, expected)]
    return np.asarray((np.maximum(sums[0], 0.0) + prior[:, None]) / (np.maximum(sums[1], 0.0) + prior[:, None]))


def _around(values: FloatArray) -> FloatArray:
    """Sums over all weeks, of which one counts the less the further away it is."""
    before, after = np.array(values), np.array(values)
    for week in range(1, values.shape[1]):
        before[:, week] += _PAIR_KEEPS * before[:, week - 1]
        after[:, -week - 1] += _PAIR_KEEPS * after[:, -week]
    return before + after - values


def _just_before(values: FloatArray) -> FloatArray:
    """The part of `_around` that a week and those of a cycle of orders before it have."""
    weeks = values.shape[1]
    shifted = [np.pad(values, ((0, 0), (ago, 0)))[:, :weeks] * _PAIR_KEEPS**ago for ago in range(_CYCLE_WEEKS)]
    return np.asarray(sum(shifted))


def _by_week(rows: pd.DataFrame, weeks: range) -> list[pd.DataFrame]:
    ordered = rows.sort_values(["day", "series"], kind="stable", ignore_index=True)
    edges = np.searchsorted(ordered["day"].to_numpy() // 7, np.arange(len(weeks) + 1))
    return [ordered.iloc[edges[week] : edges[week + 1]] for week in weeks]


def _not_there(shelves: Shelves) -> pd.DataFrame:
    """Days that tell nothing of a series' demand: absent, and in its first and last week those before and after it."""
    weekdays = np.arange(7)
    first, last = ((edge // 7 * 7)[:, None] + weekdays for edge in (shelves.begins, shelves.ends))
    parts = [shelves.absent]
    for days, outside in ((first, first < shelves.begins[:, None]), (last, last > shelves.ends[:, None])):
        parts.append(pd.DataFrame({"series": np.nonzero(outside)[0], "day": days[outside], "weight": 1.0}))
    return pd.concat(parts).groupby(["series", "day"], as_index=False).agg({"weight": "max"})


@dataclass
class _Evidence:
    """Units, and what was expected of a factor of 1, of each store, product or pair."""

    units: FloatArray
    expected: FloatArray

    @classmethod
    def none(cls, n: int) -> "_Evidence":
        return cls(np.zeros(n), np.zeros(n))

    def kept(self, share: float, units: FloatArray, expected: FloatArray) -> "_Evidence":
        return _Evidence(share * self.units + units, share * self.expected + expected)

    def of_others(self, item: IntArray, items: int) -> "_Evidence":
        """Of each pair, that of its product's other pairs."""
        units, expected = (sums_of(item, sums, items)[item] - sums for sums in (self.units, self.expected))
        return _Evidence(np.maximum(units, 0.0), np.maximum(expected, 0.0))

    def factor(self, prior: FloatArray | float, around: FloatArray | float = 1.0) -> FloatArray:
        """The posterior mean of a factor that `prior` units hold to `around`."""
        return np.asarray((self.units + prior) / (self.expected + prior / around))


class _Posterior:
    """What is known of the series by the end of a week."""

    def __init__(self, shelves: Shelves, dispersion: FloatArray) -> None:
        self.shelves, self.dispersion = shelves, dispersion
        n, stores, items = len(shelves.store), len(shelves.open_days), len(dispersion)
        self.weekday_units = np.zeros((stores, 7))
        self.level, self.ever = _Evidence.none(n), _Evidence.none(items)
        self.of_store, self.of_pair = _Evidence.none(stores), _Evidence.none(n)
        self.store_factor, self.pair_factor = np.ones(stores), np.ones(n)

    def learn(self, week: int, wanted: pd.DataFrame, missing: pd.DataFrame) -> tuple[FloatArray, ...]:
        """Take in the rows of a week: what was wanted, and which days tell nothing. Returns what the others tell of
        each series' even day, its units, what was expected of them, and what the days of each store are worth."""
        store = self.shelves.store
        series, units = wanted["series"].to_numpy(), wanted["units"].to_numpy()
        np.add.at(self.weekday_units, (store[series], wanted["day"].to_numpy() % 7), units)
        weekdays = self._weekdays() * self.shelves.open_days[:, week]
        known, days = sums_of(series, units, len(store)), self._days_there(week, weekdays, missing)
        shared = self._fit(known, days)
        return shared, known, shared * days, weekdays

    def _weekdays(self) -> FloatArray:
        """What each store's Monday to Sunday sell, as multiples of an even day."""
        everywhere = self.weekday_units.sum(axis=0) + _WEEKDAY_PRIOR / 7
        shares = everywhere / everywhere.sum()
        own = self.weekday_units + _WEEKDAY_PRIOR * shares
        return np.asarray(7 * own / own.sum(axis=1, keepdims=True))

    def _days_there(self, week: int, weekdays: FloatArray, missing: pd.DataFrame) -> FloatArray:
        """Days of the week, each worth what its weekday sells, on which each series was there to be bought."""
        shelves = self.shelves
        listed = (shelves.begins // 7 <= week) & (week <= shelves.ends // 7)
        series, weekday = missing["series"].to_numpy(), missing["day"].to_numpy() % 7
        gone = missing["weight"].to_numpy() * weekdays[shelves.store[series], weekday]
        there = weekdays.sum(axis=1)[shelves.store] - sums_of(series, gone, len(shelves.store))
        return np.where(listed, np.maximum(there, 0.0), 0.0)

    def _fit(self, units: FloatArray, days: FloatArray) -> FloatArray:
        """What the others tell of each series' even day, with the week's units and days taken in."""
        store, item = self.shelves.store, self.shelves.item
        stores, items = len(self.of_store.units), len(self.ever.units)
        dispersion = self.dispersion
        by_item, by_store = sums_of(item, units, items), sums_of(store, units, stores)
        for _ in range(_ROUNDS):
            factor = self.store_factor[store] * self.pair_factor
            level = self.level.kept(_LEVEL_KEEPS, units, factor * days)
            ever = self.ever.kept(1.0, by_item, sums_of(item, factor * days, items))
            usual = ever.units.sum() / ever.expected.sum() if ever.units.sum() > 0 else 1.0
            long_run = ever.factor(_LEVEL_PRIOR * dispersion, usual)
            mean = level.of_others(item, items).factor((_LEVEL_PRIOR * dispersion)[item], long_run[item])
            expected = sums_of(store, mean * self.pair_factor * days, stores)
            of_store = self.of_store.kept(_STORE_KEEPS, by_store, expected)
            self.store_factor = of_store.factor(_STORE_PRIOR)
            of_pair = self.of_pair.kept(_PAIR_KEEPS, units, mean * self.store_factor[store] * days)
            self.pair_factor = of_pair.factor(_PAIR_PRIOR * dispersion[item])
        self.level, self.ever, self.of_store, self.of_pair = level, ever, of_store, of_pair
        return np.asarray(mean * self.store_factor[store])
