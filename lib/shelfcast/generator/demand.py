"""The true mean and distribution of demand, computed for all pairs of a block at once.

D = 0 with the chance 1 - visit, else negative binomial of mean m = mean / visit and dispersion k, variance m + m^2 / k.
Days are independent given their means. `truth.py` computes the same on Spark.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.generator.surprises import RAMP_DAYS, RAMP_START
from shelfcast.panel import FloatArray

IntArray = NDArray[np.int64]
DAYS_A_YEAR = 364


@dataclass(frozen=True)
class Days:
    """Some days of a chain: their numbers from its first day, weekday (0 is Monday) and ISO week (1 to 53)."""

    numbers: IntArray
    weekday: IntArray
    week: IntArray

    def __len__(self) -> int:
        return len(self.numbers)


def days_of(first_day: date, numbers: IntArray) -> Days:
    """The days that lie so many days after `first_day`."""
    calendar = [(first_day + timedelta(days=int(number))).isocalendar() for number in numbers]
    weekday = np.array([day.weekday - 1 for day in calendar], dtype=np.int64)
    return Days(numbers, weekday, np.array([day.week for day in calendar], dtype=np.int64))


def product_factors(products: pd.DataFrame, days: Days) -> FloatArray:
    """What the day makes of a product's mean, in all stores: shape (days, products)."""
    season = np.stack(products["season"].to_list())[:, days.week - 1].T
    number = days.numbers[:, None]
    trend = np.exp(products["trend"].to_numpy() * number / DAYS_A_YEAR)
    since_launch = np.maximum(number - products["launch"].to_numpy(), 0)
    ramp = 1 - (1 - RAMP_START) * np.exp(-since_launch / RAMP_DAYS)
    return np.asarray(season * trend * ramp * _effects(products, days))


def store_factors(stores: pd.DataFrame, days: Days) -> FloatArray:
    """What the day makes of all means of a store: shape (days, stores)."""
    weekday = np.stack(stores["weekday"].to_list())[:, days.weekday].T
    return np.asarray(weekday * _effects(stores, days))


def _effects(frame: pd.DataFrame, days: Days) -> FloatArray:
    factors = np.ones((len(days), len(frame)))
    for column, effects in enumerate(frame["effects"]):
        for effect in effects:
            holds = (days.numbers >= effect.first) & (days.numbers <= effect.last)
            factors[holds, column] *= effect.factor
    return factors


def mean_demand(pairs: pd.DataFrame, stores: pd.DataFrame, products: pd.DataFrame, days: Days) -> FloatArray:
    """The true mean in units, shape (days, pairs)."""
    by_product = product_factors(products, days)[:, pairs["product"].to_numpy()]
    by_store = store_factors(stores, days)[:, pairs["store"].to_numpy()]
    return np.asarray(pairs["base"].to_numpy() * by_product * by_store)


def chance_of_none(mean: FloatArray, visit: FloatArray, dispersion: FloatArray) -> FloatArray:
    """P(D = 0), by element."""
    return np.asarray(1 - visit + visit * np.exp(-dispersion * np.log1p(mean / (visit * dispersion))))


def variance(mean: FloatArray, visit: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Var D in units squared, by element: E[D^2] = visit (m + m^2 (1 + 1 / k))."""
    size = mean / visit
    return np.asarray(visit * (size + size**2 * (1 + 1 / dispersion)) - mean**2)


def draw_demand(
    mean: FloatArray, visit: FloatArray, dispersion: float, visits: np.random.Generator, sizes: np.random.Generator
) -> IntArray:
    """Demand in units, as `mean`; two streams, so that who comes does not depend on what they buy."""
    comes = visits.random(mean.shape) < visit
    demand = np.zeros(mean.shape, dtype=np.int64)
    wanted = (mean / visit)[comes]
    demand[comes] = sizes.negative_binomial(dispersion, dispersion / (dispersion + wanted))
    return demand


def weekly_class(mean: FloatArray, visit: FloatArray, dispersion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ADI and CV2 of the true weekly demand of each pair, means of shape (days, pairs) over whole weeks.

    Over the weeks in which the product is listed at all (mean above 0): ADI = 1 / share of selling weeks, CV2 = squared
    coefficient of variation of their quantities. Syntetos and Boylan (2005): lumpy is ADI >= 1.32 and CV2 >= 0.49.
    """
    by_week = (len(mean) // 7, 7, -1)
    none = chance_of_none(mean, visit, dispersion).reshape(by_week).prod(axis=1)
    units = mean.reshape(by_week).sum(axis=1)
    squares = variance(mean, visit, dispersion).reshape(by_week).sum(axis=1) + units**2
    selling = np.maximum((1 - none).sum(axis=0), 1e-12)
    average = np.maximum(units.sum(axis=0) / selling, 1e-12)
    cv2 = squares.sum(axis=0) / selling / average**2 - 1
    return np.asarray((units > 0).sum(axis=0) / selling), np.asarray(cv2)
