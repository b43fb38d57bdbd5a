"""Tables of real databases as a source."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from servers import PASSWORD, PASSWORD_VARIABLE, Sql, stranger
from shelfcast.config import Config, load
from shelfcast.errors import ConfigError, SchemaError, SourceError
from shelfcast.resources import resource_folder
from shelfcast.sources import open_source, selected_tables
from shelfcast.sources.raw import METADATA, as_raw

CONF = Path(str(resource_folder("conf") / "walmart.yaml"))
RECEIVED = {"store": "int", "article": "string", "day": "date", "pieces": "decimal(10,3)", "takings": "double"}
COLUMNS = {
    "store_id": "store",
    "product_id": "article",
    "sold_on": "day",
    "source_quantity": "pieces",
    "revenue": "takings",
}
MAKE = """
drop table if exists sales;
create table sales (store int, article varchar(40), day date, pieces decimal(10,3), takings double precision, id int);
"""


def config(database: Sql, select: dict[str, Any], columns: dict[str, Any] = COLUMNS, **told: Any) -> Config:
    """A shop whose sales are what `select` names. told: of the table, or of the database."""
    asked = database.asked
    asked |= {name: told.pop(name) for name in [*told] if name in asked}
    sales = {"format": "jdbc", "select": select, "received": RECEIVED, "columns": columns, **told}
    source = {"kind": "mapped", "name": "shop", "database": asked, "tables": {"sales": sales}}
    return load(CONF, [f"source={yaml.safe_dump(source)}", "cleaning.keys={}", "region=shop"])


def raw_of(spark: SparkSession, settings: Config) -> DataFrame:
    rows = selected_tables(spark, settings)["sales"].rows()
    told = rows.withColumn(METADATA, F.struct(F.lit("there").alias("file_name")))
    return as_raw(told, open_source(settings).raw["sales"], "shop", {}, "batch")


def canonical(spark: SparkSession, settings: Config) -> list[Row]:
    return open_source(settings).canonical("sales", raw_of(spark, settings)).collect()


def test_a_table_reads_as_files_do(spark: SparkSession, database: Sql) -> None:
    database.run(
        f"{MAKE} insert into sales values (7, 'Käse', '2016-12-24', 2.125, 4.5, 1), (8, null, null, null, null, 2);"
    )
    cheese, nothing = sorted(canonical(spark, config(database, {"table": "sales"})), key=lambda row: row.store_id)
    assert (cheese.store_id, cheese.product_id, cheese.sold_on) == ("7", "Käse", date(2016, 12, 24))
    assert (cheese.source_quantity, cheese.revenue, cheese.known_from) == (2.125, 4.5, date(2016, 12, 24))
    assert cheese._raw["pieces"] == Decimal("2.125")
    assert (nothing.store_id, nothing.product_id, nothing.sold_on, nothing.revenue) == ("8", None, None, None)
    assert (cheese._raw["_source_file"], cheese._raw["_extra"]) == ("there", None)


INSTANT = datetime(2016, 12, 26, 2, 0, 0, 123456, tzinfo=UTC)


def _tills(database: Sql) -> Callable[..., dict[str, Any]]:
    """Makes a source of one sale. At nine in the evening where both servers' clocks are it is the next day in UTC."""
    instant = "timestamp(6) null" if database.settings["kind"] == "mysql" else "timestamptz"
    shown = "datetime(6)" if database.settings["kind"] == "mysql" else "timestamp"
    database.run(f"""
        drop table if exists tills;
        create table tills (store int, article varchar(9), sold_at {instant}, shown {shown}, pieces int);
        insert into tills values (1, 'a', '2016-12-25 21:00:00.123456', '2016-12-25 21:00:00.123456', 1);
    """)
    received = {"store": "int", "article": "string", "sold_at": "timestamp", "shown": "timestamp_ntz", "pieces": "int"}
    columns = COLUMNS | {"sold_on": "sold_at", "known_from": "shown", "source_quantity": "pieces", "revenue": "pieces"}

    def source(**select: Any) -> dict[str, Any]:
        sales = {"format": "jdbc", "select": {"table": "tills", **select}, "received": received, "columns": columns}
        told = {"kind": "mapped", "name": "shop", "time_zone": "America/New_York"}
        return {**told, "database": database.asked, "tables": {"sales": sales}}

    return source


