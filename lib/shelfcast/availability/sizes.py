"""How much the customers of a day ask for, and what of it lies beyond the stock.

The demand of a day on which anything is asked for is a zero-truncated negative binomial (the hurdle model of Cameron
and Trivedi 2013, Regression Analysis of Count Data, 4.5): mean m and dispersion k before it is truncated. Where the
shelf ran out at s units, D >= s is all that is known. The tail of a negative binomial is an incomplete beta function,
P(D >= s) = I_q(s, k) with q = m / (m + k) (DLMF 8.17.24), and E[D; D >= s] = m P(D' >= s - 1), D' of the same q and
of the dispersion k + 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betainc, gammaln

from shelfcast.availability.sums import IntArray, sums_of
from shelfcast.panel import FloatArray

# Selling days by which a series' mean size is held to its product's, this to that of all, and a product's dispersion
# to that of all.
_SERIES_PRIOR, _PRODUCT_PRIOR, _DISPERSION_PRIOR = 3.0, 0.3, 20.0
# The k that are tried, from where most buy one and some a case to nearly Poisson.
_DISPERSIONS = (0.1, 0.2, 0.3, 0.45, 0.7, 1.2, 3.0, 10.0)
# By which power of a day's expected units m grows with them: not at all where better days have more customers alone.
_ELASTICITIES = (0.0, 0.5, 1.0)
# The logarithm by which days that are counted together may differ in their means.
_RATIO_STEP = 0.1
# Rounds of expectation and maximization: what was lost moves by less than a hundredth after so many.
_ROUNDS = 6
# Below these a mean is that of single units, and the ratio of two tails is noise.
_LEAST_MEAN, _LEAST_TAIL = 1e-3, 1e-12


class Beyond(NamedTuple):
    """Where D >= s, by element: the units expected beyond s, and the chance that there were any."""

    units: FloatArray
    chance: FloatArray


def beyond(sold: FloatArray, mean: FloatArray, dispersion: FloatArray | float) -> Beyond:
    """What was asked for on days on which the shelf ran out at `sold` units (s >= 1). mean: m; dispersion: k. By
    element.

    >>> beyond(np.array([1.0, 4.0]), np.array([2.0, 2.0]), 1.0).units
    array([2., 2.])
    """
    q = _q(mean, dispersion)
    tail = _tail(sold, q, dispersion)
    chance = np.where(tail > _LEAST_TAIL, _tail(sold + 1, q, dispersion) / np.maximum(tail, _LEAST_TAIL), q)
    return Beyond(np.maximum(_expected(sold, mean, dispersion) - sold, 0.0), np.minimum(chance, 1.0))


def _expected(sold: FloatArray, mean: FloatArray, dispersion: FloatArray | float) -> FloatArray:
    """E[D; D >= sold] / P(D >= sold). A tail that nothing is known of goes on as that of a geometric distribution
    does."""
    m, q = np.maximum(mean, _LEAST_MEAN), _q(mean, dispersion)
    tail = _tail(sold, q, dispersion)
    usual = m * _tail(sold - 1, q, dispersion + 1) / np.maximum(tail, _LEAST_TAIL)
    return np.where(tail > _LEAST_TAIL, usual, sold + q / (1 - q))


def _q(mean: FloatArray, dispersion: FloatArray | float) -> FloatArray:
    m = np.maximum(mean, _LEAST_MEAN)
    return np.asarray(m / (m + dispersion))


def _tail(least: FloatArray, q: FloatArray, size: FloatArray | float) -> FloatArray:
    """P(D >= least) of a negative binomial with q and `size`."""
    return np.where(least <= 0, 1.0, betainc(np.maximum(least, _LEAST_MEAN), size, q))


def _none(mean: FloatArray, dispersion: float) -> FloatArray:
    """P(D = 0)."""
    return np.asarray(np.exp(-dispersion * np.log1p(mean / dispersion)))


class Sizes(NamedTuple):
    """What selling days come to. spread: of each product variance / mean of its demand, as that of a compound Poisson
    process: E[D^2] / E[D], above 1. lost: series, day, units (>= 0), chance: what was asked for beyond the stock on the
    days on which a shelf ran out, and how likely it was any."""

    spread: FloatArray
    lost: pd.DataFrame


def fit_sizes(sold: pd.DataFrame, ran_out: pd.DataFrame, item: IntArray) -> Sizes:
    """sold: series, day, units, rate (expected units of that day, on any scale). ran_out: the same of those of its days
    on which the shelf ran out, and weight: with which probability. item: the product of each series.

    The mean of a product is that of expectation and maximization (Dempster, Laird and Rubin 1977, censored data); its
    dispersion, and whether customers buy more on better days or there are more of them, the likeliest of some.
    """
    fits = [_fit(sample, k) for sample in _samples(sold, ran_out, item) for k in _DISPERSIONS]
    likelihood = np.stack([fit.likelihood for fit in fits])
    average = likelihood.sum(axis=1, keepdims=True) / max(len(sold), 1)
    chosen = (likelihood + _DISPERSION_PRIOR * average).argmax(axis=0)
    spread = np.stack([fit.spread for fit in fits])[chosen, np.arange(len(chosen))]
    units, chance = np.zeros((2, len(ran_out)))
    of_row = chosen[item[ran_out["series"].to_numpy()]]
    for place in np.unique(of_row):
        rows = of_row == place
        asked = fits[place].asked()
        units[rows], chance[rows] = asked.units[rows], asked.chance[rows]
    weight = ran_out["weight"].to_numpy()
    return Sizes(spread, ran_out[["series", "day"]].assign(units=units * weight, chance=chance * weight))


class _Days(NamedTuple):
    """Selling days. ratio: how much larger their m is than the product's; weight: how many days a row stands for."""

    item: IntArray
    units: FloatArray
    ratio: FloatArray
    weight: FloatArray


