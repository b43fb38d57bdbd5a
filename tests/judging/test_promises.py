"""What ends a job, and what it goes on with."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import line
from promised import FATAL, found, shop
from shelfcast.errors import ContractError

STOCK = (
    "source.tables.closing_stock={files: stock*.csv, received: [store, product, day, pieces], columns: "
    "{store_id: store, product_id: product, counted_on: day, on_hand: pieces}}"
)
STOCK_HEADER = "store,product,day,pieces"


@pytest.mark.slow
def test_a_row_that_ended_the_job_is_corrected_by_a_later_file(spark: SparkSession, tmp_path: Path) -> None:
    rules = {"no_wholesale": {**FATAL, "range": {"column": "source_quantity", "at_most": 50}}}
    corner = shop(spark, tmp_path, rules)
    corner.deliver("sales-1.csv", line("a", "2017-01-02", 1))
    corner.take_in()
    corner.deliver("sales-2.csv", line("b", "2017-01-03", 60))
    corner.ingest()
    with pytest.raises(ContractError, match="no_wholesale: 1 of 1 rows of sales break it"):
        corner.clean()
    corner.deliver("sales-3.csv", line("b", "2017-01-03", 6), line("c", "2017-01-04", 1))
    assert corner.take_in() == (True, True)
    assert (found(corner), corner.sold()) == ({"no_wholesale": (2, 0)}, {"a": 1, "b": 6, "c": 1})
    assert corner.operations("clean/sales")[-1] == "MERGE"


@pytest.mark.slow
def test_a_delivery_is_of_a_usual_size_by_the_day_whatever_days_it_tells_of(
    spark: SparkSession, tmp_path: Path
) -> None:
    rules = {
        "usual_size": {**FATAL, "volume": {"of_usual": [0.5, 2]}},
        "not_empty": {**FATAL, "volume": {"at_least": 1}},
    }
    corner = shop(spark, tmp_path, rules)
    corner.deliver(
        "sales-1.csv", *(line(f"{basket}{day}", f"2017-01-0{day}", 1) for day in range(1, 8) for basket in "ab")
    )
    corner.take_in()
    # A day and what came late, of which each is a day of its own.
    corner.deliver("sales-2.csv", *(line(basket, "2017-01-08", 1) for basket in "ab"), line("late", "2017-01-02", 1))
    assert corner.take_in() == (True, True)
    corner.deliver("sales-3.csv")
    corner.ingest()
    with pytest.raises(ContractError, match="not_empty: a delivery of sales has 0 rows; wanted at least 1"):
        corner.clean()


@pytest.mark.slow
def test_stock_is_stale_once_none_is_counted_and_not_for_a_count_that_comes_late(
    spark: SparkSession, tmp_path: Path
) -> None:
    counted = {"table": "closing_stock", "severity": "fatal", "freshness": {"column": "counted_on", "within_days": 3}}
    corner = shop(spark, tmp_path, {"stock_is_counted": counted}, STOCK)

    def stale(sold: str = "", counted: str = "") -> str:
        if sold:
            corner.deliver(f"sales-{sold}.csv", line(sold, sold, 1))
        if counted:
            corner.deliver(f"stock-{counted}.csv", f"1,milk,{counted},5", header=STOCK_HEADER)
        corner.ingest()
        try:
            corner.clean()
        except ContractError as broken:
            return str(broken)
        return ""

    assert stale(sold="2017-01-02", counted="2017-01-02") == ""
    told = "the newest counted_on is 2017-01-02; wanted one at most 3 days before 2017-01-10"
    assert stale(sold="2017-01-10") == f"contract stock_is_counted: {told}"
    assert stale(counted="2017-01-09") == ""
    assert stale(counted="2017-01-01") == ""
