from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import received
from liquor import FILES, sale, text_of, write_files
from shelfcast.config import load
from shelfcast.errors import ConfigError, SourceError
from shelfcast.resources import resource_folder
from shelfcast.sources import Source, open_source
from shelfcast.sources.raw import as_raw

CONFIG = Path(str(resource_folder("conf") / "bibitor.yaml"))
SUPPLY = "SHAW ROSS INT L IMP LTD"


def source_in(folder: Path, *changes: str) -> Source:
    return open_source(load(CONFIG, [f"source.path={folder}", *changes]))


def canonical(spark: SparkSession, source: Source, name: str) -> DataFrame:
    (part,) = received(spark, source, name)
    return source.canonical(name, as_raw(part, source.raw[name], "here", {}, "batch"))


def first(spark: SparkSession, tmp_path: Path, name: str) -> dict[str, object]:
    row = canonical(spark, source_in(write_files(tmp_path)), name).drop("_raw").first()
    assert row is not None
    return row.asDict()


def test_a_sale_is_read_with_its_tax_and_without_padding(spark: SparkSession, tmp_path: Path) -> None:
    write_files(tmp_path, sales=text_of(sale("2", "01-02-2016")))
    (found,) = canonical(spark, source_in(tmp_path), "sales").drop("_raw").collect()
    assert found.asDict() == {
        "store_id": "1",
        "product_id": "58",
        "sold_on": date(2016, 1, 2),
        "source_quantity": 2.0,
        "unit_price": 12.99,
        "revenue": 25.98,
        "excise_tax": 1.57,
        "known_from": date(2016, 1, 2),
        **dict.fromkeys(("basket_id", "discount")),
    }


def test_the_catalogue_tells_prices_and_vendors(spark: SparkSession, tmp_path: Path) -> None:
    found = first(spark, tmp_path, "products")
    assert (found["product_id"], found["category_id"], found["brand"]) == ("58", "1", "Black Sake")
    assert (found["price"], found["purchase_price"], found["package_size"]) == (12.99, 9.09, "750mL")
    assert (found["vendor_id"], found["vendor_name"]) == ("8320", SUPPLY)


def test_days_of_purchases_come_before_their_months(spark: SparkSession, tmp_path: Path) -> None:
    found = first(spark, tmp_path, "purchases")
    days = [found[name] for name in ("ordered_on", "received_on", "invoiced_on", "paid_on", "known_from")]
    assert days == [
        date(2015, 12, 21),
        date(2016, 1, 2),
        date(2016, 1, 4),
        date(2016, 2, 16),
        date(2015, 12, 21),
    ]
    assert (found["po_number"], found["quantity"], found["dollars"]) == ("8124", 6.0, 54.54)


@pytest.mark.parametrize(
    ("received", "is_refused"), [("02-01-2016", False), ("", False), ("  ", False), ("n/a", True), ("31-31-2016", True)]
)
def test_a_receipt_may_be_waited_for_and_not_be_illegible(
    spark: SparkSession, tmp_path: Path, received: str, is_refused: bool
) -> None:
    folder = write_files(tmp_path)
    file = folder / FILES["purchases"]
    file.write_text(file.read_text().replace("02-01-2016", received))
    source = source_in(folder)
    found = (
        canonical(spark, source, "purchases")
        .where("store_id = '1'")
        .select(source.refusals("purchases")["unreadable_date"])
    )
    assert [bool(row[0]) for row in found.collect()] == [is_refused]


def test_nobody_is_no_name_of_who_approved(spark: SparkSession, tmp_path: Path) -> None:
    source = source_in(write_files(tmp_path))
    rows = canonical(spark, source, "invoices").orderBy("po_number").collect()
    assert [(row.po_number, row.invoiced_on, row.freight) for row in rows] == [
        ("8124", date(2016, 1, 4), 3.47),
        ("8125", date(2016, 1, 5), 0.1),
    ]
    assert rows[0].approved_by is None
    assert rows[1].approved_by is not None


@pytest.mark.parametrize(
    ("name", "moment", "day", "on_hand"),
    [
        pytest.param("opening_stock", "opening", date(2016, 1, 1), 11.0, id="counted-in-the-morning-of-the-first-day"),
        pytest.param("closing_stock", "closing", date(2016, 12, 31), 7.0, id="counted-in-the-evening-of-the-last"),
    ],
)
def test_stock_says_when_it_was_counted(
    spark: SparkSession, tmp_path: Path, name: str, moment: str, day: date, on_hand: float
) -> None:
    found = first(spark, tmp_path, name)
    assert (found["moment"], found["counted_on"], found["on_hand"], found["price"]) == (moment, day, on_hand, 12.99)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, spark: SparkSession) -> None:
    assert spark.version
    with pytest.raises(SourceError, match=rf"{FILES['purchases']}: not there; wanted the purchases"):
        source_in(tmp_path).found("purchases")


CONFIGS = {
    "no folder": ("source.path=null", r"source\.path: not given"),
    "a table that is none": ("source.files={sales: x.csv, returns: y.csv}", r"source\.files: no table returns; wanted"),
}


@pytest.mark.parametrize(("change", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_without_what_is_needed_is_refused(spark: SparkSession, change: str, message: str) -> None:
    assert spark.version
    with pytest.raises(ConfigError, match=message):
        open_source(load(CONFIG, [change]))


def test_tables_whose_files_are_not_named_are_not_read(spark: SparkSession, tmp_path: Path) -> None:
    assert spark.version
    changes = [f"source.path={tmp_path}", "source.files={sales: s.csv, products: p.csv}"]
    assert [*open_source(load(CONFIG, changes)).raw] == ["sales", "products"]
    assert not load(CONFIG, changes).source.tells_of_supply


REAL = {
    "sales": ("SalesFINAL12312016.csv", 2157, "sold_on is null or source_quantity is null or revenue is null"),
    "sales with lead time": (
        "SalesFINAL12312016_with_lead_time.csv",
        564,
        "sold_on is null or source_quantity is null or revenue is null",
    ),
    "products": ("2017PurchasePricesDec.csv", 12_261, "price is null or purchase_price is null or vendor_id is null"),
    "purchases": ("PurchasesFINAL12312016.csv", 1_013, "ordered_on is null or received_on is null or quantity is null"),
    "invoices": ("InvoicePurchases12312016.csv", 5_543, "invoiced_on is null or dollars is null or paid_on is null"),
}


@pytest.mark.parametrize(("file", "rows", "unread"), REAL.values(), ids=REAL)
def test_the_published_files_are_read_to_the_last_row(
    spark: SparkSession, data_root: Path, file: str, rows: int, unread: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id.split()[0]
    files = (
        f"source.files={{sales: {REAL['sales'][0]}, {name}: {file}}}"
        if name != "sales"
        else f"source.files.sales={file}"
    )
    source = source_in(data_root / "bibitor", files)
    found = canonical(spark, source, name)
    found = found.cache()
    keyed = found.where("store_id is not null" if name in ("sales", "purchases") else "vendor_id is not null")
    assert keyed.count() == rows
    assert keyed.where(unread).count() == 0
    assert found.where(F.col("_raw.malformed_row").isNotNull()).count() == 0
