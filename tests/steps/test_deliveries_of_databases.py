"""Rows of a database that come one after another: each run's are a delivery, and what was known on a day stays."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from corner import COLUMNS, REGION, Corner
from servers import Sql
from shelfcast.cleaning import supply
from shelfcast.schemas import SALES
from shelfcast.sources import open_source
from shelfcast.sources.ledger import BEGUN, LEDGER, NEWEST
from shelfcast.steps import ingest

TYPES = {
    **dict.fromkeys(("store", "basket", "product"), "string"),
    "day": "date",
    **dict.fromkeys(("pieces", "money"), "double"),
    "changed": "timestamp_ntz",
}


class Till(Corner):
    """The corner shop whose sales lie in a table `till` of a database, with the moment of their last change."""

    def __init__(self, spark: SparkSession, folder: Path, database: Sql) -> None:
        super().__init__(spark, folder, "{sales: [basket_id]}")
        self.database, self.tables = database, {}
        moment = "datetime" if database.settings["kind"] == "mysql" else "timestamp"
        texts = "store varchar(9), basket varchar(9), product varchar(9)"
        numbers = "pieces double precision, money double precision"
        database.run(f"drop table if exists till; create table till ({texts}, day date, {numbers}, changed {moment});")

    @property
    def changes(self) -> list[str]:
        sales = {
            "format": "jdbc",
            "select": {"table": "till", "watermark": "changed", "overlap": 1},
            "received": TYPES,
            "columns": {**COLUMNS, "known_from": "changed"},
        }
        source = {
            "kind": "mapped",
            "name": REGION,
            "database": self.database.asked,
            "path": str(self.folder),
            "tables": {"sales": sales | self._told, **self.tables},
        }
        return [f"source={yaml.safe_dump(source)}", *self._base]

    def sell(self, basket: str, day: str, pieces: float, changed: str) -> None:
        values = f"'s1', '{basket}', 'milk', '{day}', {pieces}, {2 * pieces}, '{changed}'"
        self.database.run(f"insert into till (store, basket, product, day, pieces, money, changed) values ({values});")

    def correct(self, basket: str, pieces: float, changed: str) -> None:
        told = f"pieces = {pieces}, money = {2 * pieces}, changed = '{changed}'"
        self.database.run(f"update till set {told} where basket = '{basket}';")

    def open(self) -> None:
        """The first day, taken in."""
        self.sell("a", "2017-01-02", 1, "2017-01-02 09:00")
        self.sell("b", "2017-01-02", 2, "2017-01-02 18:00")
        assert self.take_in() == (True, True)

    def go_on(self) -> None:
        """The next day with a correction, and a sale that was told of after the evening's run, taken in."""
        self.correct("a", 5, "2017-01-03 09:00")
        self.sell("c", "2017-01-03", 3, "2017-01-03 10:00")
        self.sell("d", "2017-01-01", 4, "2017-01-02 20:00")
        assert self.take_in() == (True, True)


LATER = {"a": 5, "b": 2, "c": 3, "d": 4}


@pytest.fixture
def till(spark: SparkSession, tmp_path: Path, database: Sql) -> Till:
    return Till(spark, tmp_path, database)


def test_what_came_since_is_judged_by_itself_and_what_was_known_on_a_day_stays(till: Till) -> None:
    till.open()
    till.go_on()
    assert till.operations(SALES.name)[-2:] == ["WRITE", "MERGE"]
    assert till.sold("2017-01-02") == {"a": 1, "b": 2}
    assert till.sold("2017-01-03") == LATER
    assert till.account() == {"raw": 5, "clean": 5}
    lines = till.runner.lake.read(LEDGER, REGION).orderBy("delivery").collect()
    assert [(line.file, line.delivery) for line in lines] == [("till 1", 1), ("till 2", 2)]
    assert till.take_in() == (False, False)
    apart = till.hashes()
    shutil.rmtree(till.runner.lake.path("clean"))
    assert till.clean()
    assert till.hashes() == apart


@pytest.mark.slow
def test_another_selection_begins_anew(till: Till) -> None:
    till.open()
    till.go_on()
    few = till.reading(select={"query": "select * from till where basket <> 'b'", "watermark": "changed"})
    assert few.take_in() == (True, True)
    assert few.sold() == {"a": 5, "c": 3, "d": 4}
    assert [line.delivery for line in few.runner.lake.read(LEDGER, REGION).collect()] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"], ids=["sales-alone", "both"])
def test_what_came_after_sales_that_were_there_is_not_late_once_sales_begin_anew(till: Till, encoding: str) -> None:
    columns = {"store_id": "store", "product_id": "product", "counted_on": "day", "on_hand": "left"}
    till.tables["closing_stock"] = {"files": "stock*.csv", "received": [*columns.values()], "columns": columns}
    till.deliver("stock-1.csv", "s1,milk,2017-01-01,9", header="store,product,day,left")
    till.open()
    till.deliver("stock-2.csv", "s1,milk,2017-01-02,8", header="store,product,day,left")
    till.go_on()

    def known() -> list[tuple[int | None, date]]:
        lines = till.runner.lake.read(LEDGER, REGION).where("source_table = 'closing_stock'").orderBy("delivery")
        stock = till.runner.lake.read(supply.STOCK, REGION).orderBy("counted_on")
        told = zip(lines.collect(), stock.collect(), strict=True)
        return [(line.after_sales, row.known_from) for line, row in told]

    assert known() == [(None, date(2017, 1, 1)), (1, date(2017, 1, 3))]
    till.tables["closing_stock"]["encoding"] = encoding
    till.reading(select={"query": "select * from till where basket <> 'b'", "watermark": "changed"}).take_in()
    assert known() == [(None, date(2017, 1, 1)), (None, date(2017, 1, 2))]


@pytest.mark.slow
def test_a_run_that_began_anew_and_was_killed_before_its_rows_were_there_leaves_the_next_to_begin_anew(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    till.open()
    other = till.reading(select={"query": "select * from till", "watermark": "changed"})
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "take_in", die)
        with pytest.raises(KeyboardInterrupt):
            other.ingest()
    till.go_on()
    assert till.sold() == LATER


@pytest.mark.slow
def test_a_table_begun_before_deliveries_were_told_of_goes_on_without(till: Till) -> None:
    till.open()
    runner, scope = till.runner, {"region": REGION}
    lake, table = runner.lake, open_source(runner.config).raw["sales"]
    note = {key: told for key, told in lake.last_commit(table, scope).note.items() if key not in (NEWEST, BEGUN)}
    lake.replace(table, lake.read(table, REGION), scope, note)
    lake.remove(LEDGER.name)
    till.go_on()
    assert till.operations(SALES.name)[-2:] == ["WRITE", "WRITE"]
    assert till.sold() == LATER
    assert till.account() == {"raw": 5, "clean": 5}


@pytest.mark.slow
def test_a_till_whose_clock_is_years_ahead_keeps_nothing_from_coming(till: Till) -> None:
    shop = till.reading(columns=COLUMNS)
    till.sell("a", "2017-01-02", 1, "2017-01-02 09:00")
    till.sell("z", "2017-01-02", 9, "2099-01-01 00:00")
    assert shop.take_in() == (True, True)
    till.sell("c", "2017-01-03", 3, "2017-01-03 10:00")
    assert shop.take_in() == (True, True)
    till.correct("z", 6, "2017-01-03 12:00")
    assert shop.take_in() == (True, True)
    assert shop.sold() == {"a": 1, "c": 3, "z": 6}
