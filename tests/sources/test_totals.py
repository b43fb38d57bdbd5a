from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import received
from shelfcast.config import load
from shelfcast.errors import ConfigError, SchemaError
from shelfcast.resources import resource_folder
from shelfcast.sources import Source, open_source
from shelfcast.sources.raw import as_raw
from totals import WALMART, write_favorita, write_walmart


def source_in(folder: Path, kind: str, *changes: str) -> Source:
    file = Path(str(resource_folder("conf") / f"{kind}.yaml"))
    return open_source(load(file, [f"source.path={folder}", *changes]))


def sales_of(spark: SparkSession, source: Source) -> DataFrame:
    (part,) = received(spark, source, "sales")
    return source.canonical("sales", as_raw(part, source.raw["sales"], "here", {}, "batch"))


def test_a_week_of_a_department_reads_as_a_sale_in_dollars_on_the_sunday_after_its_friday(
    spark: SparkSession, tmp_path: Path
) -> None:
    source = source_in(write_walmart(tmp_path, "1,92,2010-02-05,24924.5,FALSE"), "walmart")
    (sale,) = sales_of(spark, source).drop("_raw").collect()
    assert sale.asDict() == {
        "store_id": "1",
        "product_id": "92",
        "sold_on": date(2010, 2, 7),
        "source_quantity": 24924.5,
        "unit_price": 1.0,
        "revenue": 24924.5,
        "known_from": date(2010, 2, 7),
        **dict.fromkeys(("basket_id", "discount", "excise_tax")),
    }
    assert date(2010, 2, 5).weekday() == 4
    assert not load(Path(str(resource_folder("conf") / "walmart.yaml"))).source.tells_of_supply


def test_net_returns_are_negative_in_quantity_and_revenue_alike(spark: SparkSession, tmp_path: Path) -> None:
    source = source_in(write_walmart(tmp_path, "1,18,2010-02-12,-4988.94,TRUE"), "walmart")
    (sale,) = sales_of(spark, source).collect()
    assert (sale.source_quantity, sale.revenue, sale._raw.IsHoliday) == (-4988.94, -4988.94, "TRUE")


def test_a_day_of_a_family_reads_as_a_sale_without_a_price(spark: SparkSession, tmp_path: Path) -> None:
    source = source_in(write_favorita(tmp_path / "files"), "favorita")
    sales = sales_of(spark, source)
    closed = sales.where("sold_on = '2013-01-01'")
    assert (closed.count(), closed.where("source_quantity != 0").count()) == (12, 0)
    (sale,) = sales.where("product_id = 'LIQUOR,WINE,BEER' and store_id = '25' and sold_on = '2013-01-05'").collect()
    assert (sale.unit_price, sale.known_from) == (None, date(2013, 1, 5))
    assert sale.revenue == sale.source_quantity > 0
    assert sales.where("product_id = 'PRODUCE' and source_quantity % 1 != 0").count() > 0


def test_a_file_without_a_column_is_refused_and_names_it(spark: SparkSession, tmp_path: Path) -> None:
    source = source_in(write_walmart(tmp_path), "walmart")
    (tmp_path / "train.csv").write_text(WALMART.replace("Weekly_Sales", "Sales") + "\n1,1,2010-02-05,3.0,FALSE\n")
    with pytest.raises(SchemaError, match=r"train\.csv: no column Weekly_Sales"):
        received(spark, source, "sales")


CONFIGS = {
    "no folder": ("source.path=null", r"source\.path: not given; wanted the folder with the company's files"),
    "no sales": ("source.tables={}", r"source\.tables: found none; wanted sales among them"),
}


@pytest.mark.parametrize(("change", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_without_what_is_needed_is_refused(
    spark: SparkSession, tmp_path: Path, change: str, message: str
) -> None:
    assert spark.version
    with pytest.raises(ConfigError, match=message):
        source_in(tmp_path, "favorita", change)


def test_the_published_weeks_are_read_to_the_last_row(spark: SparkSession, data_root: Path) -> None:
    sales = sales_of(spark, source_in(data_root / "walmart", "walmart"))
    found = sales.agg(
        F.count(F.lit(1)).alias("rows"),
        F.count(F.when(F.col("source_quantity") < 0, 1)).alias("returns"),
        F.countDistinct("store_id").alias("stores"),
        F.countDistinct("product_id").alias("departments"),
        F.countDistinct("store_id", "product_id", "sold_on").alias("keys"),
        F.count_if(F.dayofweek("sold_on") == 1).alias("sundays"),
        F.max("source_quantity").alias("most"),
    ).first()
    assert found is not None
    assert found.asDict() == {
        "rows": 421_570,
        "returns": 1_285,
        "stores": 45,
        "departments": 81,
        "keys": 421_570,
        "sundays": 421_570,
        "most": 693_099.36,
    }
