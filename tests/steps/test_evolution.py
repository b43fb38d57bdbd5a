"""Files whose columns change from one delivery to the next, in one lake: what is added, renamed, gone or of another
type."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from corner import COLUMNS, HEADER, KEY, REGION, Corner
from shelfcast import schemas
from shelfcast.errors import SchemaError, SourceError
from shelfcast.sources import open_source

TEXTS = dict.fromkeys(HEADER.split(","), "string")
KINDS = {**TEXTS, "pieces": "double", "money": "double"}
# Files of text have types in the mapping alone.
RECEIVED = {"csv": TEXTS, "json": KINDS, "parquet": KINDS}
# The others differ from CSV in their reader alone.
FORMATS = [pytest.param(form, marks=() if form == "csv" else pytest.mark.slow) for form in RECEIVED]
# A new column, and what it tells once it is mapped.
REBATE = {"csv": "string", "json": "double", "parquet": "double"}


def sale(basket: str, day: int = 2, **told: Any) -> dict[str, Any]:
    row = {"store": "s1", "basket": basket, "product": "milk", "day": f"2017-01-0{day}", "pieces": 1.0, "money": 2.0}
    return row | told


def shop_of(spark: SparkSession, folder: Path, form: str) -> Corner:
    return Corner(spark, folder, KEY, format=form, files=f"sales*.{form}", received=RECEIVED[form])


def deliver(shop: Corner, name: str, form: str, *rows: dict[str, Any]) -> Path:
    file = shop.folder / f"{name}.{form}"
    if form == "parquet":
        pd.DataFrame(rows).to_parquet(file, index=False)
    elif form == "json":
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        pd.DataFrame(rows).to_csv(file, index=False)
    return file


def with_rebate(shop: Corner, form: str, name: str = "rebate") -> Corner:
    """The shop once its configuration names the new column."""
    received = {**RECEIVED[form], name: REBATE[form]}
    return shop.reading(received=received, columns={**COLUMNS, "discount": name})


def wider(spark: SparkSession, folder: Path, form: str) -> Corner:
    """A shop of whose two files the second one has a column more, which is not mapped."""
    shop = shop_of(spark, folder, form)
    deliver(shop, "sales-1", form, sale("a"))
    shop.ingest()
    deliver(shop, "sales-2", form, sale("b", 3, rebate=0.5))
    shop.ingest()
    return shop


def put_aside(shop: Corner) -> dict[str, str | None]:
    return {row.basket: row._extra for row in shop.received("sales").collect()}


def rebates(shop: Corner) -> dict[str, float | None]:
    """basket -> its rebate in the clean table."""
    rows = shop.runner.lake.read(schemas.SALES, "corner").collect()
    found = {row.basket_id: row.discount for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("form", FORMATS)
def test_a_column_more_is_kept_aside_and_told(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    shop = wider(spark, tmp_path, form)
    assert "sales: unknown columns kept in _extra: rebate" in capsys.readouterr().err
    aside = put_aside(shop)
    assert (aside["a"], float(json.loads(str(aside["b"]))["rebate"])) == (None, 0.5)
    assert "rebate" not in shop.received("sales").columns
    assert shop.clean()
    assert shop.sold() == {"a": 1, "b": 1}


@pytest.mark.parametrize("form", FORMATS)
def test_a_column_that_is_mapped_later_is_read_of_files_that_have_it_and_null_in_those_before(
    spark: SparkSession, tmp_path: Path, form: str
) -> None:
    shop = wider(spark, tmp_path, form)
    shop.clean()
    shop = with_rebate(shop, form)
    deliver(shop, "sales-3", form, sale("c", 4, rebate=0.25))
    assert shop.take_in() == (True, True)
    assert rebates(shop) == {"a": None, "b": 0.5, "c": 0.25}
    assert put_aside(shop) == dict.fromkeys("abc")
    assert shop.account() == {"raw": 3, "clean": 3}
    assert shop.take_in() == (False, False)


def of_persons(spark: SparkSession, folder: Path, form: str) -> Corner:
    mail = "source.persons={mail: drop}"
    return Corner(spark, folder, KEY, mail, format=form, files=f"sales*.{form}", received=RECEIVED[form])


@pytest.mark.parametrize("form", FORMATS)
def test_a_person_s_column_that_comes_by_another_name_reaches_no_lake(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    persons = of_persons(spark, tmp_path, form)
    deliver(persons, "sales-1", form, sale("a", mail="a@b.example", till="t1"))
    assert persons.ingest()
    assert "sales: unknown columns kept in _extra: till" in capsys.readouterr().err
    deliver(persons, "sales-2", form, sale("b", 3, email="c@d.example"), sale("c", 3, email=None))
    deliver(persons, "sales-3", form, sale("d", 4, mail="e@f.example", till="t2"))
    assert persons.ingest()
    told = capsys.readouterr().err
    assert "sales: unknown columns withheld, since mail of source.persons is not there: email" in told
    withheld = {"email": "(withheld: source.persons)"}
    found = {basket: extra and json.loads(extra) for basket, extra in put_aside(persons).items()}
    assert found == {"a": {"till": "t1"}, "b": withheld, "c": None, "d": {"till": "t2"}}
    deliver(persons, "sales-4", form, sale("e", 5, email="g@h.example"))
    assert persons.ingest()
    assert json.loads(str(put_aside(persons)["e"])) == withheld


def test_nor_does_it_where_the_lake_does_not_tell_which_persons_columns_have_come(
    spark: SparkSession, tmp_path: Path
) -> None:
    persons = of_persons(spark, tmp_path, "csv")
    deliver(persons, "sales-1", "csv", sale("a", mail="a@b.example"))
    persons.ingest()
    runner, scope = persons.runner, {"region": REGION}
    table = open_source(runner.config).raw["sales"]
    note = runner.lake.last_commit(table, scope).note
    before = {key: told for key, told in note.items() if key != "columns_of_persons"}
    assert before != note
    runner.lake.replace(table, persons.received("sales").localCheckpoint(), scope, before)
    deliver(persons, "sales-2", "csv", sale("b", 3, email="c@d.example"))
    persons.ingest()
    assert json.loads(str(put_aside(persons)["b"])) == {"email": "(withheld: source.persons)"}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_what_came_before_and_is_put_away_is_null_in_a_column_that_is_mapped_later(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    shop = wider(spark, tmp_path, form)
    shop.clean()
    (shop.folder / f"sales-1.{form}").unlink()
    shop = with_rebate(shop, form)
    deliver(shop, "sales-3", form, sale("c", 4, rebate=0.25))
    assert shop.take_in() == (True, True)
    told = f"sales: sales-1.{form} came before and is not there now; wanted it again"
    assert f"{told}, since the configuration reads the table in another way; its rows stay" in capsys.readouterr().err
    assert rebates(shop) == {"a": None, "b": None, "c": 0.25}
    assert put_aside(shop)["b"] is not None
    assert shop.take_in() == (False, False)


@pytest.mark.slow
def test_files_from_before_a_column_was_mapped_are_read_whatever_else_is_mapped_in_another_way_since(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = with_rebate(wider(spark, tmp_path, "csv"), "csv")
    shop.ingest()
    later = shop.reading(encoding="latin-1")
    assert later.take_in() == (True, True)
    assert rebates(later) == {"a": None, "b": 0.5}


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_column_that_was_mapped_later_is_wanted_of_each_file_since(
    spark: SparkSession, tmp_path: Path, form: str
) -> None:
    shop = with_rebate(wider(spark, tmp_path, form), form)
    shop.ingest()
    deliver(shop, "sales-3", form, sale("c", 4))
    with pytest.raises(SchemaError, match=rf"sales-3\.{form}: no column rebate; found store, basket"):
        shop.ingest()
    assert set(put_aside(shop)) == {"a", "b"}


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_column_that_no_file_has_is_refused(spark: SparkSession, tmp_path: Path, form: str) -> None:
    shop = with_rebate(wider(spark, tmp_path, form), form, "rebait")
    with pytest.raises(SchemaError, match=r"sales: no column rebait in any file; found .*rebate, store"):
        shop.ingest()


def test_files_that_are_put_away_are_wanted_where_they_would_read_otherwise(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = wider(spark, tmp_path, "csv")
    (shop.folder / "sales-1.csv").unlink()
    with pytest.raises(SourceError, match=r"sales-1\.csv came before and is not there now; wanted it again"):
        with_rebate(shop, "csv").reading(decimal=",").ingest()


@pytest.mark.slow
def test_a_column_that_is_mapped_no_more_is_kept_aside_again(spark: SparkSession, tmp_path: Path) -> None:
    shop = wider(spark, tmp_path, "csv")
    with_rebate(shop, "csv").take_in()
    assert shop.take_in() == (True, True)
    assert (rebates(shop), put_aside(shop)) == ({"a": None, "b": None}, {"a": None, "b": '{"rebate":"0.5"}'})


def test_a_column_of_another_type_is_refused_and_the_lake_goes_on_once_it_is_as_before(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = shop_of(spark, tmp_path, "parquet")
    deliver(shop, "sales-1", "parquet", sale("a"))
    shop.take_in()
    deliver(shop, "sales-2", "parquet", sale("b", 3, pieces="two"))
    with pytest.raises(SchemaError, match=r"/sales-2\.parquet: column pieces is string, wanted double$"):
        shop.ingest()
    assert (set(put_aside(shop)), shop.sold()) == ({"a"}, {"a": 1})
    deliver(shop, "sales-2", "parquet", sale("b", 3, pieces=2.0))
    shop.take_in()
    assert shop.sold() == {"a": 1, "b": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "rule"), [("csv", "missing_or_unreadable_quantity"), ("json", "malformed_row")], ids=["csv", "json"]
)
def test_a_value_of_another_type_puts_its_row_aside_and_the_others_stand(
    spark: SparkSession, tmp_path: Path, form: str, rule: str
) -> None:
    shop = shop_of(spark, tmp_path, form)
    deliver(shop, "sales-1", form, sale("a"))
    shop.take_in()
    deliver(shop, "sales-2", form, sale("b", 3, pieces="two"), sale("c", 3))
    shop.take_in()
    assert shop.account() == {"raw": 3, "clean": 2, "quarantined": 1}
    assert [row.rule for row in shop.runner.lake.read(schemas.QUARANTINE, "corner").collect()] == [rule]
    assert shop.sold() == {"a": 1, "c": 1}


@pytest.mark.slow
def test_a_type_that_is_mapped_in_another_way_is_refused_by_its_name(spark: SparkSession, tmp_path: Path) -> None:
    shop = shop_of(spark, tmp_path, "json")
    deliver(shop, "sales-1", "json", sale("a"))
    shop.ingest()
    with pytest.raises(SchemaError, match=r"raw/corner_sales: pieces is string, wanted double, as the lake holds it"):
        shop.reading(received={**KINDS, "pieces": "string"}).ingest()
    deliver(shop, "sales-2", "json", sale("b", 3))
    shop.take_in()
    assert shop.sold() == {"a": 1, "b": 1}


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_file_that_has_lost_a_column_is_refused_by_the_names_of_both(
    spark: SparkSession, tmp_path: Path, form: str
) -> None:
    shop = shop_of(spark, tmp_path, form)
    deliver(shop, "sales-1", form, sale("a"))
    shop.take_in()
    less = {name: value for name, value in sale("b", 3).items() if name != "money"}
    deliver(shop, "sales-2", form, less)
    with pytest.raises(SchemaError, match=rf"/sales-2\.{form}: no column money; found store, basket"):
        shop.ingest()
    assert shop.sold() == {"a": 1}