def test_instants_stay_instants_and_a_clock_s_time_what_it_showed(spark: SparkSession, database: Sql) -> None:
    settings = load(CONF, [f"source={yaml.safe_dump(_tills(database)())}", "cleaning.keys={}"])
    (found,) = canonical(spark, settings)
    assert (found.sold_on, found.known_from) == (date(2016, 12, 25), date(2016, 12, 25))
    (row,) = raw_of(spark, settings).select(F.unix_micros("sold_at"), F.col("shown").cast("string")).collect()
    assert row[0] == int(INSTANT.timestamp()) * 1_000_000 + 123456
    assert row[1] == "2016-12-25 21:00:00.123456"


IN_TOKYO = """
import sys

from pyspark.sql import functions as F

from shelfcast import config
from shelfcast.session import open_session
from shelfcast.sources import selected_tables

there = {"spark.driver.extraJavaOptions": "-Duser.timezone=Asia/Tokyo"}
spark = open_session("tokyo", {"spark.master": "local[1]", **there})
assert spark._jvm.java.util.TimeZone.getDefault().getID() == "Asia/Tokyo"
selected = selected_tables(spark, config.load(sys.argv[1], sys.argv[2:]))["sales"]
low = selected.resume(selected.rows())
for row in selected.rows(low).select(F.unix_micros("sold_at"), F.col("shown").cast("string")).collect():
    print(*row)
"""


@pytest.mark.slow
def test_the_clock_of_the_machine_is_no_matter(database: Sql) -> None:
    made = _tills(database)
    settings = ("cleaning.keys={}", f"source={yaml.safe_dump(made(watermark='sold_at', overlap=0))}")
    done = subprocess.run([sys.executable, "-c", IN_TOKYO, str(CONF), *settings], capture_output=True, text=True)
    assert done.stdout == f"{int(INSTANT.timestamp()) * 1_000_000 + 123456} 2016-12-25 21:00:00.123456\n", done.stderr


SKEWED = [*range(90), *range(10_000, 10_010), *([None] * 3)]


@pytest.mark.parametrize("column", ["id", "day"])
def test_slices_have_as_many_rows_each_however_skewed(spark: SparkSession, database: Sql, column: str) -> None:
    day = [date.fromordinal(720_000 + number) if number is not None else None for number in SKEWED]
    rows = ", ".join(
        f"(1, 'a', {_literal(on)}, 1, 1, {'null' if number is None else number})"
        for number, on in zip(SKEWED, day, strict=True)
    )
    database.run(f"{MAKE} insert into sales values {rows};")
    found = raw_of(spark, config(database, {"table": "sales", "partition_by": column, "partitions": 4}))
    per_task = [row["count"] for row in found.groupBy(F.spark_partition_id().alias("task")).count().collect()]
    assert sorted(per_task) == [25, 25, 25, 28]


def _literal(day: date | None) -> str:
    return "null" if day is None else f"'{day}'"


KINDS = ["day", "number", "price", "shown", "instant"]
EDGE = "2016-12-31 18:59:59.999999"


@pytest.mark.parametrize("watermark", KINDS)
def test_the_lake_and_the_database_agree_on_what_the_overlap_holds(
    spark: SparkSession, database: Sql, watermark: str
) -> None:
    """Whatever the watermark is, and however near to its edge a row lies."""
    of_mysql = database.settings["kind"] == "mysql"
    shown, instant = ("datetime(6)", "timestamp(6) null") if of_mysql else ("timestamp", "timestamptz")
    database.run(f"""
        drop table if exists marks;
        create table marks (id int, day date, number bigint, price decimal(12,4), shown {shown}, instant {instant});
        insert into marks values (1, '2016-12-30', 7, 7.0009, '{EDGE}', '{EDGE}'),
            (2, '2016-12-31', 8, 7.5, '2016-12-31 19:00', '2016-12-31 19:00'),
            (3, '2017-01-01', 9, 8.5, '2017-01-01 19:00', '2017-01-01 19:00'),
            (4, null, null, null, null, null);
    """)
    received = {"id": "int", "day": "date", "number": "bigint", "price": "decimal(12,4)", "shown": "timestamp_ntz"}
    columns = {"store_id": "id", "product_id": "id", "sold_on": "day", "source_quantity": "id", "revenue": "id"}
    settings = config(
        database, {"table": "marks", "watermark": watermark}, columns, received=received | {"instant": "timestamp"}
    )
    selected, whole = selected_tables(spark, settings)["sales"], raw_of(spark, settings).cache()
    low = selected.resume(whole)
    assert low is not None
    read_again = {row.id for row in selected.rows(low).collect()}
    assert read_again == {row.id for row in whole.where(low.reached_by(watermark)).collect()} == {2, 3, 4}


