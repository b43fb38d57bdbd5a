"""The study's models by name, each from training inputs to predictions of further rows.

The study's multilayer perceptron is trained as the other networks are: shelfcast.study.network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from scipy import sparse
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge

from shelfcast.panel import FloatArray
from shelfcast.study.forest import predict_forest
from shelfcast.study.neighbours import nearest
from shelfcast.study.representation import Inputs, one_hot

# train, y of the training rows, queries, seed and part -> predictions of the queries
Predict = Callable[[Inputs, FloatArray, Inputs, tuple[int, int]], FloatArray]


@dataclass(frozen=True)
class StudyModel:
    """A model that is the mean of `parts` independent parts, each fitted in a task of its own.

    differs: in what it is not, number for number, the study's own model.
    """

    predict: Predict
    representation: str
    differs: str | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    parts: int = 1


class _Regressor(Protocol):
    def fit(self, inputs: sparse.csr_matrix, y: FloatArray) -> object: ...

    def predict(self, inputs: sparse.csr_matrix) -> FloatArray: ...


def _forest(train: Inputs, y: FloatArray, queries: Inputs, seed: tuple[int, int], trees: int) -> FloatArray:
    return predict_forest(train, y, queries, trees, seed)


def _linear(
    train: Inputs, y: FloatArray, queries: Inputs, _seed: tuple[int, int], make: Callable[[], _Regressor]
) -> FloatArray:
    model = make()
    model.fit(one_hot(train), y)
    return np.asarray(model.predict(one_hot(queries)), dtype=np.float64)


def _neighbours(train: Inputs, y: FloatArray, queries: Inputs, _seed: tuple[int, int], k: int) -> FloatArray:
    rows, _ = nearest(train, queries, k)
    mean: FloatArray = y[rows].mean(axis=1)
    return mean


_TREES, _FOREST_PARTS = 50, 5
_K = 5
_ONE_HOT = "sparse one-hot"
_FOREST_DIFFERS = (
    "splits categories in the order of their mean units (among the rows left out of the tree's bootstrap), not one "
    "category from the rest"
)
_KNN_DIFFERS = "not in its distances, which are exact; the study does not say which of equally near rows it takes"
_LINEAR_DIFFERS = "one-hot columns of a category add up to 1, so that many coefficients fit alike: LSQR's are taken"

# The longest first: tasks start in this order.
MODELS: dict[str, StudyModel] = {
    "random_forest": StudyModel(
        partial(_forest, trees=_TREES // _FOREST_PARTS),
        "ordered categories",
        _FOREST_DIFFERS,
        {"trees": _TREES},
        _FOREST_PARTS,
    ),
    "knn": StudyModel(partial(_neighbours, k=_K), "one-hot metric", _KNN_DIFFERS, {"neighbours": _K}),
    "linear": StudyModel(partial(_linear, make=LinearRegression), _ONE_HOT, _LINEAR_DIFFERS),
    "ridge": StudyModel(partial(_linear, make=partial(Ridge, alpha=1.0)), _ONE_HOT, parameters={"alpha": 1.0}),
    "lasso": StudyModel(partial(_linear, make=partial(Lasso, alpha=0.1)), _ONE_HOT, parameters={"alpha": 0.1}),
    "elastic_net": StudyModel(
        partial(_linear, make=partial(ElasticNet, alpha=0.1, l1_ratio=0.5)),
        _ONE_HOT,
        parameters={"alpha": 0.1, "l1_ratio": 0.5},
    ),
}
