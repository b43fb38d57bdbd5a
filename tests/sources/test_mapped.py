import gzip
import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import received
from mapped_company import HEADER, RECEIVED, SALE, config, rows_of
from shelfcast.config import Config
from shelfcast.errors import ConfigError, SchemaError, SourceError
from shelfcast.settings.encodings import ENCODINGS, java_name
from shelfcast.settings.source import plain_name
from shelfcast.sources import open_source
from shelfcast.sources.canonical import REQUIRED, canonical_columns, require_keys
from shelfcast.sources.csv_files import MALFORMED


def write(folder: Path, rows: Sequence[str], encoding: str = "utf-8", end: str = "\n") -> Path:
    (folder / "sales.csv").write_bytes(end.join((HEADER, *rows, "")).encode(encoding))
    return folder


def write_further(folder: Path, names: str) -> Path:
    """A file of one sale with further columns, each with its place in it."""
    values = ";".join(str(place) for place, _ in enumerate(names.split(";")))
    (folder / "sales.csv").write_text(f"{HEADER};{names}\n7;Bread;24.12.2016;3;4,5;{values}\n")
    return folder


def test_a_company_needs_a_configuration_and_no_code(spark: SparkSession, tmp_path: Path) -> None:
    folder = write(tmp_path, ['7;Milk 1l;24.12.2016;3;"1.049,50"', "7;Bread;2016-12-27;-1;-2,5"])
    milk, bread = rows_of(spark, config(folder))
    assert (milk.store_id, milk.product_id, milk.sold_on) == ("7", "Milk 1l", date(2016, 12, 24))
    assert (milk.source_quantity, milk.revenue, milk.known_from) == (3.0, 1049.5, date(2016, 12, 24))
    assert (bread.sold_on, bread.revenue, bread.unit_price, bread.basket_id) == (date(2016, 12, 27), -2.5, None, None)
    assert milk._raw["Shop_No"] == "7"
    assert open_source(config(folder)).raw["sales"].name == "raw/corner_sales"
    assert not config(folder).source.tells_of_supply


FORMS = {
    "Latin-1": ("latin-1", "\n"),
    "UTF-8 with its mark": ("utf-8-sig", "\n"),
    "UTF-16": ("utf-16", "\n"),
    "UTF-16 without a mark": ("utf-16-le", "\n"),
    "UTF-32": ("utf-32-be", "\n"),
    "Mac": ("mac-roman", "\r"),
    "bare carriage returns": ("utf-8", "\r"),
    "Windows' line ends": ("cp1252", "\r\n"),
}


@pytest.mark.parametrize(("encoding", "end"), FORMS.values(), ids=FORMS)
def test_text_is_read_as_it_was_written(spark: SparkSession, tmp_path: Path, encoding: str, end: str) -> None:
    folder = write(tmp_path, ["7;Käse;24.12.2016;3;4,5", "8;Brot;24.12.2016;1;2"], encoding, end)
    found = rows_of(spark, config(folder, encoding=encoding))
    assert [(row.product_id, row.revenue, row._fate) for row in found] == [
        ("Käse", 4.5, "clean"),
        ("Brot", 2.0, "clean"),
    ]


# Letters, by their first and last: Latin, Greek and Cyrillic; Hebrew, Arabic and Thai; kana, Han and Hangul.
SCRIPTS = (
    (0x20, 0x17E),
    (0x384, 0x491),
    (0x5D0, 0x64A),
    (0xE01, 0xE5B),
    (0x3041, 0x30FE),
    (0x4E00, 0x5000),
    (0xAC00, 0xAD00),
)
LETTERS = [chr(code) for first, last in SCRIPTS for code in range(first, last + 1) if chr(code).isalnum()]


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_spark_reads_an_encoding_as_the_first_lines_are_read(spark: SparkSession, encoding: str) -> None:
    known = [letter for letter in LETTERS if letter.encode(encoding, "ignore").decode(encoding) == letter]
    assert len(known) > 60
    bytes_of = "".join(known).encode(encoding)
    (row,) = spark.createDataFrame([(bytearray(bytes_of),)], "bytes binary").select(
        F.decode("bytes", java_name(encoding))
    ).collect()  # fmt: skip
    assert row[0] == "".join(known)