class _Sample(NamedTuple):
    """Days of `items` products: whole ones, and those on which the shelf ran out. row: of each row of `ran_out` its
    place in `cut`, where rows that are alike stand once. most: units of each product's best day anywhere: where a few
    days tell of it, an endless tail may be likely, and no more is taken to be lost in a day."""

    whole: _Days
    cut: _Days
    row: IntArray
    items: int
    most: FloatArray


def _samples(sold: pd.DataFrame, ran_out: pd.DataFrame, item: IntArray) -> Iterator[_Sample]:
    """The sample under each of _ELASTICITIES that makes a difference."""
    whole = sold.merge(ran_out[["series", "day", "weight"]], how="left", on=["series", "day"])
    whole = whole.assign(weight=1 - whole["weight"].fillna(0.0))
    ratio, items = _ratios(whole, ran_out, item), int(item.max(initial=-1)) + 1
    most = np.zeros(items)
    np.maximum.at(most, item[sold["series"].to_numpy()], sold["units"].to_numpy())
    for elasticity in _ELASTICITIES if whole["rate"].nunique() > 1 else _ELASTICITIES[:1]:
        usual = _usual(whole, len(item), elasticity)
        parts = []
        for rows in (whole, ran_out):
            series, units, rate, weight = (rows[name].to_numpy() for name in ("series", "units", "rate", "weight"))
            parts.append(_counted(item[series], units, ratio[series] * rate**elasticity / usual[series], weight))
        yield _Sample(parts[0][0], *parts[1], items, most)


def _usual(whole: pd.DataFrame, n: int, elasticity: float) -> FloatArray:
    """The average of rate^elasticity over the whole days of each series; 1 where it has none."""
    series, weight = whole["series"].to_numpy(), whole["weight"].to_numpy()
    days = sums_of(series, weight, n)
    total = sums_of(series, weight * whole["rate"].to_numpy() ** elasticity, n)
    return np.divide(total, days, out=np.ones(n), where=(days > 0) & (total > 0))


def _counted(item: IntArray, units: FloatArray, ratio: FloatArray, weight: FloatArray) -> tuple[_Days, IntArray]:
    """Days of a product that are alike, together; and the place of each row among them."""
    steps = np.rint(np.log(np.maximum(ratio, _LEAST_MEAN)) / _RATIO_STEP)
    alike = pd.DataFrame({"item": item, "units": units, "steps": steps, "weight": weight})
    groups = alike.groupby(["item", "units", "steps"])
    summed, row = groups["weight"].sum().reset_index(), np.asarray(groups.ngroup(), dtype=np.int64)
    item, units, steps, weight = (summed[name].to_numpy() for name in alike)
    return _Days(item, units, np.exp(steps * _RATIO_STEP), weight), row