def test_what_changed_within_the_overlap_is_news(spark: SparkSession, postgresql: Sql) -> None:
    postgresql.run(f"{MAKE} insert into sales values (1, 'a', '2017-01-01', 1, 1, 1), (1, 'b', '2017-01-09', 1, 1, 9);")
    selected = selected_tables(spark, config(postgresql, {"table": "sales", "watermark": "day", "overlap": 2}))["sales"]
    told = [selected.fingerprint()]
    for change in (
        "update sales set takings = 2 where id = 1",
        "update sales set takings = 2 where id = 9",
        "insert into sales values (1, 'late', '2017-01-08', 1, 1, 8)",
    ):
        postgresql.run(f"{change};")
        told.append(selected.fingerprint())
    assert [one == other for one, other in pairwise(told)] == [True, False, False]


def test_a_query_is_a_table_too_and_its_rows_come_once(spark: SparkSession, database: Sql) -> None:
    rows = ", ".join(f"({number % 3}, 'a', '2017-01-01', 1, 1, {number})" for number in range(20))
    database.run(f"{MAKE} insert into sales values {rows};")
    query = "select store, article, day, pieces, takings, id as no from sales where store > 0"
    found = raw_of(spark, config(database, {"query": query, "partition_by": "no", "partitions": 7}))
    assert found.count() == 13
    assert found.groupBy("store").count().orderBy("store").collect() == [Row(store=1, count=7), Row(store=2, count=6)]


def test_all_rows_of_one_value_are_read_by_one_task(spark: SparkSession, postgresql: Sql) -> None:
    postgresql.run(f"{MAKE} insert into sales values (1, 'a', null, 1, 1, 5), (1, 'b', null, 1, 1, 5);")
    found = raw_of(spark, config(postgresql, {"table": "sales", "partition_by": "id"}))
    assert (found.count(), found.rdd.getNumPartitions()) == (2, 1)


def test_names_are_taken_as_they_are_spelt(spark: SparkSession, database: Sql) -> None:
    quote = "`" if database.settings["kind"] == "mysql" else '"'
    named = {"store": "Shop No", "article": "select", "day": "Day, of", "pieces": "group", "takings": "TAKINGS"}
    kinds = ("int", "varchar(9)", "date", "int", "double precision")
    columns = ", ".join(f"{quote}{name}{quote} {kind}" for name, kind in zip(named.values(), kinds, strict=True))
    database.run(f"""
        drop table if exists {quote}Order Lines{quote};
        create table {quote}Order Lines{quote} ({columns});
        insert into {quote}Order Lines{quote} values (3, 'b', '2017-01-02', 4, 5.5);
    """)
    received = dict(zip(named.values(), ("int", "string", "date", "int", "double"), strict=True))
    mapped = {canonical: named[column] for canonical, column in COLUMNS.items()}
    select = {"table": "Order Lines", "partition_by": "group", "partitions": 2}
    (found,) = canonical(spark, config(database, select, mapped, received=received))
    assert (found.store_id, found.product_id, found.sold_on, found.source_quantity) == ("3", "b", date(2017, 1, 2), 4.0)


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        pytest.param({"table": "sales; drop table sales"}, "a name of at most 128", id="a second statement"),
        pytest.param({"table": 'sales" where 1=1 --'}, "a name of at most 128", id="a quote that ends the name"),
        pytest.param({"table": "a.b.c.d"}, "schema.table", id="too many parts"),
        pytest.param(
            {"table": "sales", "partition_by": "id`"}, "a name of at most 128", id="a quote of the other kind"
        ),
        pytest.param({"table": "sales", "query": "select 1"}, "one of table and query", id="two bases"),
        pytest.param({"table": "sales", "watermark": "changed"}, "watermark changed", id="a watermark not received"),
    ],
)
def test_a_selection_that_names_no_table_is_refused_with_its_place(
    postgresql: Sql, select: dict[str, str], wanted: str
) -> None:
    with pytest.raises(ConfigError, match=rf"source\.tables\.sales.*{wanted}"):
        config(postgresql, select)


