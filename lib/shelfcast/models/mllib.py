"""Spark MLlib's regressors by name. They need a session, so that each is made where it is fitted."""

from collections.abc import Callable
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor

# The columns that every regressor reads: demand / scale, weighed by the scale, as scikit-learn's do.
FEATURES, TARGET, WEIGHT, PREDICTION = "features", "target", "scale", "prediction"


def _linear(**settings: float) -> Callable[[int], Estimator[Any]]:
    def make(seed: int) -> Estimator[Any]:
        # The columns come standardized.
        return LinearRegression(
            featuresCol=FEATURES, labelCol=TARGET, weightCol=WEIGHT, standardization=False, maxIter=50, **settings
        )

    return make


def _forest(seed: int) -> Estimator[Any]:
    return RandomForestRegressor(
        featuresCol=FEATURES, labelCol=TARGET, weightCol=WEIGHT, numTrees=20, maxDepth=8, minInstancesPerNode=20, seed=seed
    )


def _boosting(seed: int) -> Estimator[Any]:
    return GBTRegressor(
        featuresCol=FEATURES, labelCol=TARGET, weightCol=WEIGHT, maxIter=20, maxDepth=5, stepSize=0.2, minInstancesPerNode=20, seed=seed
    )


REGRESSORS: dict[str, Callable[[int], Estimator[Any]]] = {
    "mllib_linear": _linear(),
    "mllib_ridge": _linear(regParam=0.01, elasticNetParam=0.0),
    "mllib_lasso": _linear(regParam=0.001, elasticNetParam=1.0),
    "mllib_elastic_net": _linear(regParam=0.001, elasticNetParam=0.5),
    "mllib_random_forest": _forest,
    "mllib_gradient_boosting": _boosting,
}