def _ratios(whole: pd.DataFrame, ran_out: pd.DataFrame, item: IntArray) -> FloatArray:
    """How much larger m is for a series than for its product: as much as X = D - 1. Of geometric X the mean is what was
    seen of them / days that are not cut off, and about so it is of others."""
    n = len(item)
    parts = [
        sums_of(rows["series"].to_numpy(), (rows["weight"] * np.maximum(rows["units"] - 1, 0.0)).to_numpy(), n)
        for rows in (whole, ran_out)
    ]
    excess, days = parts[0] + parts[1], sums_of(whole["series"].to_numpy(), whole["weight"].to_numpy(), n)
    items = int(item.max(initial=-1)) + 1
    of_item, item_days = sums_of(item, excess, items), sums_of(item, days, items)
    overall = of_item.sum() / max(item_days.sum(), 1.0)
    product = ((of_item + _PRODUCT_PRIOR * overall) / (item_days + _PRODUCT_PRIOR))[item]
    product = np.maximum(product, _LEAST_MEAN)
    return np.asarray((excess + _SERIES_PRIOR * product) / (days + _SERIES_PRIOR) / product)


class _Fit(NamedTuple):
    """Of a sample and a dispersion k: mean m, log likelihood and variance / mean of each product."""

    sample: _Sample
    dispersion: float
    mean: FloatArray
    likelihood: FloatArray
    spread: FloatArray

    def asked(self) -> Beyond:
        """What is beyond the stock, of each row of `ran_out`."""
        cut, row = self.sample.cut, self.sample.row
        found = beyond(cut.units, self.mean[cut.item] * cut.ratio, self.dispersion)
        return Beyond(np.minimum(found.units, self.sample.most[cut.item])[row], found.chance[row])


def _fit(sample: _Sample, k: float) -> _Fit:
    whole, cut, n = sample.whole, sample.cut, sample.items
    seen = sums_of(whole.item, whole.weight * whole.units, n)
    overall = seen.sum() / max(whole.weight.sum(), 1.0)
    mean = _mean_excess(whole, cut, n)
    most = sample.most[cut.item]
    for _ in range(_ROUNDS):
        expected = np.minimum(_expected(cut.units, mean[cut.item] * cut.ratio, k), cut.units + most)
        units = seen + sums_of(cut.item, cut.weight * expected, n) + _PRODUCT_PRIOR * overall
        # The mean of a day's units is m ratio / (1 - P(D = 0)).
        days_of_one = _days_of_one(whole, mean, k, n) + _days_of_one(cut, mean, k, n)
        mean = np.maximum(units / (days_of_one + _PRODUCT_PRIOR), _LEAST_MEAN)
    return _Fit(sample, k, mean, _log_likelihood(whole, cut, mean, k), 1 + mean * (1 + 1 / k))


def _mean_excess(whole: _Days, cut: _Days, n: int) -> FloatArray:
    """Where m begins: the mean of D - 1, as if no shelf had run out."""
    excess, days = np.zeros((2, n))
    for part in (whole, cut):
        excess += sums_of(part.item, part.weight * np.maximum(part.units - 1, 0.0), n)
        days += sums_of(part.item, part.weight, n)
    overall = excess.sum() / max(days.sum(), 1.0)
    return np.asarray(np.maximum((excess + _PRODUCT_PRIOR * overall) / (days + _PRODUCT_PRIOR), _LEAST_MEAN))


def _days_of_one(days: _Days, mean: FloatArray, dispersion: float, n: int) -> FloatArray:
    """Days of each product, each worth the units that it has for each of m."""
    of_day = np.maximum(mean[days.item] * days.ratio, _LEAST_MEAN)
    return sums_of(days.item, days.weight * days.ratio / (1 - _none(of_day, dispersion)), n)


def _log_likelihood(whole: _Days, cut: _Days, mean: FloatArray, k: float) -> FloatArray:
    m, of_cut = (np.maximum(mean[days.item] * days.ratio, _LEAST_MEAN) for days in (whole, cut))
    of_day = (
        gammaln(whole.units + k) - gammaln(k) - gammaln(whole.units + 1)
        - k * np.log1p(m / k) + whole.units * np.log(m / (m + k)) - np.log1p(-_none(m, k))
    )  # fmt: skip
    tail = _tail(cut.units, of_cut / (of_cut + k), k) / (1 - _none(of_cut, k))
    rarer = sums_of(cut.item, cut.weight * np.log(np.maximum(tail, _LEAST_TAIL)), len(mean))
    return np.asarray(sums_of(whole.item, whole.weight * of_day, len(mean)) + rarer)
