"""How good a forecast is: one function a metric, all masked where the demand is not known (NaN).

Shapes are free but equal; `y` and `y_hat` are in the units of demand. A metric that has nothing to be measured on is
NaN. Sources: Hyndman and Koehler (2006) for MASE, Makridakis et al. (2022, the M5) for RMSSE, Witten and Frank for RAE
and RRSE.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.history import known_mean
from shelfcast.panel import FloatArray

# Of fewer than five clusters that all go one way by chance (1 in 32) a bootstrap knows no doubt.
LEAST_CLUSTERS = 5
Metric = Callable[[FloatArray, FloatArray], float]


class Interval(NamedTuple):
    """A difference and the interval that holds it with the stated probability, in the metric's unit."""

    difference: float
    lower: float
    upper: float


def wape(y: FloatArray, y_hat: FloatArray) -> float:
    """Sum of absolute errors / sum of absolute demand: 0 is perfect, an all-zero forecast scores 1."""
    return _ratio(np.abs(_errors(y, y_hat)).sum(), np.abs(_known(y)).sum())


def mae(y: FloatArray, y_hat: FloatArray) -> float:
    """Mean absolute error, in units."""
    return _mean(np.abs(_errors(y, y_hat)))


def rmse(y: FloatArray, y_hat: FloatArray) -> float:
    """Root mean squared error, in units."""
    return math.sqrt(_mean(_errors(y, y_hat) ** 2))


def bias(y: FloatArray, y_hat: FloatArray) -> float:
    """Sum of errors / sum of demand: positive where the forecast is too high."""
    return _ratio(_errors(y, y_hat).sum(), _known(y).sum())


def r2(y: FloatArray, y_hat: FloatArray) -> float:
    """1 - squared errors / squared deviations from the mean of `y`."""
    return 1 - _ratio((_errors(y, y_hat) ** 2).sum(), (_deviations(y) ** 2).sum())


def rae(y: FloatArray, y_hat: FloatArray) -> float:
    """Relative absolute error: sum of absolute errors / that of always saying the mean of `y`."""
    return _ratio(np.abs(_errors(y, y_hat)).sum(), np.abs(_deviations(y)).sum())


def rrse(y: FloatArray, y_hat: FloatArray) -> float:
    """Root relative squared error: as `rae`, of squared errors, under the root."""
    return math.sqrt(_ratio((_errors(y, y_hat) ** 2).sum(), (_deviations(y) ** 2).sum()))


def mape(y: FloatArray, y_hat: FloatArray) -> float:
    """Mean of |error / demand| over the periods with demand; `mape_left_out` says how many had none."""
    selling = y != 0
    return _mean(np.abs(_errors(y[selling], y_hat[selling]) / _known(y[selling])))


def mape_left_out(y: FloatArray) -> int:
    """Known periods without demand: `mape` leaves them out."""
    return int((y == 0).sum())


def correlation(y: FloatArray, y_hat: FloatArray) -> float:
    """Pearson's correlation of demand and forecast."""
    truth, guess = _deviations(y), _centred(y_hat[~np.isnan(y)])
    return _ratio((truth * guess).sum(), ((truth**2).sum() * (guess**2).sum()) ** 0.5)


METRICS: dict[str, Metric] = {
    "wape": wape,
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "r2": r2,
    "rae": rae,
    "rrse": rrse,
    "mape": mape,
    "correlation": correlation,
}


def rmsse(y: FloatArray, y_hat: FloatArray, history: FloatArray, season: int = 1) -> float:
    """Mean over series of root(MSE / MSE of the seasonal naive forecast inside `history`); a row is a series."""
    scale = known_mean(_seasonal_differences(history, season) ** 2)
    return _mean_root_over_series(known_mean((y_hat - y) ** 2), scale)


def pinball(y: FloatArray, q_hat: FloatArray, quantile: float) -> float:
    """Mean pinball loss of the forecast `q_hat` of a quantile in (0, 1), in units; at 0.5 half the MAE."""
    under = -_errors(y, q_hat)
    return _mean(np.maximum(quantile * under, (quantile - 1) * under))


def bootstrap_of_sums(
    a: FloatArray, b: FloatArray, whole: FloatArray, seed: int, probability: float = 0.95, draws: int = 2000
) -> Interval:
    """sum(a - b) / sum(whole) and the interval that holds it with that probability, from drawing the clusters
    (stores), whose sums these are, with replacement. 0 where the whole is.

    Periods of a store err together: drawing rows alone would make the interval too narrow (Cameron, Gelbach and Miller
    2008).
    """
    counts = _draw_clusters(len(a), seed, draws)
    found, drawn = (_share((a - b) @ times, whole @ times) for times in (np.ones((len(a), 1)), counts))
    return _interval(found, drawn, probability)


def bootstrap_of_roots(
    a: FloatArray, b: FloatArray, whole: FloatArray, seed: int, probability: float = 0.95, draws: int = 2000
) -> Interval:
    """As `bootstrap_of_sums`, of root(sum(a) / sum(whole)) - root(sum(b) / sum(whole)): with squared errors and the
    rows that they are of the difference of two RMSE."""
    found, drawn = (
        np.sqrt(_share(a @ times, whole @ times)) - np.sqrt(_share(b @ times, whole @ times))
        for times in (np.ones((len(a), 1)), _draw_clusters(len(a), seed, draws))
    )
    return _interval(found, drawn, probability)


def _draw_clusters(clusters: int, seed: int, draws: int) -> NDArray[np.int64]:
    """Shape (clusters, draws): how often each is drawn."""
    chances = np.full(clusters, 1 / clusters)
    return np.random.default_rng(seed).multinomial(clusters, chances, size=draws).T


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """0 where the whole is."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _interval(found: FloatArray, drawn: FloatArray, probability: float) -> Interval:
    lower, upper = np.quantile(drawn, [(1 - probability) / 2, (1 + probability) / 2])
    return Interval(float(found[0]), float(lower), float(upper))


def _errors(y: FloatArray, y_hat: FloatArray) -> FloatArray:
    return (y_hat - y)[~np.isnan(y)]


def _known(y: FloatArray) -> FloatArray:
    return y[~np.isnan(y)]


def _deviations(y: FloatArray) -> FloatArray:
    return _centred(_known(y))


def _centred(values: FloatArray) -> FloatArray:
    return values - _mean(values)


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else np.nan


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan


def _seasonal_differences(history: FloatArray, season: int) -> FloatArray:
    return history[:, season:] - history[:, :-season]


def _mean_root_over_series(loss: FloatArray, scale: FloatArray) -> float:
    measured = (scale > 0) & ~np.isnan(loss)
    return _mean(np.sqrt(loss[measured] / scale[measured]))
