"""Spark MLlib's regressors by name. They need a session, so that each is made where it is fitted."""

from collections.abc import Callable
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor

# The columns that every regressor reads: demand / scale, weighed by the scale, as scikit-learn's do.
FEATURES, TARGET, WEIGHT, PREDICTION = "features", "target", "scale", "prediction"
_COLUMNS: dict[str, Any] = {"featuresCol": FEATURES, "labelCol": TARGET, "weightCol": WEIGHT}


def _linear(penalty: float, lasso_share: float) -> Callable[[int], Estimator[Any]]:
    """Least squares with an elastic net. It has no chance in it: the seed is the others'."""

    def make(_: int) -> Estimator[Any]:
        return LinearRegression(
            **_COLUMNS,
            standardization=False,  # the columns come standardized
            maxIter=50,
            regParam=penalty,
            elasticNetParam=lasso_share,
        )

    return make


def _forest(seed: int) -> Estimator[Any]:
    return RandomForestRegressor(
        **_COLUMNS,
        numTrees=16,
        maxDepth=6,
        minInstancesPerNode=20,
        seed=seed,
    )


def _boosting(seed: int) -> Estimator[Any]:
    return GBTRegressor(
        **_COLUMNS,
        maxIter=8,
        maxDepth=3,
        stepSize=0.4,
        minInstancesPerNode=20,
        seed=seed,
    )


REGRESSORS: dict[str, Callable[[int], Estimator[Any]]] = {
    "mllib_linear": _linear(0.0, 0.0),
    "mllib_ridge": _linear(0.01, 0.0),
    "mllib_lasso": _linear(0.001, 1.0),
    "mllib_elastic_net": _linear(0.001, 0.5),
    "mllib_random_forest": _forest,
    "mllib_gradient_boosting": _boosting,
}
