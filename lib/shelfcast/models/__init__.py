"""The models by name: what kind each is, what it minimises, and how much history it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.errors import ConfigError, NotEnoughHistoryError
from shelfcast.models import classical, statistical
from shelfcast.panel import FloatArray, Panel
from shelfcast.settings.names import GLOBAL_MODELS, MLLIB_MODELS

__all__ = ["MODELS", "ZERO", "Forecasts", "ModelSpec", "forecast", "spec"]


@dataclass(frozen=True)
class ModelSpec:
    """family: "statistical" forecasts a panel series by series, "global" is trained on the examples of all series.

    library: what computes it. minimises: the centre that it aims at. seasons: whole seasons of history it needs.
    """

    name: str
    family: Literal["statistical", "global"]
    library: Literal["numpy", "statsforecast", "scikit-learn", "MLlib"]
    minimises: Literal["mean", "median"]
    seasons: int = 0

    def minimum_history(self, season: int) -> int:
        """Periods that a panel of this season must have for the model."""
        return max(1, self.seasons * season)


class Forecasts(NamedTuple):
    """values: shape (n, horizon), units. errors: shape (n,), '' or why the series was forecast by moving_average
    instead."""

    values: FloatArray
    errors: NDArray[np.object_]


# An all-zero forecast is on every leaderboard and serves nobody.
ZERO = "zero"
_NUMPY: dict[str, Callable[[Panel, int], FloatArray]] = {
    ZERO: statistical.zero,
    "naive": statistical.naive,
    "seasonal_naive": statistical.seasonal_naive,
    "moving_average": statistical.moving_average,
    "moving_median": statistical.moving_median,
    "exponential_smoothing": statistical.exponential_smoothing,
    "croston": statistical.croston,
    "tsb": statistical.tsb,
    "seasonal_growth": statistical.seasonal_growth,
    "seasonal_pool": statistical.seasonal_pool,
    "seasonal_blend": statistical.seasonal_blend,
}
_STATSFORECAST: dict[str, Callable[[Panel, int], tuple[FloatArray, NDArray[np.object_]]]] = {
    "ets": classical.ets,
    "theta": classical.theta,
    "arima": classical.arima,
}
_SEASONS = dict.fromkeys(("seasonal_naive", "seasonal_growth", "seasonal_pool", "seasonal_blend", "arima"), 2)
_MEDIAN = {ZERO, "moving_median", "hist_gradient_boosting_median"}


def _specs() -> dict[str, ModelSpec]:
    made = [
        ModelSpec(n, "statistical", "numpy", "median" if n in _MEDIAN else "mean", _SEASONS.get(n, 0)) for n in _NUMPY
    ]
    made += [ModelSpec(n, "statistical", "statsforecast", "mean", _SEASONS.get(n, 0)) for n in _STATSFORECAST]
    made += [ModelSpec(n, "global", "scikit-learn", "median" if n in _MEDIAN else "mean") for n in GLOBAL_MODELS]
    made += [ModelSpec(n, "global", "MLlib", "mean") for n in MLLIB_MODELS]
    return {model.name: model for model in made}


MODELS = _specs()


def spec(name: str) -> ModelSpec:
    """The model of that name. Raises ConfigError, which names the known ones."""
    if name not in MODELS:
        raise ConfigError(f"models: found {name!r}, wanted one of {', '.join(MODELS)}")
    return MODELS[name]


def forecast(name: str, panel: Panel, horizon: int) -> Forecasts:
    """The next `horizon` periods of every series by the statistical model `name`; not below 0 where demand never was.

    Raises NotEnoughHistoryError where the panel is shorter than the model needs, ConfigError for an unknown name.
    """
    needed = spec(name).minimum_history(panel.season)
    if panel.y.shape[1] < needed:
        raise NotEnoughHistoryError(f"{name}: not enough history: {panel.y.shape[1]} periods, wanted {needed}")
    if name in _NUMPY:
        values, errors = _NUMPY[name](panel, horizon), np.full(len(panel), "", dtype=object)
    elif name in _STATSFORECAST:
        values, errors = _STATSFORECAST[name](panel, horizon)
    else:
        raise ConfigError(f"models: {name} is trained on examples (shelfcast.models.sklearn_models), not on a panel")
    negative = bool((panel.y < 0).any())
    return Forecasts(values if negative else np.maximum(values, 0.0), errors)
