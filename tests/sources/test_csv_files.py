"""What becomes of files and rows that are not as they should be."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from builders import received
from liquor import FILES, SALES, sale, text_of, write_files
from shelfcast.cleaning import fate, rules
from shelfcast.config import load
from shelfcast.errors import ShelfcastError
from shelfcast.resources import resource_folder
from shelfcast.sources import open_source
from shelfcast.sources.raw import as_raw

CONFIG = Path(str(resource_folder("conf") / "bibitor.yaml"))
GOOD = sale()


def fates(spark: SparkSession, folder: Path) -> list[str]:
    """What becomes of each row of the sales in `folder`, in the order of the file."""
    settings_ = load(CONFIG, [f"source.path={folder}"])
    source = open_source(settings_)
    parts = received(spark, source, "sales")
    found = []
    for part in parts:
        raw = as_raw(part, source.raw["sales"], "here", {}, "batch")
        refused = {**source.refusals("sales"), **rules.sales_rules(settings_.cleaning)}
        judged = fate.with_fate(source.canonical("sales", raw), refused)
        found += [row[0] for row in judged.select("_fate").collect()]
    return found


def fates_or_error(spark: SparkSession, folder: Path) -> list[str] | str:
    try:
        return fates(spark, folder)
    except ShelfcastError as error:
        return str(error)


ROWS = {
    "a good row": ([GOOD], ["clean"]),
    "the two forms of a date": ([sale(day="1/29/2016"), sale(day="01-02-2016")], ["clean", "clean"]),
    "a date of the full publication": ([sale(day="2016-01-29")], ["clean"]),
    "a wrong date": ([sale(day="30/30/2016")], ["missing_or_unreadable_date"]),
    "the thirtieth of February": ([sale(day="2/30/2016")], ["missing_or_unreadable_date"]),
    "a date of another century": ([sale(day="1/1/1916")], ["date_out_of_range"]),
    "a thousands separator": ([sale(quantity='"1,234"'), sale(dollars='"1,049.00"')], ["clean", "clean"]),
    "a comma that parts no thousands": ([sale(quantity='"1,5"')], ["missing_or_unreadable_quantity"]),
    "a number as a word": ([sale(quantity="twelve")], ["missing_or_unreadable_quantity"]),
    "a number as text in quotes": ([sale(quantity='"2"')], ["clean"]),
    "a huge number": ([sale(quantity="9" * 400)], ["impossible_quantity"]),
    "not a number": ([sale(quantity="NaN")], ["missing_or_unreadable_quantity"]),
    "a second header line": ([GOOD, SALES, GOOD], ["clean", "repeated_header", "clean"]),
    "a row of nothing but commas": ([GOOD, "," * 13], ["clean", "blank"]),
    "commas, fewer than columns": ([GOOD, ",,,"], ["clean", "blank"]),
    "a row cut short": ([GOOD, GOOD[:40]], ["clean", "malformed_row"]),
    "a row with a field more": ([GOOD + ",12", GOOD], ["malformed_row", "clean"]),
    "a row ten times too long": ([",".join([GOOD] * 10), GOOD], ["malformed_row", "clean"]),
    "a quote never closed": ([GOOD.replace("Black", '"Black'), GOOD], ["malformed_row", "clean"]),
    "a comma in quotes": ([GOOD.replace("Black Sake", '"Black, Sake"')], ["clean"]),
    "a doubled quote in quotes": ([GOOD.replace("Black Sake", '"Black ""Best"" Sake"')], ["clean"]),
    "no store": ([sale(store="")], ["missing_store"]),
    "a store of blanks": ([sale(store="  ")], ["missing_store"]),
    "a price below zero": ([sale(price="-1")], ["impossible_price"]),
}


@pytest.mark.parametrize(("rows", "expected"), ROWS.values(), ids=ROWS)
def test_a_row_that_cannot_be_is_refused_by_name(
    spark: SparkSession, tmp_path: Path, rows: list[str], expected: list[str]
) -> None:
    assert fates(spark, write_files(tmp_path, sales=text_of(*rows))) == expected


WHOLE = {
    "bare carriage returns": text_of(GOOD, GOOD, end="\r").encode(),
    "carriage returns and line feeds": text_of(GOOD, GOOD, end="\r\n").encode(),
    "no line end after the last row": text_of(GOOD, GOOD).encode()[:-1],
    "a byte order mark": b"\xef\xbb\xbf" + text_of(GOOD, GOOD).encode(),
    "columns in another order": text_of(
        *[",".join(GOOD.split(",")[::-1])] * 2, header=",".join(SALES.split(",")[::-1])
    ).encode(),
    "a column more": text_of(f"{GOOD},13", f"{GOOD},9", header=f"{SALES},LEAD_TIME").encode(),
    "columns without a name": text_of(f"{GOOD},,", f"{GOOD},,", header=f"{SALES},,").encode(),
    "blanks around the names": text_of(GOOD, GOOD, header=SALES.replace(",", " , ")).encode(),
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_file_that_is_odd_and_whole_is_read(spark: SparkSession, tmp_path: Path, content: bytes) -> None:
    (write_files(tmp_path) / FILES["sales"]).write_bytes(content)
    assert fates(spark, tmp_path) == ["clean", "clean"]


def test_a_file_that_gzip_packed_is_read(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "sales.csv.gz").write_bytes(gzip.compress(text_of(GOOD).encode()))
    source = open_source(load(CONFIG, [f"source.path={tmp_path}", "source.files={sales: sales.csv.gz}"]))
    (part,) = received(spark, source, "sales")
    assert [row.Brand for row in part.collect()] == ["58"]


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sales.csv", text_of(GOOD))
    return packed.getvalue()


BROKEN = {
    "an empty file": (b"", "empty; wanted a line of column names"),
    "nothing but line ends": (b"\n\n\n", "empty; wanted a line of column names"),
    "a zip": (zipped(), r"a packed file \(zip\); wanted it unpacked"),
    "gzip by another name": (gzip.compress(b"a,b"), r"a packed file \(gzip\); wanted it unpacked"),
    "a binary file": (bytes(range(256)), r"not text \(a zero byte at 0\)"),
    "another encoding": (text_of(GOOD).replace("Sake", "Saké").encode("latin-1"), "is not UTF-8 text"),
    "UTF-16": (text_of(GOOD).encode("utf-16"), "text in UTF-16; wanted UTF-8"),
    "another delimiter": (text_of(GOOD).replace(",", ";").encode(), "13 semicolons and no commas"),
    "tabs": (text_of(GOOD).replace(",", "\t").encode(), "13 tabs and no commas"),
    "a column missing": (text_of(GOOD).replace(",ExciseTax", "").encode(), "no column ExciseTax; found InventoryId"),
    "a column renamed": (text_of(GOOD).replace("SalesDate", "Sale_Date").encode(), r"SalesDate \(is it Sale_Date\?\)"),
    "a column twice": (text_of(GOOD).replace("Volume", "size").encode(), "column Size, size is there twice"),
    "no header": (text_of(GOOD, header=GOOD).encode(), "column 1 is there twice|no column InventoryId"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_none_is_an_error_that_names_it(
    spark: SparkSession, tmp_path: Path, content: bytes, message: str
) -> None:
    (write_files(tmp_path) / FILES["sales"]).write_bytes(content)
    with pytest.raises(ShelfcastError, match=rf"{FILES['sales']}: .*{message}"):
        fates(spark, tmp_path)


def test_a_directory_is_no_file(spark: SparkSession, tmp_path: Path) -> None:
    file = write_files(tmp_path) / FILES["sales"]
    file.unlink()
    file.mkdir()
    with pytest.raises(ShelfcastError, match="a directory; wanted the sales"):
        fates(spark, tmp_path)


def test_a_byte_out_of_the_encoding_far_down_the_file_refuses_its_row_alone(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [GOOD] * 1000
    content = text_of(*rows).encode() + GOOD.replace("Sake", "Saké").encode("latin-1") + b"\n"
    (write_files(tmp_path) / FILES["sales"]).write_bytes(content)
    assert fates(spark, tmp_path) == ["clean"] * 1000 + ["undecodable_text"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 3 * len(GOOD)),
    junk=st.binary(min_size=1, max_size=6).filter(lambda found: b"\n" not in found and b"\r" not in found),
)
def test_whatever_is_put_into_a_file_is_an_error_or_every_row_meets_a_fate(
    spark: SparkSession, tmp_path: Path, place: int, junk: bytes
) -> None:
    content = text_of(GOOD, GOOD, GOOD).encode()
    start = content.index(b"\n") + 1
    (write_files(tmp_path) / FILES["sales"]).write_bytes(content[: start + place] + junk + content[start + place :])
    found = fates_or_error(spark, tmp_path)
    assert FILES["sales"] in found if isinstance(found, str) else len(found) == 3 and found.count("clean") >= 2


def test_rows_of_files_with_other_columns_are_read_by_name(spark: SparkSession, tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / "january.csv").write_text(text_of(GOOD))
    (tmp_path / "february.csv").write_text(text_of(f"13,{GOOD}", header=f"LEAD_TIME,{SALES}"))
    source = open_source(load(CONFIG, [f"source.path={tmp_path}", 'source.files.sales="*uary.csv"']))
    raw = [as_raw(part, source.raw["sales"], "here", {}, "batch") for part in received(spark, source, "sales")]
    both = raw[0].unionByName(raw[1]).cache()
    rows = both.orderBy("_source_file").select("Brand", "_source_file", "_extra").collect()
    assert [(row.Brand, row._source_file, row._extra) for row in rows] == [
        ("58", "february.csv", '{"LEAD_TIME":"13"}'),
        ("58", "january.csv", None),
    ]
