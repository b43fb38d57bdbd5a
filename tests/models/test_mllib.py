from shelfcast.models import MODELS
from shelfcast.models.mllib import REGRESSORS


def test_the_names_known_without_spark_are_those_that_there_are() -> None:
    assert {name for name, model in MODELS.items() if model.library == "MLlib"} == set(REGRESSORS)
