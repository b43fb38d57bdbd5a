"""scikit-learn's regressors on examples. The target is demand / scale, each row weighed by its scale: errors in units
count, and a rule learned on a large series serves a small one (weights as for a variance that grows with the level, as
counts have).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor

from shelfcast.errors import ConfigError
from shelfcast.features import sample_examples
from shelfcast.history import fill, known_mean
from shelfcast.models.encoder import Encoder
from shelfcast.panel import FloatArray

KNN_ROWS = 20_000
COMMON_LIMITS = (0.5, 2.0)
BOOSTING = {
    # Finding the best of the default's 255 bins takes most of a fit on so few rows.
    "max_bins": 63,
    "max_iter": 120,
    "learning_rate": 0.05,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 50,
    "l2_regularization": 10.0,
    "max_features": 0.5,
}
FOREST = {
    "n_estimators": 50,
    "max_depth": 12,
    "min_samples_leaf": 20,
    "max_features": 0.3,
    "max_samples": 0.3,
    "n_jobs": 1,
}


@dataclass(frozen=True)
class Regressor:
    """How one of scikit-learn's regressors is made (from a seed), and the matrix that it reads."""

    make: Callable[[int], Any]
    matrix: Callable[[Encoder, pd.DataFrame], Any]
    max_rows: int | None = None
    weighted: bool = True
    median: bool = False


@dataclass(frozen=True)
class FittedModel:
    """A trained regressor with all that it needs to score; `stored` makes bytes of it."""

    name: str
    encoder: Encoder
    estimator: Any
    seasonal: bool
    non_negative: bool


def _boosting(loss: str) -> Regressor:
    return Regressor(
        lambda seed: HistGradientBoostingRegressor(loss=loss, early_stopping=False, random_state=seed, **BOOSTING),
        Encoder.tree_matrix,
        median=loss == "absolute_error",
    )


REGRESSORS = {
    # The one-hot columns nearly add up: the last digits of the solution take most of the time and forecast no better.
    "linear": Regressor(lambda _: LinearRegression(tol=1e-4), Encoder.sparse_matrix),
    "ridge": Regressor(lambda _: Ridge(alpha=100.0), Encoder.sparse_matrix),
    "lasso": Regressor(lambda _: Lasso(alpha=0.001), Encoder.sparse_matrix),
    "elastic_net": Regressor(lambda _: ElasticNet(alpha=0.001, l1_ratio=0.5), Encoder.sparse_matrix),
    "random_forest": Regressor(lambda seed: RandomForestRegressor(random_state=seed, **FOREST), Encoder.tree_matrix),
    "knn5": Regressor(
        lambda _: KNeighborsRegressor(5, algorithm="brute", n_jobs=1), Encoder.standardized, KNN_ROWS, weighted=False
    ),
    "hist_gradient_boosting": _boosting("squared_error"),
    "hist_gradient_boosting_median": _boosting("absolute_error"),
}


def fit(name: str, examples: pd.DataFrame, encoder: Encoder, seed: int) -> FittedModel:
    """Trains model `name` on the rows of `examples` whose demand is known and whose series has sold before.

    encoder: fitted on training rows of the same cutoff. Raises ConfigError for an unknown name.
    """
    if name not in REGRESSORS:
        raise ConfigError(f"models: no scikit-learn model {name!r}; wanted one of {', '.join(REGRESSORS)}")
    regressor = REGRESSORS[name]
    rows = examples[examples["y"].notna() & (examples["scale"] > 0)]
    if regressor.max_rows is not None:
        rows = sample_examples(rows, regressor.max_rows, seed)
    seasonal = _season_is_better(rows)
    base = _anchor(rows, seasonal)
    common = 1.0 if seasonal else _common_movement(rows)
    target = (rows["y"] / rows["scale"]).to_numpy() / common - base
    weights = {"sample_weight": (rows["scale"] / rows["scale"].mean()).to_numpy()} if regressor.weighted else {}
    estimator = regressor.make(seed).fit(regressor.matrix(encoder, rows), target, **weights)
    return FittedModel(name, encoder, estimator, seasonal, bool((rows["y"] >= 0).all()))


def predict(fitted: FittedModel, examples: pd.DataFrame) -> FloatArray:
    """The forecast of each row, in units; 0 for a series that has not sold; not below 0 where demand never was.

    The median of a count is a whole number: a model that minimises the absolute error says one where demand is counted.
    """
    regressor = REGRESSORS[fitted.name]
    predicted = np.asarray(fitted.estimator.predict(regressor.matrix(fitted.encoder, examples)), dtype=np.float64)
    ratio = _anchor(examples, fitted.seasonal) + predicted
    y_hat: FloatArray = ratio * examples["scale"].to_numpy(dtype=np.float64)
    y_hat = np.maximum(y_hat, 0.0) if fitted.non_negative else y_hat
    return np.where(examples["counted"], np.round(y_hat), y_hat) if regressor.median else y_hat


def _anchor(examples: pd.DataFrame, seasonal: bool) -> FloatArray:
    """What the model corrects, in multiples of the scale: 1, or last season's demand brought to today's level."""
    level = np.ones(len(examples))
    if not seasonal:
        return level
    return fill(known_mean(examples[["grown_season", "pooled_season"]].to_numpy(dtype=np.float64)), level)


def _season_is_better(rows: pd.DataFrame) -> bool:
    """Whether last season came closer to the training demand than the recent level, where both are known."""
    known = rows[rows["grown_season"].notna()]
    errors = [(known["y"] - known["scale"] * _anchor(known, seasonal)).abs().sum() for seasonal in (False, True)]
    return bool(errors[1] < errors[0])


def _common_movement(rows: pd.DataFrame) -> FloatArray:
    """How far the demand of all series together was from their levels at that origin and step, within COMMON_LIMITS.

    Weeks are few where series are many: a model would learn the past weeks' accidents as a rule for the coming ones.
    """
    totals = rows.groupby(["origin", "step"])[["y", "scale"]].transform("sum").to_numpy(dtype=np.float64)
    movement: FloatArray = totals[:, 0] / totals[:, 1]
    return movement.clip(*COMMON_LIMITS)
