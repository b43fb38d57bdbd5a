import pytest
from pyspark.sql import SparkSession

from shelfcast.forecasting.accuracy import measure

SCORED = "level string, y double, mean double, p50 double"


def test_errors_are_shares_of_what_sold_at_each_level(spark: SparkSession) -> None:
    rows = [
        ("store", 10.0, 12.0, 9.0),
        ("store", 30.0, 24.0, 30.0),
        ("store", None, 5.0, 5.0),
        ("region", 40.0, 40.0, 44.0),
    ]
    found = {row["level"]: row for row in measure(spark.createDataFrame(rows, SCORED)).collect()}
    store = found["store"]
    assert (store["rows"], store["units"]) == (2, 40.0)
    assert (store["wape"], store["bias"]) == (pytest.approx(8 / 40), pytest.approx(-4 / 40))
    assert (store["rmse"], store["median_wape"]) == (pytest.approx(20**0.5), pytest.approx(1 / 40))
    assert (found["region"]["wape"], found["region"]["median_wape"]) == (0.0, pytest.approx(0.1))


def test_where_nothing_sold_there_is_no_share(spark: SparkSession) -> None:
    found = measure(spark.createDataFrame([("product", 0.0, 1.0, 0.0)], SCORED)).first()
    assert found is not None
    assert (found["rows"], found["wape"], found["rmse"]) == (1, None, 1.0)
