"""Tables of real databases taken into the lake, again and again."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from pyspark.sql import SparkSession

from servers import PASSWORD, Sql
from shelfcast import config, schemas
from shelfcast.command import run_job
from shelfcast.errors import TransientError
from shelfcast.resources import resource_folder
from shelfcast.runner import Runner
from shelfcast.sources import open_source
from shelfcast.sources.ledger import LEDGER
from shelfcast.sources.raw import keyed_hashes
from shelfcast.steps import clean, ingest
from shelfcast.steps.forget import forget

CONF = Path(str(resource_folder("conf") / "walmart.yaml"))
RECEIVED = {"id": "int", "store": "int", "day": "date", "pieces": "int", "changed": "timestamp_ntz", "buyer": "string"}
COLUMNS = {"store_id": "store", "product_id": {"value": "a"}, "sold_on": "day", "source_quantity": "pieces",
           "revenue": "pieces", "known_from": "changed"}  # fmt: skip
TABLE = "sales_of_days"
DAYS = ("cleaning.first_day=2016-12-01", "cleaning.last_day=2017-12-31", "cleaning.outliers.learn_until=2016-12-31")
SELECT = {"table": TABLE, "partition_by": "id", "partitions": 2, "watermark": "changed", "overlap": 2}


def changes(database: Sql, lake: Path, select: dict[str, Any]) -> list[str]:
    asked = database.asked
    sales = {"format": "jdbc", "select": select, "received": RECEIVED, "columns": COLUMNS}
    source = {
        "kind": "mapped",
        "name": "shop",
        "database": asked,
        "tables": {"sales": sales},
        "persons": {"buyer": "hash"},
    }
    return [f"source={yaml.safe_dump(source)}", "cleaning.keys={}", "region=shop", f"lake={lake}"]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", "canary")


@pytest.fixture
def shop(spark: SparkSession, database: Sql, lake_root: Path) -> Callable[..., Runner]:
    """A shop of three days. Selects otherwise than SELECT by what it is given, and has further settings."""
    datetime = "datetime(6)" if database.settings["kind"] == "mysql" else "timestamp"
    database.run(f"""
        drop table if exists {TABLE};
        create table {TABLE} (id int, store int, day date, pieces int, changed {datetime}, buyer varchar(9));
        alter table {TABLE} alter column buyer set default 'eve';
        insert into {TABLE} (id, store, day, pieces, changed) values (1, 1, '2017-01-01', 1, '2017-01-01 09:00'),
            (2, 1, '2017-01-02', 2, '2017-01-02 08:00'),
            (3, 1, '2017-01-04', 3, '2017-01-04 09:00'), (4, 1, '2017-01-04', 4, null);
    """)

    def make(*further: str, **select: Any) -> Runner:
        return Runner(spark, config.load(CONF, [*changes(database, lake_root, SELECT | select), *further]))

    return make


def take_in(runner: Runner) -> bool:
    return runner.run(ingest.job(runner.config))


def clean_up(runner: Runner) -> bool:
    return runner.run(clean.job(runner.config))


def held(runner: Runner) -> list[tuple[int, int]]:
    """Number and pieces of the rows in the lake."""
    rows = runner.lake.read(open_source(runner.config).raw["sales"], "shop").collect()
    assert all(len(row.buyer) == 64 for row in rows), "buyers are hashed"
    return sorted((row.id, row.pieces) for row in rows)


def test_what_came_since_is_added_and_late_rows_within_the_overlap_too(
    shop: Callable[..., Runner], database: Sql
) -> None:
    assert take_in(shop())
    assert held(shop()) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert not take_in(shop()), "nothing is new"
    database.run(f"""
        insert into {TABLE} (id, store, day, pieces, changed) values
            (5, 1, '2017-01-05', 5, '2017-01-05 09:00'),
            (6, 1, '2017-01-02', 6, '2017-01-02 10:00'), -- late, within the two days
            (6, 1, '2017-01-02', 6, '2017-01-02 10:00'), -- a sale of its own that looks the same
            (7, 1, '2017-01-01', 7, '2017-01-01 10:00'); -- later than that
        update {TABLE} set pieces = 11, changed = '2017-01-05 10:00' where id = 1; -- the version of before stays
        update {TABLE} set pieces = 33, changed = '2017-01-05 10:00' where id = 3;
        update {TABLE} set pieces = 44 where id = 4;
        delete from {TABLE} where id = 2;
    """)
    assert take_in(shop())
    versions = [(3, 3), (3, 33), (4, 4), (4, 44)]
    assert held(shop()) == [(1, 1), (1, 11), (2, 2), *versions, (5, 5), (6, 6), (6, 6)]
    assert not take_in(shop())


@pytest.mark.slow
def test_files_of_a_catalogue_stand_beside_sales_of_a_database(
    shop: Callable[..., Runner], database: Sql, tmp_path: Path
) -> None:
    products = {"files": "goods-*.csv", "received": ["article", "kind"]}
    products |= {"columns": {"product_id": "article", "category_id": "kind"}}
    beside = [f"source.path={tmp_path}", f"source.tables.products={yaml.safe_dump(products)}", *DAYS]
    (tmp_path / "goods-1.csv").write_text("article,kind\na,milk\n")
    assert [take_in(shop(*beside)), clean_up(shop(*beside))] == [True, True]
    (tmp_path / "goods-2.csv").write_text("article,kind\nb,bread\n")
    assert [take_in(shop(*beside)), clean_up(shop(*beside))] == [True, True]
    lake = shop(*beside).lake
    lines = lake.read(LEDGER, "shop").orderBy("file").collect()
    assert [line.file for line in lines] == ["goods-1.csv", "goods-2.csv", f"{TABLE} 1"]
    counted = {row.source_table: (row.raw, row.clean) for row in lake.read(schemas.ROW_COUNTS, "shop").collect()}
    assert counted == {"products": (2, 2), "sales": (4, 4)}
    assert len(held(shop(*beside))) == 4
    database.run(f"update {TABLE} set pieces = 11, changed = '2017-01-04 10:00' where id = 1;")
    assert [take_in(shop(*beside)), clean_up(shop(*beside))] == [True, True]
    assert lake.read(schemas.SALES, "shop").count() == 5
    assert not take_in(shop(*beside))


@pytest.mark.slow
def test_another_selection_is_read_whole(shop: Callable[..., Runner], database: Sql) -> None:
    take_in(shop())
    database.run(f"update {TABLE} set pieces = 11 where id = 1;")
    within = f"select * from {TABLE} where pieces <> 2"
    assert take_in(shop(table=None, query=within))
    files = [path for path in Path(shop().lake.root).rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert held(shop()) == [(1, 11), (3, 3), (4, 4)]


@pytest.mark.parametrize("fate", ["hash", "drop"])
def test_what_is_said_of_persons_later_holds_for_the_rows_of_before(shop: Callable[..., Runner], fate: str) -> None:
    plain, later = shop("source.persons={}"), f"source.persons={{buyer: {fate}}}"
    take_in(plain)
    raw = open_source(plain.config).raw["sales"]
    assert [row.buyer for row in plain.lake.read(raw, "shop").collect()] == ["eve"] * 4
    assert take_in(shop(later))
    rows = plain.lake.read(raw, "shop").collect()
    assert len(rows) == 4
    assert "eve" not in {row.buyer for row in rows}
    assert not take_in(shop(later))


def test_who_is_forgotten_takes_nobody_along_and_comes_back_with_no_row_that_is_not_new(
    shop: Callable[..., Runner], database: Sql
) -> None:
    database.run(f"update {TABLE} set buyer = 'adam' where id = 1;")
    take_in(shop())
    begun = held(shop())
    forget(shop(), str(keyed_hashes(pd.Series(["adam"]), b"canary")[0]))
    database.run(f"""
        delete from {TABLE} where id = 2;
        insert into {TABLE} (id, store, day, pieces, changed) values (5, 1, '2017-01-05', 5, '2017-01-05 09:00');
    """)
    assert take_in(shop())
    assert held(shop()) == [*begun[1:], (5, 5)]


def test_a_database_that_is_away_is_waited_for(
    shop: Callable[..., Runner], database: Sql, lake_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(shop())
    before = held(shop())
    database.run(
        f"insert into {TABLE} (id, store, day, pieces, changed) values (5, 1, '2017-01-05', 5, '2017-01-05 09:00');"
    )
    database.process.stop()
    try:
        flags = [flag for change in changes(database, lake_root, SELECT) for flag in ("--set", change)]
        assert run_job("", ingest.job, ["--config", str(CONF), *flags]) == 75
    finally:
        database.process.start()
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert "127.0.0.1" in line
    assert line.endswith("wanted it to answer")
    assert PASSWORD not in line
    assert held(shop()) == before
    assert take_in(shop())
    assert (5, 5) in held(shop())


@pytest.mark.slow
def test_a_database_that_goes_while_it_is_read_leaves_the_lake_as_it_was(
    shop: Callable[..., Runner], database: Sql
) -> None:
    take_in(shop())
    before = held(shop())
    pause = "sleep(1)" if database.settings["kind"] == "mysql" else "pg_sleep(1)"
    database.run(
        f"insert into {TABLE} (id, store, day, pieces, changed) values (5, 1, '2017-01-05', 5, '2017-01-05 09:00');"
    )
    slow = f"select id, store, day, pieces, changed, buyer from {TABLE} where concat({pause}, '') is not null"
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(take_in, shop(table=None, query=slow, partition_by=None))
        try:
            with pytest.raises(TransientError, match="wanted it to answer"):
                _stop_while(reading, database)
        finally:
            database.process.start()
    assert held(shop()) == before
    assert take_in(shop())
    assert [number for number, _ in held(shop())] == [1, 2, 3, 4, 5]


def _stop_while(reading: Future[bool], database: Sql) -> None:
    time.sleep(3)
    assert not reading.done()
    database.process.stop()
    reading.result()
