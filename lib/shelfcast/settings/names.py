"""Names that mean something elsewhere: refused where they are written, before any job begins."""

from typing import Annotated

import holidays
from pydantic import AfterValidator

GLOBAL_MODELS = (
    *("linear", "ridge", "lasso", "elastic_net", "random_forest", "knn5"),
    *("hist_gradient_boosting", "hist_gradient_boosting_median"),
)
# Spark's own, in models/mllib.
MLLIB_MODELS = (
    *("mllib_linear", "mllib_ridge", "mllib_lasso", "mllib_elastic_net"),
    *("mllib_random_forest", "mllib_gradient_boosting"),
)
MODELS = (
    *("zero", "naive", "seasonal_naive", "moving_average", "moving_median", "exponential_smoothing"),
    *("croston", "tsb", "seasonal_growth", "seasonal_pool", "seasonal_blend", "ets", "theta", "arima"),
    *GLOBAL_MODELS,
    *MLLIB_MODELS,
)


def _is_known(model: str) -> str:
    if model not in MODELS:
        raise ValueError(f"one of {', '.join(MODELS)}")
    return model


def _has_holidays(country: str) -> str:
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        raise ValueError("a country whose holidays are known, by its ISO 3166 code, such as US") from None
    return country


ModelName = Annotated[str, AfterValidator(_is_known)]
Country = Annotated[str, AfterValidator(_has_holidays)]
