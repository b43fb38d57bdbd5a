from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import received
from mapped_company import config
from mapped_company import rows_of as judged_rows
from shelfcast.config import Condition, load
from shelfcast.errors import ConfigError, SchemaError
from shelfcast.resources import resource_folder
from shelfcast.sources import Source, open_source
from shelfcast.sources.raw import as_raw
from totals import WALMART, write_favorita, write_walmart


def source_in(folder: Path, kind: str, *changes: str) -> Source:
    file = Path(str(resource_folder("conf") / f"{kind}.yaml"))
    return open_source(load(file, [f"source.path={folder}", *changes]))


def sales_of(spark: SparkSession, source: Source) -> DataFrame:
    return rows_of(spark, source, "sales")


def rows_of(spark: SparkSession, source: Source, name: str) -> DataFrame:
    (part,) = received(spark, source, name)
    return source.canonical(name, as_raw(part, source.raw[name], "here", {}, "batch"))


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


TOLD = {
    "holidays": (date(2010, 2, 5), {"holiday_week": 1.0}),
    "weather": (
        date(2011, 11, 27),
        {"temperature": 60.14, "fuel_price": 3.236, "consumer_prices": 218.4676211, "unemployment": None},
    ),
    "campaigns": (
        date(2011, 11, 27),
        {"markdown_1": 410.31, "markdown_2": -98.0, "markdown_3": 55805.51, "markdown_4": None, "markdown_5": 554.92},
    ),
}


@pytest.mark.parametrize(("name", "known_from", "measures"), [(name, *told) for name, told in TOLD.items()], ids=TOLD)
def test_what_is_told_of_a_store_s_week_is_of_the_week_of_its_sales(
    spark: SparkSession, tmp_path: Path, name: str, known_from: date, measures: dict[str, float | None]
) -> None:
    row = "1,2011-11-25,60.14,3.236,410.31,-98,55805.51,NA,554.92,218.4676211,NA,TRUE"
    source = source_in(write_walmart(tmp_path, features=[row]), "walmart", f"source.files.{name}=features.csv*")
    (found,) = rows_of(spark, source, name).drop("_raw").collect()
    assert found.asDict() == {
        "store_id": "1",
        "day": date(2011, 11, 21),
        "until": date(2011, 11, 27),
        "known_from": known_from,
        "measures": measures,
    }


def test_a_holiday_counts_in_all_stores_where_it_is_the_nation_s_on_the_day_on_which_it_is_kept(
    spark: SparkSession, tmp_path: Path
) -> None:
    files = "source.files.holidays=holidays_events.csv*"
    rows = rows_of(spark, source_in(write_favorita(tmp_path / "files"), "favorita", files), "holidays").collect()
    told = {row.day: [name for name, value in row.measures.items() if value is not None] for row in rows}
    assert {row.store_id for row in rows} == {None}
    assert told == {
        date(2013, 1, 5): ["work_day"],
        date(2013, 4, 12): [],
        date(2013, 5, 12): ["event"],
        date(2013, 5, 24): ["national_holiday"],
        date(2013, 10, 9): [],
        date(2013, 10, 11): ["national_holiday"],
        date(2016, 4, 16): [],
    }


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
    "no sales": ("source={kind: mapped, path: data}", r"source\.tables: found none; wanted sales among them"),
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


@pytest.mark.data
def test_the_published_stores_are_read_whose_lines_end_with_bare_carriage_returns(
    spark: SparkSession, data_root: Path
) -> None:
    columns = {"store_id": "Store", "day": {"value": "2010-02-05"}, "size": "Size"}
    told = {"files": "stores.csv*", "received": ["Store", "Type", "Size"], "columns": columns}
    size = {"conditions": {"size": Condition(known="ahead")}}
    rows = judged_rows(spark, config(data_root / "walmart", "weather", **told).model_copy(update=size), "weather")
    sizes = {row.store_id: row.measures["size"] for row in rows}
    assert (len(rows), len(sizes), sizes["1"], sizes["45"]) == (45, 45, 151_315.0, 118_221.0)
    assert {(row._raw["Type"], row._fate) for row in rows} == {("A", "clean"), ("B", "clean"), ("C", "clean")}
