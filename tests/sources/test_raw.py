import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession

from shelfcast.errors import ConfigError, SchemaError
from shelfcast.sources.csv_files import MALFORMED, read_csv
from shelfcast.sources.excel_files import read_excel
from shelfcast.sources.json_files import read_json
from shelfcast.sources.raw import (
    Persons,
    as_raw,
    in_slices,
    keyed_hashes,
    raw_table,
    require_columns_of_persons,
    unknown_columns,
    without_persons,
    without_strangers,
)
from shelfcast.table import Table
from workbooks import write_workbook

LIB = Path(__file__).parents[2] / "lib"
COLUMNS = "household bigint, store bigint, price decimal(10,2), day date"
RECEIVED = "household bigint, store bigint, price decimal(10,2), day date"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", "canary")


@pytest.fixture
def table(spark: SparkSession) -> Table:
    assert spark.version  # types are read from their DDL by a session
    return raw_table("tills", COLUMNS, {"household": "drop"})


def received(spark: SparkSession, folder: Path, columns: str, *rows: tuple[object, ...]) -> DataFrame:
    """The rows, as they come from a file."""
    spark.createDataFrame(rows, columns).coalesce(1).write.parquet(str(folder / "file"))
    return spark.read.parquet(str(folder / "file"))


def test_a_raw_table_has_the_source_s_columns_and_where_they_came_from(table: Table) -> None:
    assert table.name == "raw/tills"
    assert table.schema.simpleString() == (
        "struct<region:string,store:bigint,price:decimal(10,2),day:date,"
        "_extra:string,_source_file:string,_batch_id:string,_ingested_at:timestamp>"
    )


@pytest.mark.parametrize(
    ("persons", "wanted"),
    [
        pytest.param({}, [("household", "bigint"), ("store", "bigint")], id="received-as-it-is"),
        pytest.param({"household": "drop"}, [("store", "bigint")], id="dropped"),
        pytest.param({"household": "hash"}, [("household", "string"), ("store", "bigint")], id="hashed-to-text"),
    ],
)
def test_a_person_s_column_is_what_the_configuration_makes_of_it(
    spark: SparkSession, persons: Persons, wanted: list[tuple[str, str]]
) -> None:
    schema = raw_table("tills", "household bigint, store bigint", persons).schema
    assert spark.createDataFrame([], schema).dtypes[1:3][: len(wanted)] == wanted


def test_rows_come_with_their_file_and_batch(spark: SparkSession, table: Table, tmp_path: Path) -> None:
    rows = received(spark, tmp_path, RECEIVED, (1, 2, None, date(2017, 1, 2)))
    (row,) = as_raw(rows, table, "here", {"household": "drop"}, "batch").collect()
    assert row.asDict().keys() == {*table.names}
    assert (row.region, row.store, row.day, row._extra, row._batch_id) == ("here", 2, date(2017, 1, 2), None, "batch")
    assert Path(row._source_file).suffix == ".parquet"
    assert row._ingested_at is not None


def test_what_the_source_does_not_describe_is_kept_and_named(spark: SparkSession, table: Table, tmp_path: Path) -> None:
    # A source may well have a region of its own: it is not the lake's.
    columns = f"{RECEIVED}, till int, region string"
    rows = received(spark, tmp_path, columns, (1, 2, None, None, 7, "north"), (1, 3, None, None, None, None))
    dropped = without_persons(rows, {"household": "drop"})
    assert unknown_columns(dropped, table) == ["till", "region"]
    found = as_raw(rows, table, "here", {"household": "drop"}, "batch").orderBy("store").collect()
    # Nothing beside the row is nothing: a line of nothing but commas stays blank.
    assert [row._extra and json.loads(row._extra) for row in found] == [{"till": 7, "region": "north"}, None]
    assert [row.region for row in found] == ["here", "here"]


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        pytest.param(
            "household bigint, store bigint, day date", r"raw/tills: no column price", id="a-column-is-missing"
        ),
        pytest.param(
            "household bigint, store string, price decimal(10,2), day date",
            r"raw/tills: store is string, wanted bigint",
            id="a-number-became-text",
        ),
        pytest.param(
            "household bigint, store bigint, price decimal(12,2), day date",
            r"raw/tills: price is decimal\(12,2\), wanted decimal\(10,2\)",
            id="a-decimal-became-wider",
        ),
    ],
)
def test_a_source_that_does_not_fit_is_refused_by_the_name_of_its_column(
    spark: SparkSession, table: Table, columns: str, complaint: str
) -> None:
    with pytest.raises(SchemaError, match=complaint):
        as_raw(spark.createDataFrame([], columns), table, "here", {"household": "drop"}, "batch")


