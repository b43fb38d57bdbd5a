"""Valid files with something put wrong: every row meets the fate that its fault has, every file is read or named.

The faults are drawn: of each kind of row PER_KIND in each of ROUNDS files, of whole files FILES, of lines of JSON
LINES, of workbooks BOOKS; and some by hand, in test_csv_files.
"""

import json
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from builders import received
from liquor import FILES, SALES, sale, text_of, write_files
from mapped_company import config, rows_of
from shelfcast.cleaning import fate, rules
from shelfcast.config import load
from shelfcast.errors import ShelfcastError
from shelfcast.resources import resource_folder
from shelfcast.sources import open_source
from shelfcast.sources.csv_files import read_header, require_columns
from shelfcast.sources.excel_files import cells_of
from shelfcast.sources.raw import as_raw
from shelfcast.sources.text import HEAD_BYTES
from workbooks import write_workbook

CONFIG = Path(str(resource_folder("conf") / "bibitor.yaml"))
PER_KIND, ROUNDS, FILES_DRAWN, LINES, BOOKS, CUTS = 8, 2, 150, 60, 60, 8
NAMES = SALES.split(",")
ROW = sale().split(",")
# What was malformed, by the test that tried it.
TRIED: dict[str, set[object]] = {"rows": set(), "files": set(), "lines": set(), "workbooks": set(), "cuts": set()}
SLOW = settings(deadline=None, max_examples=ROUNDS, suppress_health_check=[*HealthCheck])

WORD = st.text("abcdefgxyzäöüß#!?%&()[]{}<>~^", min_size=1, max_size=12)
NOT_A_NUMBER = st.one_of(
    WORD, st.sampled_from(['"1,5"', "1.2.3", "--2", "0x1F", "1e", "2 pieces", "NaN", "½", "१२", "$4"])
)
NOT_A_DAY = st.one_of(WORD, st.sampled_from(["13/32/2016", "2/30/2016", "2016", "29.1.2016", "yesterday", "20160129"]))
WAY_OFF = st.integers(100, 1900).map(lambda year: f"1/29/{year:04d}")


