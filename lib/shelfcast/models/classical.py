"""ETS, theta and seasonal ARIMA from statsforecast, series after series in one process.

statsforecast is imported where a model is fitted: it takes seconds, and most tasks need none of it.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shelfcast.models.statistical import moving_average
from shelfcast.panel import FloatArray, Panel

FALLBACK = "moving_average"


class _Fitted(Protocol):
    def forecast(self, y: FloatArray, h: int) -> dict[str, Any]: ...


def ets(panel: Panel, horizon: int) -> tuple[FloatArray, NDArray[np.object_]]:
    """Exponential smoothing, its form chosen by AICc (Hyndman et al. 2002), without a season."""
    from statsforecast.models import AutoETS

    return _each(lambda: AutoETS(season_length=1, model="ZZN"), panel, horizon)


def theta(panel: Panel, horizon: int) -> tuple[FloatArray, NDArray[np.object_]]:
    """The dynamic optimised theta model (Fiorucci et al. 2016); a season is taken out where it is significant."""
    from statsforecast.models import DynamicOptimizedTheta

    return _each(
        lambda: DynamicOptimizedTheta(season_length=panel.season, decomposition_type="additive"), panel, horizon
    )


def arima(panel: Panel, horizon: int) -> tuple[FloatArray, NDArray[np.object_]]:
    """Seasonal ARIMA (0,1,1)(0,0,1): exponential smoothing with a season's moving average, by maximum likelihood.

    One order for all: a search among them costs a hundred times as much, and a year of weeks cannot tell them apart.
    """
    from statsforecast.models import ARIMA

    order, seasonal = (0, 1, 1), (0, 0, 1)
    return _each(
        lambda: ARIMA(order=order, seasonal_order=seasonal, season_length=panel.season, method="ML"), panel, horizon
    )


def _each(model: Callable[[], _Fitted], panel: Panel, horizon: int) -> tuple[FloatArray, NDArray[np.object_]]:
    """The forecasts, and per series why it was forecast by FALLBACK instead ('' where it was not)."""
    y_hat = moving_average(panel, horizon)
    errors = np.full(len(panel), "", dtype=object)
    for row, series in enumerate(panel.y):
        try:
            y_hat[row] = _forecast(model(), series, horizon)
        except (ArithmeticError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            errors[row] = f"{type(error).__name__}: {error}".splitlines()[0]
    return y_hat, errors


def _forecast(model: _Fitted, series: FloatArray, horizon: int) -> FloatArray:
    known = series[np.flatnonzero(~np.isnan(series))[0] :] if not np.isnan(series).all() else series[:0]
    if len(known) == 0:
        raise ValueError("no period of the series is known")
    filled = np.where(np.isnan(known), np.nanmean(known), known)
    # Of a constant series the test for a season divides by no variance at all, and finds none.
    with np.errstate(invalid="ignore"):
        mean = np.asarray(model.forecast(y=filled, h=horizon)["mean"])
    if not np.isfinite(mean).all():
        raise ArithmeticError(f"the forecast is not finite: {mean}")
    return mean.astype(np.float64)
