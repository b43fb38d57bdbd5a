from datetime import date

from pyspark.sql import SparkSession

from builders import frame, sale
from shelfcast.schemas import SALES
from shelfcast.steps.clean import as_stores

# A file with last year's dates, which came again with this year's.
WRONG, RIGHT, TODAY = date(2016, 3, 1), date(2017, 3, 1), date(2017, 3, 8)


def test_a_store_s_days_are_those_that_stand(spark: SparkSession) -> None:
    sales = frame(
        spark, SALES, sale(sold_on=WRONG, known_until=TODAY), sale(sold_on=RIGHT), sale(sold_on=WRONG, store_id="s2")
    )
    found = {row.store_id: (row.first_sold_on, row.last_sold_on) for row in as_stores(sales).collect()}
    assert found == {"s1": (RIGHT, RIGHT), "s2": (WRONG, WRONG)}