def test_the_complaint_of_a_missing_column_names_no_person_s(spark: SparkSession, table: Table) -> None:
    with pytest.raises(SchemaError, match=r"found store, day$"):
        as_raw(
            spark.createDataFrame([], "household bigint, store bigint, day date"),
            table,
            "r",
            {"household": "drop"},
            "b",
        )


def test_a_dropped_person_is_gone_from_the_row_and_from_what_is_kept_beside_it(
    spark: SparkSession, table: Table, tmp_path: Path
) -> None:
    rows = received(spark, tmp_path, f"{RECEIVED}, email string", (987654321, 2, None, None, "a@b.c"))
    persons: Persons = {"household": "drop", "email": "drop"}
    (row,) = as_raw(rows, table, "here", persons, "batch").collect()
    assert "987654321" not in str(row)
    assert "a@b.c" not in str(row)


def a_csv_file(spark: SparkSession, folder: Path) -> DataFrame:
    """Of the malformed rows the first lacks its store: in that column stands a person."""
    (folder / "tills.csv").write_text("store,household,product\n7,4711,milk\n4712,milk\n8,4713,milk,bread\n")
    return read_csv(spark, [str(folder / "tills.csv")], ["store"])[0]


def a_workbook(spark: SparkSession, folder: Path) -> DataFrame:
    rows = [["store", "household", "product"], ["7", "4711", "milk"], ["8", "no card", "4712", "milk"]]
    return read_excel(spark, [str(write_workbook(folder / "tills.xlsx", S=rows))], ["store"])[0]


def lines_of_json(spark: SparkSession, folder: Path) -> DataFrame:
    row = '{"store": "7", "household": "4711", "product": "milk"}'
    (folder / "tills.json").write_text(f"{row}\n{row.replace('4711', '4712')[:-1]}\n")
    kinds = dict.fromkeys(("store", "household", "product", MALFORMED), "string")
    return read_json(spark, [str(folder / "tills.json")], kinds, "utf-8")[0]


@pytest.mark.parametrize("fate", ["drop", "hash"])
@pytest.mark.parametrize("read", [a_csv_file, a_workbook, lines_of_json])
def test_a_malformed_row_names_no_person(
    spark: SparkSession, tmp_path: Path, read: Callable[[SparkSession, Path], DataFrame], fate: Literal["drop", "hash"]
) -> None:
    persons: Persons = {"household": fate}
    table = raw_table("tills", f"store string, household string, product string, {MALFORMED} string", persons)
    whole, *malformed = as_raw(read(spark, tmp_path), table, "here", persons, "batch").orderBy(MALFORMED).collect()
    assert (whole.store, whole.product, whole.malformed_row) == ("7", "milk", None)
    assert {row.malformed_row for row in malformed} == {"(withheld: source.persons)"}
    assert all(row._source_file.startswith("tills.") for row in malformed)
    # Its moment may have any digits.
    assert "471" not in str([row.asDict() | {"_ingested_at": None} for row in malformed])


def test_where_a_person_s_column_is_lacking_what_is_unknown_is_withheld_and_what_is_malformed(
    spark: SparkSession, tmp_path: Path
) -> None:
    persons: Persons = {"card": "hash", "clerk": "drop"}
    table = raw_table("tills", f"store string, product string, {MALFORMED} string", persons)
    came = without_strangers(a_csv_file(spark, tmp_path), table, persons, {"card"})
    rows = as_raw(came, table, "here", persons, "batch").orderBy(MALFORMED).collect()
    withheld = "(withheld: source.persons)"
    assert [(row.store, row.malformed_row) for row in rows] == [("7", None), (None, withheld), (None, withheld)]
    assert [row._extra for row in rows] == [f'{{"household":"{withheld}"}}', None, None]


