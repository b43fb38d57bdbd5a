"""What the series of an item tell together: the seasonal profile, which one alone is too noisy to tell, and the level.

Groups are items: `groups`, shape (n,), is the place of each series' item, 0... NaN is demand that is not known.
"""

import numpy as np
from numpy.typing import NDArray

from shelfcast.history import fill, known_mean, sum_by_group
from shelfcast.panel import FloatArray

# Standard deviations of what is estimated: of the seasonal factors that all groups have in common, and of a group's own
# ones as multiples of these.
COMMON_SPREAD, OWN_SPREAD = 0.15, 0.12
# A group's own factor is that of the periods around, by these weights.
KERNEL = np.array([1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0])
# What sells at one time of the year alone has no factor elsewhere that anything could be divided by.
FACTOR_LIMITS = (0.05, 20.0)
# Without so many periods beyond a whole season nothing has repeated yet.
LEAST_REPEATED = 4
# From levels that stores have by themselves proportional fitting is nearly there after two rounds.
_ROUNDS = 2


def seasonal_profile(totals: FloatArray, season: int, horizon: int) -> FloatArray:
    """The seasonal factor of each group in each known period and in the next `horizon`: shape (groups, T + horizon).

    totals: what the series of a group sold together, shape (groups, T). A factor is what sold at that place of the
    season over what the mean of the season around it lets expect. That which all groups have in common is drawn
    towards 1, and a group's own towards that: where the variance is `noise` times the mean and factors have the
    standard deviation `spread`, the posterior mean adds noise / spread^2 expected units to both sides (a gamma prior).
    1 where fewer periods are known than a season and LEAST_REPEATED.
    """
    periods = totals.shape[1]
    if periods < season + LEAST_REPEATED:
        return np.ones((len(totals), periods + horizon))
    # More returned than sold is no season.
    totals = np.maximum(totals, 0.0)
    expected, noise = _season_around(totals, season), _noise(totals)
    # By the precision of what each says of the others: where an item sells much, its own factors are what is uncertain.
    weight = 1 / (noise + OWN_SPREAD**2 * expected.mean(axis=1, keepdims=True))
    whole, likely = (_by_place((weight * part).sum(axis=0, keepdims=True), season) for part in (totals, expected))
    prior = _noise((weight * totals).sum(axis=0, keepdims=True), 0.0) / COMMON_SPREAD**2
    common = _divide(whole + prior, likely + prior)
    sold, likely = _around(_by_place(totals, season)), _around(_by_place(expected, season) * common)
    own_prior = noise / OWN_SPREAD**2
    factors: FloatArray = np.clip(common * (sold + own_prior) / (likely + own_prior), *FACTOR_LIMITS)
    return factors[:, np.arange(periods + horizon) % season]


def _season_around(totals: FloatArray, season: int) -> FloatArray:
    """The mean of the whole season around each period, moved to where it is known."""
    periods = totals.shape[1]
    first = np.clip(np.arange(periods) - season // 2, 0, periods - season)
    sums = np.pad(np.cumsum(totals, axis=1), ((0, 0), (1, 0)))
    return np.asarray((sums[:, first + season] - sums[:, first]) / season)


def _by_place(values: FloatArray, season: int) -> FloatArray:
    """Summed over the seasons: shape (groups, season)."""
    whole = np.pad(values, ((0, 0), (0, -values.shape[1] % season)))
    return np.asarray(whole.reshape(len(values), -1, season).sum(axis=1))


def _around(by_place: FloatArray) -> FloatArray:
    """Sums with those of the neighbouring places, as many as KERNEL reaches, so weighted that they are as noisy as
    counts are: the squared weights add up to what the weights do."""
    reach, weights = len(KERNEL) // 2, KERNEL * KERNEL.sum() / (KERNEL**2).sum()
    return np.asarray(sum(w * np.roll(by_place, at - reach, axis=1) for at, w in enumerate(weights)))


def _noise(totals: FloatArray, least: float = 1.0) -> FloatArray:
    """The variance of each group as a multiple of its mean, from the differences of neighbouring periods, and at least
    that of a Poisson count: shape (groups, 1)."""
    squares, mean = (np.diff(totals, axis=1) ** 2).mean(axis=1) / 2, totals.mean(axis=1)
    noise = np.divide(squares, mean, out=np.ones(len(totals)), where=mean > 0)
    return np.asarray(np.maximum(noise, least)[:, None])


def own_level(y: FloatArray, profile: FloatArray, window: int) -> FloatArray:
    """The level of each row less its season, from what is known of the last `window` periods, else of all: shape (n,).

    profile: seasonal factors of the same periods, shape (n, T).
    """
    levels = [_ratio(y[:, start:], profile[:, start:]) for start in (max(y.shape[1] - window, 0), 0)]
    return fill(fill(*levels), np.zeros(len(y)))


def shared_levels(
    y: FloatArray, profile: FloatArray, groups: NDArray[np.int64], windows: tuple[int, ...]
) -> list[FloatArray]:
    """The level of each row less its season from the recent demand of its whole group, for each of the windows.

    A row's part of its group is that of all its known periods, and how the group fares is that of the last ones: of
    y = part x period both are fitted by proportions in turn, which is Poisson's maximum likelihood for a table with
    cells that are not known (Birch 1963).
    """
    known, sold = ~np.isnan(y), np.nan_to_num(y)
    part = own_level(y, profile, y.shape[1])
    for _ in range(_ROUNDS):
        together = _divide(sum_by_group(y, groups), sum_by_group(known * part[:, None], groups))
        part = _divide(sold.sum(axis=1), (known * together[groups]).sum(axis=1))
    likely = known * part[:, None] * profile
    found = []
    for window in windows:
        recent = slice(max(y.shape[1] - window, 0), None)
        of_group, wanted = (sum_by_group(cells[:, recent], groups).sum(axis=1) for cells in (sold, likely))
        found.append(part * _divide(of_group, wanted)[groups])
    return found


def _ratio(y: FloatArray, profile: FloatArray) -> FloatArray:
    """What is known of each row over its seasonal factors; NaN where nothing is."""
    weights = known_mean(np.where(np.isnan(y), np.nan, profile))
    found: FloatArray = np.divide(known_mean(y), weights, out=np.full(len(y), np.nan), where=weights > 0)
    return found


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    """0 where the whole is."""
    found: FloatArray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found