def field(name: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """The row with another value in one field."""
    place = NAMES.index(name)
    return value.map(lambda text: ",".join([*ROW[:place], text, *ROW[place + 1 :]]).encode())


def lacking(place: int) -> bytes:
    return ",".join(ROW[:place] + ROW[place + 1 :]).encode()


KINDS: dict[str, tuple[st.SearchStrategy[bytes], str]] = {
    "a quantity that is none": (field("SalesQuantity", NOT_A_NUMBER), "missing_or_unreadable_quantity"),
    "no quantity": (field("SalesQuantity", st.sampled_from(["", " ", '""'])), "missing_or_unreadable_quantity"),
    "dollars that are none": (field("SalesDollars", NOT_A_NUMBER), "missing_or_unreadable_revenue"),
    "a day that is none": (field("SalesDate", NOT_A_DAY), "missing_or_unreadable_date"),
    "a day of another age": (field("SalesDate", WAY_OFF), "date_out_of_range"),
    "no store": (field("Store", st.sampled_from(["", " ", "   ", '""'])), "missing_store"),
    "no product": (field("Brand", st.sampled_from(["", " ", '""'])), "missing_product"),
    "far too many": (field("SalesQuantity", st.integers(100_001, 10**30).map(str)), "impossible_quantity"),
    "a price below zero": (field("SalesPrice", st.integers(-9999, -1).map(str)), "impossible_price"),
    "a price beyond reason": (field("SalesPrice", st.integers(20_001, 10**9).map(str)), "impossible_price"),
    "money back for a sale": (field("SalesDollars", st.integers(-999, -1).map(str)), "contradictory_signs"),
    "a field less": (st.integers(0, len(ROW) - 1).map(lacking), "malformed_row"),
    "fields more": (st.integers(1, 20).map(lambda n: ",".join([*ROW, *["7"] * n]).encode()), "malformed_row"),
    "a row cut short": (st.integers(8, 60).map(lambda n: ",".join(ROW)[:n].encode()), "malformed_row"),
    "rows run together": (st.integers(2, 9).map(lambda n: ",".join(ROW * n).encode()), "malformed_row"),
    "bytes of another encoding": (
        st.sampled_from("éüßñøÅ").map(lambda letter: ",".join(ROW).replace("Sake", letter).encode("latin-1")),
        "undecodable_text",
    ),
    "the header again": (st.just(SALES.encode()), "repeated_header"),
    "nothing but delimiters": (st.integers(1, 40).map(lambda n: b"," * n), "blank"),
}


def fates_of(spark: SparkSession, folder: Path) -> list[str]:
    """What becomes of each row of the sales, in the order of the file."""
    told = load(CONFIG, [f"source.path={folder}"])
    source = open_source(told)
    parts = [as_raw(part, source.raw["sales"], "here", {}, "batch") for part in received(spark, source, "sales")]
    refused = {**source.refusals("sales"), **rules.sales_rules(told.cleaning)}
    judged = fate.with_fate(source.canonical("sales", reduce(DataFrame.unionByName, parts)), refused)
    return [row[0] for row in judged.select("_fate").collect()]


@SLOW
@given(st.tuples(*[st.lists(rows, min_size=PER_KIND, max_size=PER_KIND) for rows, _ in KINDS.values()]))
def test_each_row_meets_the_fate_that_its_fault_has(
    spark: SparkSession, tmp_path: Path, drawn: tuple[list[bytes], ...]
) -> None:
    rows = [row for kind in drawn for row in kind]
    TRIED["rows"].update(rows)
    good = ",".join(ROW).encode()
    # A whole file is refused by its first bytes; behind each bad row a good one, which must not be taken along.
    first = [good] * (HEAD_BYTES // len(good))
    content = b"\n".join([SALES.encode(), *first, *[line for row in rows for line in (row, good)], b""])
    (write_files(tmp_path) / FILES["sales"]).write_bytes(content)
    wanted = [kind for _, kind in KINDS.values() for _ in range(PER_KIND)]
    found = fates_of(spark, tmp_path)
    assert {*found[: len(first)]} == {"clean"}
    assert found[len(first) :] == [each for kind in wanted for each in (kind, "clean")]


WHOLE = st.one_of(
    st.integers(0, 300).map(lambda n: lambda text: text[:n]),
    st.tuples(st.integers(0, 160), st.binary(min_size=1, max_size=8)).map(
        lambda put: lambda text: text[: put[0]] + put[1] + text[put[0] :]
    ),
    st.sampled_from([";", "\t", "|", ":", " ", "\0"]).map(lambda mark: lambda text: text.replace(b",", mark.encode())),
    st.sampled_from(["utf-16", "utf-32", "utf-16-be", "cp037"]).map(
        lambda encoding: lambda text: text.decode().encode(encoding)
    ),
    st.sampled_from(NAMES).map(lambda name: lambda text: text.replace(name.encode(), b"", 1)),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).map(
        lambda names: lambda text: text.replace(names[0].encode(), names[1].encode(), 1)
    ),
    st.sampled_from([b"PK\x03\x04", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x89PNG", b"%PDF"]).map(
        lambda magic: lambda text: magic + text
    ),
)


@settings(deadline=None, max_examples=FILES_DRAWN, suppress_health_check=[*HealthCheck])
@given(WHOLE)
def test_a_file_has_its_columns_or_is_named_with_what_was_found_and_wanted(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    file, whole = tmp_path / "sales.csv", text_of(sale(), sale()).encode()
    file.write_bytes(change(whole))
    TRIED["files"].update({change(whole)} - {whole})
    found = columns_or_error(file)
    if isinstance(found, str):
        assert found.startswith(f"{file}: ")
        assert "\n" not in found
    else:
        assert {*NAMES} <= {*found}


def columns_or_error(file: Path) -> list[str] | str:
    try:
        names = read_header(str(file))
        require_columns(str(file), names, NAMES)
    except ShelfcastError as error:
        return str(error)
    return names


LINE = {"Shop No": 7, "Article": "Bread", "Day": "2016-12-24", "Pieces": 3, "Takings": 4.5}
KINDS_OF_JSON = {"Shop No": "bigint", "Article": "string", "Day": "string", "Pieces": "bigint", "Takings": "double"}
WRONG = st.one_of(
    st.integers(1, len(json.dumps(LINE)) - 1).map(lambda n: json.dumps(LINE)[:n]),
    st.sampled_from(["Shop No", "Pieces", "Takings"]).flatmap(
        lambda name: WORD.map(lambda text: json.dumps({**LINE, name: text}))
    ),
    # Brackets and braces alone may be JSON of no row.
    st.text("abcdefgxyz#!?%&()", min_size=1, max_size=12),
    st.sampled_from(["[", "{]", '{"Shop No": 7,}', "}{", '"text"', "7", "true"]),
    st.sampled_from([*LINE])
    .map(lambda name: json.dumps({**LINE, name: {"deep": [1]}}))
    .filter(lambda text: '"Article": {' not in text and '"Day": {' not in text),
)


@settings(deadline=None, max_examples=1, suppress_health_check=[*HealthCheck])
@given(st.lists(WRONG, min_size=LINES, max_size=LINES))
def test_a_line_of_json_that_is_none_is_refused_and_takes_no_other_along(
    spark: SparkSession, tmp_path: Path, lines: list[str]
) -> None:
    TRIED["lines"].update(lines)
    told = [text for line in lines for text in (line, json.dumps(LINE))]
    (tmp_path / "sales.json").write_text("\n".join(told) + "\n", encoding="utf-8")
    rows = rows_of(spark, config(tmp_path, format="json", received=KINDS_OF_JSON))
    assert [row._fate for row in rows] == ["malformed_row", "clean"] * LINES


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("book") / "sales.xlsx"
    return write_workbook(path, S=[NAMES, ROW, ROW]).read_bytes()


@settings(deadline=None, max_examples=BOOKS, suppress_health_check=[*HealthCheck])
@given(st.floats(0, 1), st.binary(max_size=20), st.booleans())
def test_a_workbook_is_read_or_says_what_was_found(book: bytes, share: float, junk: bytes, is_cut: bool) -> None:
    place = int(share * len(book))
    content = book[:place] + junk + (b"" if is_cut else book[place + len(junk) :])
    TRIED["workbooks"].update({content} - {book})
    found = cells_or_error(content)
    assert "\n" not in found if isinstance(found, str) else len(found) <= 3


def cells_or_error(content: bytes) -> list[list[Any]] | str:
    try:
        return cells_of(content, None)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("share", [n / CUTS for n in range(CUTS)])
def test_a_parquet_file_that_was_cut_off_is_named(spark: SparkSession, tmp_path: Path, share: float) -> None:
    spark.createDataFrame([(7, "Bread")], "`Shop No` bigint, Article string").coalesce(1).write.parquet(
        str(tmp_path / "part")
    )
    (part,) = (tmp_path / "part").glob("*.parquet")
    whole = part.read_bytes()
    (tmp_path / "sales.parquet").write_bytes(whole[: int(share * len(whole))])
    TRIED["cuts"].add(share)
    kinds = {"Shop No": "bigint", "Article": "string"}
    columns = {"store_id": "Shop No", "product_id": "Article", "sold_on": {"value": "2016-12-24"}}
    columns |= {"source_quantity": {"value": 1}, "revenue": {"value": 1}}
    with pytest.raises(ShelfcastError, match=r"sales\.parquet: cannot be read .*; wanted a whole Parquet file"):
        rows_of(spark, config(tmp_path, format="parquet", received=kinds, columns=columns))


def test_they_are_more_than_two_hundred_that_differ() -> None:
    if not all(TRIED.values()):
        pytest.skip("it counts what the tests above have tried, and not all of them ran")
    assert sum(map(len, TRIED.values())) > 200, {kind: len(inputs) for kind, inputs in TRIED.items()}
