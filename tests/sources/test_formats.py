"""One table in each of the forms in which companies send it."""

import bz2
import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from mapped_company import HEADER, RECEIVED, SALE, config, rows_of
from shelfcast import storage
from shelfcast.config import Config
from shelfcast.errors import SchemaError, SourceError
from shelfcast.sources import open_source
from workbooks import write_workbook

MILK = ("7", "Milk 1l", date(2016, 12, 24), 3.0, 1049.5)
KINDS = dict(zip(RECEIVED, ("bigint", "string", "date", "double", "double"), strict=True))
TEXT = f'{HEADER}\n7;Milk 1l;24.12.2016;3;"1.049,50"\n'
DDL = ", ".join(f"`{name}` {kind}" for name, kind in KINDS.items())


def told(row: Row) -> tuple[Any, ...]:
    return (row.store_id, row.product_id, row.sold_on, row.source_quantity, row.revenue)


def typed(spark: SparkSession, columns: str = DDL, *rows: tuple[Any, ...]) -> DataFrame:
    return spark.createDataFrame([*rows] or [(7, "Milk 1l", date(2016, 12, 24), 3.0, 1049.5)], columns).coalesce(1)


def as_file(frame: DataFrame, folder: Path, name: str) -> None:
    frame.write.parquet(str(folder / "part"))
    (file,) = (folder / "part").glob("*.parquet")
    file.rename(folder / name)


def excel(_: SparkSession, folder: Path) -> dict[str, Any]:
    write_workbook(folder / "sales.xlsx", Takings=[RECEIVED, [7, "Milk 1l", date(2016, 12, 24), 3, 1049.5]])
    return {"format": "excel"}


def sheet_of_texts(_: SparkSession, folder: Path) -> dict[str, Any]:
    rows = [[None] * 5, RECEIVED, ["7", "Milk 1l", "24.12.2016", "3", "1.049,50"], [None] * 5]
    write_workbook(folder / "sales.xlsx", Notes=[["read me"]], Takings=rows)
    return {"format": "excel", "sheet": "Takings"}


def plain(_: SparkSession, folder: Path) -> dict[str, Any]:
    (folder / "sales.csv").write_text(TEXT)
    return {}


def bzip2(_: SparkSession, folder: Path) -> dict[str, Any]:
    (folder / "sales.csv.bz2").write_bytes(bz2.compress(TEXT.encode()))
    return {}


def gzipped_in_cyrillic(_: SparkSession, folder: Path) -> dict[str, Any]:
    (folder / "sales.csv.gz").write_bytes(gzip.compress(TEXT.replace("Milk 1l", "Молоко").encode("koi8-r")))
    return {"encoding": "koi8-r"}


def json_in_latin(_: SparkSession, folder: Path) -> dict[str, Any]:
    row = dict(zip(RECEIVED, (7, "Käse", "2016-12-24", 3, 1049.5), strict=True))
    (folder / "sales.json").write_bytes(json.dumps(row, ensure_ascii=False).encode("latin-1") + b"\n")
    return {"format": "json", "encoding": "latin-1", "received": {**KINDS, "Day": "string"}}


def parquet(spark: SparkSession, folder: Path) -> dict[str, Any]:
    as_file(typed(spark), folder, "sales.parquet")
    return {"format": "parquet", "received": KINDS}


def delta(spark: SparkSession, folder: Path) -> dict[str, Any]:
    renamed = typed(spark).withColumnRenamed("Shop No", "Shop_No")
    renamed.write.format("delta").save(str(folder / "sales.delta"))
    kinds = {name.replace(" ", "_"): kind for name, kind in KINDS.items()}
    columns = {**SALE, "store_id": "Shop_No"}
    return {"format": "delta", "received": kinds, "columns": columns}


FORMS: dict[str, tuple[Callable[[SparkSession, Path], dict[str, Any]], str]] = {
    "Excel, with cells of their own kinds": (excel, "Milk 1l"),
    "the second sheet of a workbook, of texts": (sheet_of_texts, "Milk 1l"),
    "bzip2": (bzip2, "Milk 1l"),
    "gzip, in KOI8-R": (gzipped_in_cyrillic, "Молоко"),
    "JSON in Latin-1": (json_in_latin, "Käse"),
    "Parquet": (parquet, "Milk 1l"),
    "a Delta table": (delta, "Milk 1l"),
}