def test_packed_files_are_read(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "sales.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n7;Bread;24.12.2016;3;4,5\n".encode()))
    assert [row.product_id for row in rows_of(spark, config(tmp_path))] == ["Bread"]


def test_lines_of_json_are_read_and_a_broken_one_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    told = {"Shop No": 7, "Article": "Bread", "Day": "2016-12-24", "Pieces": 3, "Takings": 4.5, "Till": 2}
    (tmp_path / "sales.json").write_text(f'{json.dumps(told)}\n{{"Shop No": 7, "Art\n')
    received = {"Shop No": "bigint", "Article": "string", "Day": "string", "Pieces": "bigint", "Takings": "double"}
    found = rows_of(spark, config(tmp_path, format="json", received=received))
    assert sorted((row._fate, row.store_id, row.revenue, row._raw["_extra"]) for row in found) == [
        ("clean", "7", 4.5, '{"Till":"2"}'),
        ("malformed_row", None, None, None),
    ]


def test_the_instants_of_parquet_are_days_where_the_stores_are(spark: SparkSession, tmp_path: Path) -> None:
    row = (7, "Bread", datetime(2016, 12, 26, 2, 0), 3.0, 4.5, "kept aside")
    kinds = "`Shop No` bigint, Article string, Day timestamp, Pieces double, Takings double, Till string"
    spark.createDataFrame([row], kinds).coalesce(1).write.parquet(str(tmp_path / "sales"))
    (file,) = (tmp_path / "sales").glob("*.parquet")
    file.rename(tmp_path / "sales.parquet")
    received = dict(zip(RECEIVED, ("bigint", "string", "timestamp", "double", "double"), strict=True))
    settings = config(tmp_path, format="parquet", files="sales.parquet", received=received)
    in_new_york = settings.source.model_copy(update={"time_zone": "America/New_York"})
    found = rows_of(spark, settings.model_copy(update={"source": in_new_york}))
    sold = [row for row in found if row.store_id == "7"]
    assert [(row.sold_on, json.loads(row._raw["_extra"])) for row in sold] == [
        (date(2016, 12, 25), {"Till": "kept aside"})
    ]


def test_expressions_constants_and_defaults_stand_where_no_column_does(spark: SparkSession, tmp_path: Path) -> None:
    columns = SALE | {
        "unit_price": {"sql": "try_cast(Takings as double) / try_cast(Pieces as double)"},
        "discount": {"value": 0.25},
        "basket_id": {"from": "Article", "nothing": ["none"], "default": "(loose)"},
    }
    folder = write(tmp_path, ["7;none;24.12.2016;2;5"])
    (row,) = rows_of(spark, config(folder, columns=columns))
    assert (row.unit_price, row.discount, row.basket_id) == (2.5, 0.25, "(loose)")


