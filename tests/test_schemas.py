import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast.schemas import FORECASTS

QUANTILES = {
    "in order": ((0.0, 1.0, 1.0, 5.0), True),
    "those that are known in order": ((0.0, 1.0, 2.0, None), True),
    "none known, of products without past forecasts": ((None, None, None, None), True),
    "the median below p10": ((2.0, 1.0, 3.0, None), False),
    "p90 above p98": ((0.0, 1.0, 6.0, 5.0), False),
    "below 0": ((-1.0, 1.0, 2.0, None), False),
}


@pytest.mark.parametrize(("quantiles", "holds"), QUANTILES.values(), ids=QUANTILES)
def test_published_quantiles_are_in_order_as_far_as_they_are_known(
    spark: SparkSession, quantiles: tuple[float | None, ...], holds: bool
) -> None:
    row = spark.createDataFrame([quantiles], "p10 double, p50 double, p90 double, p98 double")
    assert row.select(F.expr(FORECASTS.checks["quantiles_are_in_order"]).alias("holds")).first().holds is holds