@pytest.mark.parametrize("host", ["db.example/x?user=a", "a b", "-h'", ""])
def test_a_host_is_a_host_and_nothing_beside_it(postgresql: Sql, host: str) -> None:
    with pytest.raises(ConfigError, match=r"source\.database\.host"):
        config(postgresql, {"table": "sales"}, host=host)


def test_what_is_not_there_is_named(spark: SparkSession, database: Sql) -> None:
    database.run(MAKE)
    with pytest.raises(SchemaError, match=r"source\.tables\.sales: no column colour; found .*takings"):
        raw_of(spark, config(database, {"table": "sales"}, received=RECEIVED | {"colour": "string"}))
    with pytest.raises(SourceError, match=r"database \w+ on 127.0.0.1: .*sails"):
        raw_of(spark, config(database, {"table": "sails"}))
    with pytest.raises(SchemaError, match="article is string; wanted a number, a date or a timestamp"):
        raw_of(spark, config(database, {"table": "sales", "partition_by": "article"}))
    with pytest.raises(SchemaError, match=r"pieces is decimal\(10,3\), wanted int"):
        raw_of(spark, config(database, {"table": "sales"}, received=RECEIVED | {"pieces": "int"}))


def test_nobody_reads_without_a_password(spark: SparkSession, postgresql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(postgresql, {"table": "sales"})
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong-canary")
    with pytest.raises(SourceError, match="password authentication failed") as refused:
        raw_of(spark, settings)
    assert "canary" not in str(refused.value)
    monkeypatch.delenv(PASSWORD_VARIABLE)
    with pytest.raises(ConfigError, match=f"environment variable {PASSWORD_VARIABLE} is not set"):
        raw_of(spark, settings)


def test_no_plan_tells_the_password(spark: SparkSession, database: Sql) -> None:
    database.run(MAKE)
    settings = config(database, {"table": "sales", "partition_by": "id"})
    found = raw_of(spark, settings)
    told = [found._jdf.queryExecution().toString(), found._jdf.queryExecution().logical().toJSON()]
    told += [json.dumps(settings.model_dump(mode="json")), str(spark.sparkContext.getConf().getAll())]
    assert all(PASSWORD not in text for text in told)


SECURED: Sequence[tuple[str, str]] = [
    ("verify-full", "localhost"),
    ("verify-ca", "127.0.0.1"),
    ("require", "127.0.0.1"),
]


@pytest.mark.parametrize(("mode", "host"), SECURED)
def test_the_connection_is_closed_to_others(spark: SparkSession, database: Sql, mode: str, host: str) -> None:
    tls = {"mode": mode} | ({} if mode == "require" else {"root_certificate": database.settings["certificate"]})
    cipher = {
        "postgresql": "select cipher as article from pg_stat_ssl where pid = pg_backend_pid()",
        "mysql": "select variable_value as article from information_schema.session_status "
        "where variable_name = 'ssl_cipher'",
    }[str(database.settings["kind"])]
    query = f"select 1 as store, article, cast(null as date) as day, 1 as pieces, 1.5 as takings from ({cipher}) told"
    received = {"store": "int", "article": "string", "day": "date"}
    columns = COLUMNS | {"source_quantity": "store", "revenue": "store"}
    settings = config(database, {"query": query}, columns, received=received, tls=tls, host=host)
    (found,) = selected_tables(spark, settings)["sales"].rows().collect()
    assert found.article.startswith(("TLS_", "ECDHE"))


def test_a_stranger_is_not_taken_for_the_database(spark: SparkSession, database: Sql) -> None:
    with stranger() as authority:
        settings = config(database, {"table": "sales"}, tls={"mode": "verify-full", "root_certificate": str(authority)})
        with pytest.raises(SourceError, match=r"certificat|trust anchors"):
            raw_of(spark, settings)