def test_a_day_that_a_row_may_lack_refuses_it_where_it_cannot_be_read(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("po,v,s,p,on,came,n\n1,a,7,x,2016-12-01,,5\n2,a,7,x,2016-12-01,soon,5\n")
    columns = {
        "po_number": "po",
        "vendor_id": "v",
        "store_id": "s",
        "product_id": "p",
        "ordered_on": "on",
        "received_on": "came",
        "quantity": "n",
    }
    received = ["po", "v", "s", "p", "on", "came", "n"]
    settings = config(tmp_path, "purchases", files="orders.csv", received=received, columns=columns)
    found = {row.po_number: (row._fate, row.known_from) for row in rows_of(spark, settings, "purchases")}
    assert found == {"1": ("clean", date(2016, 12, 1)), "2": ("unreadable_date", date(2016, 12, 1))}
    assert settings.source.tells_of_supply


def test_stock_is_counted_at_the_opening_or_the_closing(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text("s,p,on,n\n7,x,2016-12-31,5\n")
    columns = {"store_id": "s", "product_id": "p", "counted_on": "on", "on_hand": "n"}
    settings = config(tmp_path, "closing_stock", files="stock.csv", received=["s", "p", "on", "n"], columns=columns)
    (row,) = rows_of(spark, settings, "closing_stock")
    assert (row.moment, row.on_hand, row.known_from) == ("closing", 5.0, date(2016, 12, 31))


REFUSED = {
    "a table that is none": (
        {"name": "oil", "files": "o", "received": ["a"], "columns": {}},
        r"source\.tables: no table oil; wanted some of sales, products",
    ),
    "a column that is none": ({"columns": SALE | {"shop": "Shop No"}}, r"columns: no shop; wanted some of store_id"),
    "a needed column": ({"columns": {"store_id": "Shop No"}}, r"columns: no product_id, sold_on, source_quantity, rev"),
    "what is not received": ({"columns": SALE | {"basket_id": "Bon"}}, r"made of Bon; wanted some of what is received"),
    "two bases": ({"columns": SALE | {"basket_id": {"from": "Article", "value": "1"}}}, r"one of from, value and sql"),
    "no base": ({"columns": SALE | {"basket_id": {"default": "1"}}}, r"one of from, value and sql"),
    "a delimiter of what has none": ({"format": "parquet", "delimiter": ";"}, "no delimiter, which is of format csv"),
    "a dated table of others": (
        {"format": "delta", "dated": "yyyyMMdd"},
        "no dated, which is of format csv or js",
    ),
    "an encoding that is none": ({"encoding": "latin-0"}, r"wanted: .*an encoding such as utf-8"),
    "an encoding of Python's alone": ({"encoding": "cp720"}, r"wanted: .*an encoding such as utf-8"),
    "no encoding of text": ({"encoding": "rot13"}, r"wanted: .*an encoding such as utf-8"),
    "JSON in UTF-16": ({"format": "json", "encoding": "utf-16-le"}, r"format json in another encoding than utf-16-le"),
    "two names in one": ({"received": [*RECEIVED, "Shop.No"]}, r"received: two columns of one name"),
    "a pattern without a year": (
        {"columns": SALE | {"sold_on": {"from": "Day", "formats": ["d.M."]}}},
        r"date pattern 'd\.M\.'",
    ),
    "an expression of what is not there": (
        {"columns": SALE | {"unit_price": {"sql": "Takings / Stueck"}}},
        r"source\.tables\.sales\.columns\.unit_price\.sql: found 'Takings / Stueck', which Spark refuses",
    ),
}


@pytest.mark.parametrize(("told", "message"), REFUSED.values(), ids=REFUSED)
def test_a_mapping_that_cannot_be_is_refused_by_its_place(
    spark: SparkSession, tmp_path: Path, told: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        rows_of(spark, config(write(tmp_path, ["7;Bread;24.12.2016;2;5"]), **told))


def with_keys(settings: Config, keys: dict[str, tuple[str, ...]]) -> Config:
    return settings.model_copy(update={"cleaning": settings.cleaning.model_copy(update={"keys": keys})})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param(
            {"sale": ("store_id", "product_id")},
            r"cleaning\.keys: no table sale; wanted some of sales, products",
            id="a-table-that-is-none-leaves-sales-without-a-key",
        ),
        pytest.param(
            {"sales": ("basket_id", "produkt_id")},
            r"cleaning\.keys\.sales: no column produkt_id; wanted some of store_id,.*product_id",
            id="a-column-that-sales-have-not",
        ),
        pytest.param(
            {"holidays": ("store_id", "sold_on")},
            r"cleaning\.keys\.holidays: no column sold_on; wanted some of store_id, day",
            id="a-column-of-another-table",
        ),
    ],
)
def test_a_business_key_is_of_columns_that_its_table_has(
    tmp_path: Path, keys: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_source(with_keys(config(tmp_path), keys))


def test_a_table_of_any_kind_may_have_a_business_key() -> None:
    """Those that the source leaves out too: a run of some tables has the configuration of all."""
    require_keys(REQUIRED)


FILES = {
    "another delimiter": (b"Shop No,Article,Day,Pieces,Takings\n", SourceError, "commas and no semicolons"),
    "a column less": (b"Shop No;Article;Day;Pieces;Money\n", SchemaError, "no column Takings"),
    "another encoding": ("Shop No;Käse\n".encode("latin-1"), SourceError, "is not UTF-8 text"),
}


@pytest.mark.parametrize(("content", "error", "message"), FILES.values(), ids=FILES)
def test_a_file_of_another_form_is_refused_by_its_name(
    spark: SparkSession, tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    (tmp_path / "sales.csv").write_bytes(content)
    with pytest.raises(error, match=rf"sales\.csv.*{message}"):
        rows_of(spark, config(tmp_path))


@pytest.mark.parametrize(
    ("further", "extra"),
    [
        pytest.param("Shop-No", {"Shop_No_2": "0"}, id="a-received-column-keeps-its-plain-name"),
        pytest.param("shop#no", {"shop_no_2": "0"}, id="names-are-one-in-any-case"),
        pytest.param(
            "Till %;Till $;Till_2",
            {"Till_": "0", "Till_2": "1", "Till_2_2": "2"},
            id="unknown-ones-are-told-apart-by-their-place",
        ),
        pytest.param(";", {"column_6": "0", "column_7": "1"}, id="those-without-a-name-are-named-by-their-place"),
        pytest.param(
            "column_7;", {"column_7": "0", "column_7_": "1"}, id="one-without-a-name-whose-place-another-is-named-by"
        ),
    ],
)
def test_a_new_column_is_kept_whose_name_is_another_s_but_for_its_marks(
    spark: SparkSession, tmp_path: Path, further: str, extra: dict[str, str]
) -> None:
    (row,) = rows_of(spark, config(write_further(tmp_path, further)))
    assert (row._fate, row.store_id, json.loads(row._raw["_extra"])) == ("clean", "7", extra)


def test_a_new_column_with_a_number_in_the_place_of_a_person_s_name_reaches_no_lake(
    spark: SparkSession, tmp_path: Path
) -> None:
    settings = config(write_further(tmp_path, "Client %;Client $;Till"))
    source = settings.source.model_copy(update={"persons": {"client_": "drop"}})
    (part,) = received(spark, open_source(settings.model_copy(update={"source": source})), "sales")
    assert [name for name in part.columns if name not in (*map(plain_name, RECEIVED), MALFORMED)] == ["Client_", "Till"]


def test_a_received_column_that_a_file_lacks_leaves_its_name_to_no_other(spark: SparkSession, tmp_path: Path) -> None:
    settings = config(write_further(tmp_path, "Till %"), received=[*RECEIVED, "Till $"])
    (part,) = open_source(settings).read(spark, "sales", [str(tmp_path / "sales.csv")], spare=["Till $"])
    assert "Till_2" in part.columns
    assert "Till_" not in part.columns


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("region", id="the-lake-s-region"),
        pytest.param("Region", id="the-lake-s-region-in-another-case"),
        pytest.param("_id", id="a-name-that-begins-as-the-lake-s-own"),
        pytest.param("# Shop", id="a-name-that-begins-with-a-mark"),
        pytest.param("_source_file", id="a-column-of-the-row-s-origin"),
    ],
)
def test_a_received_column_may_be_named_as_the_lake_s_own_are(spark: SparkSession, tmp_path: Path, name: str) -> None:
    (tmp_path / "sales.csv").write_text(f"{HEADER};{name}\n7;Bread;24.12.2016;3;4,5;Main Street\n")
    columns = {**SALE, "store_id": name, "basket_id": {"sql": f"upper({plain_name(name)})"}}
    settings = config(tmp_path, received=[*RECEIVED, name], columns=columns)
    (row,) = rows_of(spark, settings)
    assert (row._fate, row.store_id, row.basket_id) == ("clean", "Main Street", "MAIN STREET")
    assert row._raw["region"] == "here"
    assert row._raw["_source_file"] == "sales.csv"
    names = [column.casefold() for column in open_source(settings).raw["sales"].names]
    assert len(names) == len({*names})


@given(st.text(max_size=30))
def test_plain_names_are_those_that_a_table_may_have(name: str) -> None:
    assert not set(plain_name(name)) & set(" ,;{}()\n\t=.`")
    assert plain_name(plain_name(name)) == plain_name(name)


def test_each_needed_column_is_one_that_a_source_may_tell() -> None:
    assert all({*columns} <= {*canonical_columns(name)} for name, columns in REQUIRED.items())