@pytest.mark.parametrize(
    ("persons", "known"),
    [
        pytest.param({"household": "drop"}, {"household"}, id="it-is-there"),
        pytest.param({"household": "drop", "card": "drop"}, {"household"}, id="what-lacks-never-came"),
        pytest.param({"household": "drop"}, {"household", "card"}, id="what-lacks-names-no-person-any-more"),
    ],
)
def test_what_is_unknown_is_kept_where_each_person_s_column_that_came_is_there(
    spark: SparkSession, persons: Persons, known: set[str]
) -> None:
    came = spark.createDataFrame([("4711", "7")], "household string, till string")
    kept = without_strangers(came, raw_table("tills", "store string", persons), persons, known)
    assert kept.first() == ("4711", "7")


def test_a_malformed_row_is_kept_where_no_column_is_a_person_s(spark: SparkSession, tmp_path: Path) -> None:
    rows = without_persons(a_csv_file(spark, tmp_path), {"clerk": "drop"})
    assert [row.malformed_row for row in rows.collect()] == [None, "4712,milk", "8,4713,milk,bread"]


@pytest.mark.parametrize("rows", [0, 1, 7, 1000])
def test_slices_hold_each_row_of_a_file_once_and_share_them_out(spark: SparkSession, tmp_path: Path, rows: int) -> None:
    path = str(tmp_path / "one_row_group")
    spark.range(rows).coalesce(1).write.parquet(path)
    slices = in_slices(spark.read.parquet(path))
    held = [[row["id"] for row in part.collect()] for part in slices]
    assert len(slices) == spark.sparkContext.defaultParallelism > 1
    assert sorted(chain.from_iterable(held)) == [*range(rows)]
    assert max(map(len, held)) - min(map(len, held)) <= 1


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        pytest.param([7] * 5, 1, id="files-more-than-cores-are-read-beside-one-another"),
        pytest.param([7] * 4, 1, id="files-as-many-as-cores-are-read-beside-one-another"),
        pytest.param([7, 7], 2, id="two-files-of-a-size-share-the-cores"),
        pytest.param([1, 40], 2, id="the-longest-file-tells-where-to-cut"),
    ],
)
def test_slices_are_as_many_as_there_are_cores_for_each_file(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], parts: int
) -> None:
    rows = [range(100 * file, 100 * file + size) for file, size in enumerate(sizes)]
    folders = [str(tmp_path / str(file)) for file, _ in enumerate(sizes)]
    for of_file, folder in zip(rows, folders, strict=True):
        spark.range(of_file.start, of_file.stop).coalesce(1).write.parquet(folder)
    monkeypatch.setattr(SparkContext, "defaultParallelism", 4)
    slices = in_slices(spark.read.parquet(*folders))
    held = [[row["id"] for row in part.collect()] for part in slices]
    assert len(slices) == parts
    assert all(held)
    assert sorted(chain.from_iterable(held)) == [*chain.from_iterable(rows)]


# RFC 4231, test cases 2 and 3
@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        pytest.param(
            b"Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="a-key-of-words",
        ),
        pytest.param(
            b"\x0b" * 20,
            "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            id="a-key-of-bytes",
        ),
    ],
)
def test_a_person_s_hash_is_the_standard_s(key: bytes, text: str, expected: str) -> None:
    assert keyed_hashes(pd.Series([text, None]), key).tolist() == [expected, None]