@pytest.mark.parametrize(("write", "name"), FORMS.values(), ids=FORMS)
def test_each_form_tells_the_same(
    spark: SparkSession, tmp_path: Path, write: Callable[[SparkSession, Path], dict[str, Any]], name: str
) -> None:
    settings = config(tmp_path, **write(spark, tmp_path))
    found = [row for row in rows_of(spark, settings) if row._fate != "blank"]
    assert [(told(row), row._fate) for row in found] == [((MILK[0], name, *MILK[2:]), "clean")]
    assert found[0]._raw._source_file.startswith("sales.")


FILES = {"csv": plain, "excel": excel, "json": json_in_latin, "parquet": parquet}


@pytest.mark.parametrize("form", FILES)
def test_a_file_is_known_by_its_name_whatever_signs_are_in_it(spark: SparkSession, tmp_path: Path, form: str) -> None:
    told = FILES[form](spark, tmp_path)
    (file,) = tmp_path.glob("sales.*")
    named = file.rename(tmp_path / f"sales of [3+4] {{ü}}%20{file.suffix}")
    (row,) = [row for row in rows_of(spark, config(tmp_path, **told, files="sales of [3*")) if row._fate != "blank"]
    assert row._raw._source_file == named.name


@pytest.mark.parametrize("form", FILES)
def test_each_file_that_a_reader_would_pass_over_is_known_by_its_name(
    spark: SparkSession, tmp_path: Path, form: str
) -> None:
    settings = config(tmp_path / "sales", **FILES[form](spark, tmp_path), files="*sales.*")
    (file,) = tmp_path.glob("sales.*")
    passed = []
    for name in ("sales.{}", "_sales.{}", "_day=1 sales.{}", "__sales.{}", ".sales.{}", "sales.{}._COPYING_"):
        path = tmp_path / name.format(file.suffix[1:])
        path.write_bytes(file.read_bytes())
        if not read_whole(spark, settings, path):
            passed.append(path.name)
        assert storage.is_passed_over(path.name) is (path.name in passed)
    assert len(passed) == 4


def read_whole(spark: SparkSession, settings: Config, path: Path) -> int:
    """The rows that come of a file that is named outright; 0 where the reader refuses it too."""
    try:
        return sum(part.count() for part in open_source(settings).read(spark, "sales", [str(path)]))
    except SourceError:
        return 0


LINE = dict(zip(RECEIVED, (7, "Milk 1l", "2016-12-24", 3, 1049.5), strict=True))
LINES = {
    "a column by another name": ({**LINE, "Money": 1}, "Takings", r"no column Takings; found .*Money"),
    "a name in other letters": ({**LINE, "pieces": 1}, "Pieces", r"no column Pieces \(is it pieces\?\)"),
}


@pytest.mark.parametrize(("line", "gone", "message"), LINES.values(), ids=LINES)
def test_a_column_of_json_that_another_one_has_taken_the_place_of_is_refused_by_the_file_s_name(
    spark: SparkSession, tmp_path: Path, line: dict[str, Any], gone: str, message: str
) -> None:
    (tmp_path / "sales.1.json").write_text(json.dumps(LINE))
    (tmp_path / "sales.2.json").write_text(json.dumps({name: value for name, value in line.items() if name != gone}))
    with pytest.raises(SchemaError, match=rf"sales\.2\.json: {message}"):
        rows_of(spark, config(tmp_path, format="json", received={**KINDS, "Day": "string"}))


