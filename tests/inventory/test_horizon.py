"""A plan is refused where its forecast ends before stock must last."""

import pytest
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.errors import NotEnoughHistoryError
from shelfcast.inventory.horizon import require_horizon

COLUMNS = "vendor_id string, lead_days array<int>, lead_chances array<double>"


def test_a_forecast_that_ends_too_soon_is_refused_with_the_vendors_that_it_fails(spark: SparkSession) -> None:
    settings = config.load("conf/tiny.yaml", ["inventory.order_days={v2: [1, 4]}"]).inventory
    rows = [("v1", [5, 26, 40], [0.5, 0.99, 1.0]), ("v2", [20], [1.0]), (None, [3], [1.0])]
    series = spark.createDataFrame(rows, COLUMNS)
    require_horizon(series, settings, 33)
    with pytest.raises(
        NotEnoughHistoryError, match=r"reaches 28 days ahead; wanted 33 or more: .* of 1 vendors \(v1\)"
    ):
        require_horizon(series, settings, 28)