def test_a_hashed_person_is_told_from_others_and_not_known_without_the_key(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = spark.createDataFrame([(1, "x"), (2, "x"), (1, "y"), (None, "z")], "household bigint, item string")

    def hashes() -> list[str | None]:
        return [row.household for row in without_persons(people, {"household": "hash"}).collect()]

    first = hashes()
    assert first == keyed_hashes(pd.Series(["1", "2", "1", None]), b"canary").tolist()
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", "another")
    assert not {*first} & {*hashes()} - {None}


def test_a_hashed_person_comes_with_the_row_s_file(spark: SparkSession, tmp_path: Path) -> None:
    persons: Persons = {"household": "hash"}
    rows = received(spark, tmp_path, RECEIVED, (1, 2, None, None))
    (row,) = as_raw(rows, raw_table("tills", COLUMNS, persons), "here", persons, "batch").collect()
    assert [row.household] == keyed_hashes(pd.Series(["1"]), b"canary").tolist()
    assert Path(row._source_file).suffix == ".parquet"


HASHING = """
import sys
from shelfcast.session import open_session
from shelfcast.sources.raw import without_persons

log = {"enabled": "true", "dir": sys.argv[1], "rolling.enabled": "false", "compress": "false"}
spark = open_session("hashing", {"spark.master": "local[1]", **{"spark.eventLog." + k: v for k, v in log.items()}})
hashed = without_persons(spark.range(3), {"id": "hash"})
hashed.explain("extended")
hashed.explain("codegen")
hashed.write.parquet(sys.argv[1] + "/hashed")
spark.stop()
"""


def test_the_key_is_in_no_plan_and_no_event_log(tmp_path: Path) -> None:
    key = "canary-7f3a91"
    environment = {**os.environ, "PYTHONPATH": str(LIB), "SHELFCAST_PERSON_KEY": key}
    command = [sys.executable, "-c", HASHING, str(tmp_path)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    (log,) = (path.read_text() for path in tmp_path.glob("local-*"))
    assert "hashed" in log
    assert "Physical Plan" in done.stdout
    told = log + done.stdout + done.stderr
    derived = hashlib.sha256(key.encode()).hexdigest()
    assert not [secret for secret in (key, key.encode().hex(), derived) if secret in told]


@pytest.mark.parametrize("key", [pytest.param(None, id="not-set"), pytest.param("", id="empty")])
def test_without_a_key_nobody_is_hashed(spark: SparkSession, monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    monkeypatch.delenv("SHELFCAST_PERSON_KEY")
    if key is not None:
        monkeypatch.setenv("SHELFCAST_PERSON_KEY", key)
    people = spark.createDataFrame([(1,)], "household bigint")
    with pytest.raises(ConfigError, match="SHELFCAST_PERSON_KEY is not set"):
        without_persons(people, {"household": "hash"})
    assert without_persons(people, {"household": "drop"}).columns == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("household", id="described-and-received"),
        pytest.param("clerk", id="described-and-not-come"),
        pytest.param("email", id="received-and-not-described"),
        pytest.param("HouseHold", id="in-another-case"),
    ],
)
def test_a_person_s_column_that_the_source_has_is_no_trouble(spark: SparkSession, name: str) -> None:
    described = raw_table("tills", "household bigint, clerk bigint, store bigint", {})
    came = spark.createDataFrame([], "household bigint, store bigint, email string")
    require_columns_of_persons({name: "drop"}, [described], [came])
    assert name.casefold() not in without_persons(came, {name: "drop"}).columns


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("houshold", id="a-slip-of-the-keys"),
        pytest.param("_batch_id", id="our-own-and-not-the-source's"),
    ],
)
def test_a_person_s_column_that_is_nowhere_is_refused(spark: SparkSession, name: str) -> None:
    came = spark.createDataFrame([], "household bigint, store bigint")
    with pytest.raises(ConfigError, match=f"source.persons: no column {name} in the source; found household, store$"):
        require_columns_of_persons(
            {name: "hash", "store": "drop"}, [raw_table("tills", "household bigint", {})], [came]
        )


def test_a_person_s_column_is_named_as_in_the_file_or_in_the_lake(spark: SparkSession) -> None:
    came = spark.createDataFrame([("4711", "7", "9")], "received__id string, Card_No string, till string")
    persons: Persons = {"_id": "drop", "Card No": "drop"}
    require_columns_of_persons(persons, [], [came])
    assert without_persons(came, persons).columns == ["till"]


@pytest.mark.parametrize(
    ("persons", "types"),
    [
        pytest.param({"Household": "hash"}, ["string", "bigint"], id="in-another-case"),
        pytest.param({"household": "hash", "HOUSEHOLD": "drop"}, ["bigint"], id="named-twice-it-is-dropped"),
    ],
)
def test_a_column_is_the_same_in_any_case(spark: SparkSession, persons: Persons, types: list[str]) -> None:
    came = spark.createDataFrame([(1, 2)], "household bigint, store bigint")
    assert [kind for _, kind in without_persons(came, persons).dtypes] == types
    table = raw_table("tills", "household bigint, store bigint", persons)
    assert [item.dataType.simpleString() for item in table.schema][1 : 1 + len(types)] == types