def test_a_column_that_writers_of_json_leave_out_where_it_is_null_is_null(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "sales.json").write_text(json.dumps({name: value for name, value in LINE.items() if name != "Takings"}))
    (row,) = rows_of(spark, config(tmp_path, format="json", received={**KINDS, "Day": "string"}))
    assert (row.source_quantity, row.revenue) == (3.0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"Pieces": "string"}, "column Pieces is double, wanted string", id="of another type"),
        pytest.param({"Till": "string"}, "no column Till; found Shop_No", id="not there"),
    ],
)
def test_a_delta_table_of_other_columns_is_refused_by_its_name(
    spark: SparkSession, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    told = delta(spark, tmp_path)
    with pytest.raises(SchemaError, match=rf"sales\.delta: {message}"):
        rows_of(spark, config(tmp_path, **told | {"received": told["received"] | change}))


def test_two_delta_tables_of_one_version_are_no_copies_of_each_other(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("sales-1", "sales-2"):
        told = delta(spark, tmp_path / name)
        (tmp_path / name / "sales.delta").rename(tmp_path / f"{name}.delta")
    found = open_source(config(tmp_path, **told, files="sales-*.delta")).found("sales")
    assert [file.name for file in found] == ["sales-1.delta", "sales-2.delta"]
    assert len({file.content for file in found}) == 2


def test_a_cell_without_a_name_above_it_refuses_its_row_and_a_column_of_its_own_is_kept_aside(
    spark: SparkSession, tmp_path: Path
) -> None:
    good = ["7", "Milk 1l", "24.12.2016", 3, 2.5]
    write_workbook(tmp_path / "sales.xlsx", S=[[*RECEIVED, "Till"], [*good, 4], [*good, 4, "stray"]])
    rows = rows_of(spark, config(tmp_path, format="excel"))
    assert sorted((row._fate, row._raw._extra) for row in rows) == [
        ("clean", '{"Till":"4"}'),
        ("malformed_row", '{"Till":"4"}'),
    ]


def test_a_column_that_later_files_have_is_kept_beside_what_all_have(spark: SparkSession, tmp_path: Path) -> None:
    as_file(typed(spark), tmp_path, "sales-1.parquet")
    (tmp_path / "part" / "_SUCCESS").unlink()
    wider = typed(spark, f"{DDL}, Till int", (8, "Bread", date(2016, 12, 25), 1.0, 2.0, 4))
    wider.write.mode("overwrite").parquet(str(tmp_path / "part"))
    (file,) = (tmp_path / "part").glob("*.parquet")
    file.rename(tmp_path / "sales-2.parquet")
    rows = rows_of(spark, config(tmp_path, format="parquet", received=KINDS, files="sales-*.parquet"))
    assert sorted((row.store_id, row._raw._extra) for row in rows) == [("7", None), ("8", '{"Till":4}')]


CHANGED = {
    "a number that became text": ("`Pieces` double", "`Pieces` string", "column Pieces is string, wanted double"),
    "a whole number that became shorter": ("bigint", "int", "column Shop No is int, wanted bigint"),
    "a day that became an instant": ("`Day` date", "`Day` timestamp", "column Day is timestamp, wanted date"),
    "a column less": (", `Takings` double", "", "no column Takings; found Shop No, Article, Day, Pieces"),
}


@pytest.mark.parametrize(("kind", "instead", "message"), CHANGED.values(), ids=CHANGED)
def test_a_type_that_changed_is_refused_by_the_names_of_file_and_column(
    spark: SparkSession, tmp_path: Path, kind: str, instead: str, message: str
) -> None:
    spark.createDataFrame([], DDL.replace(kind, instead)).coalesce(1).write.parquet(str(tmp_path / "part"))
    (file,) = (tmp_path / "part").glob("*.parquet")
    file.rename(tmp_path / "sales.parquet")
    with pytest.raises(SchemaError, match=rf"sales\.parquet: {message}"):
        rows_of(spark, config(tmp_path, format="parquet", received=KINDS))


def test_a_workbook_without_the_sheet_names_those_that_it_has(spark: SparkSession, tmp_path: Path) -> None:
    write_workbook(tmp_path / "sales.xlsx", January=[RECEIVED], February=[RECEIVED])
    with pytest.raises(
        SourceError, match=r"sales\.xlsx: sheets January, February; wanted a workbook with a sheet March"
    ):
        rows_of(spark, config(tmp_path, format="excel", sheet="March"))
