"""Whom a lake is to forget: the rows that name a person deleted, and every file read for what is left.

A person is known by the keyed hash that stands in the lake. It goes into no statement: what a statement
says, Delta's log keeps.
"""

import hashlib
from collections.abc import Iterator
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shelfcast import schemas, upkeep
from shelfcast.config import Config
from shelfcast.lake import Lake
from shelfcast.sources import open_source
from shelfcast.sources.ledger import BEGUN, begun_anew
from shelfcast.table import Table

ERASURES = Table(
    "monitoring/erasures",
    # person: a hash of the hash, which says that an erasure was of somebody to those alone who know the key and whom.
    # deleted: rows of each table. files: that were read afterwards and hold nothing of the person.
    "region string, erased_at timestamp, person string, deleted map<string,bigint>, files bigint",
    key=("region", "person", "erased_at"),
)
_LAYERS = ("raw/", "clean/")
_SALES = schemas.SALES.name
_BASKET = ("store_id", "sold_on", "basket_id")
# Of a text Delta's log keeps so much at most, the least and the greatest of a file.
_IN_LOG = 32


def digest(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()


def delete_person(lake: Lake, config: Config, person: str) -> dict[str, int]:
    """Delete the rows of clean/sales that are of the person's baskets, then each row of raw and clean tables that
    names the person anywhere. Returns how many of each table.

    Of a run that was killed the raw rows are there still, by which the next one finds the baskets. What raw tables hold
    is not what their deliveries brought any more: the next ones are counted with all rows anew.
    """
    region = config.region
    named = lake.spark.createDataFrame([(person,)], "_person string")
    deleted = {_SALES: _delete_baskets(lake, config, named)}
    tables = [name for name in upkeep.table_names(lake) if name.startswith(_LAYERS)]
    for name in sorted(tables, key=lambda name: name.startswith("raw/")):
        holds = _sql_holds(_columns(lake, name))
        if holds:
            deleted[name] = deleted.get(name, 0) + _delete(lake, name, region, named, f"({holds})")
    return {name: rows for name, rows in deleted.items() if rows}


def _delete_baskets(lake: Lake, config: Config, named: DataFrame) -> int:
    """A basket is of one person, whom its rows in clean/sales do not name. A source without baskets has none. Tills
    number theirs by store and day."""
    source = open_source(config)
    if not lake.exists(source.raw["sales"]) or not lake.exists(schemas.SALES):
        return 0
    raw = lake.read(source.raw["sales"], config.region)
    received = raw.join(F.broadcast(named), _holds(raw, F.col("_person")), how="semi")
    canonical = source.canonical("sales", received)
    if "basket_id" not in canonical.columns:
        return 0
    baskets = canonical.select(*_BASKET).where("basket_id is not null").distinct()
    condition = " and ".join(f"kept.{name} = gone.{name}" for name in _BASKET)
    return _delete(lake, _SALES, config.region, baskets, condition)


def _delete(lake: Lake, name: str, region: str, gone: DataFrame, condition: str) -> int:
    """Delete the region's rows for which the condition holds. The commit tells what the region's last one does: whether
    its job is up to date is read from that. One of no region would be one of every other's."""
    last = lake.last_commit(Table(name, "", key=()), {"region": region})
    if last is None and not lake.names(f"{name}/region={region}"):
        return 0
    note = {"scope": {"region": region}, **(last.note if last else {})}
    if name.startswith("raw/"):
        note[BEGUN] = begun_anew(note.get(BEGUN, ""))
    return upkeep.delete_matching(lake, name, gone, f"kept.region = '{region}' and {condition}", note)


def files_that_name(lake: Lake, region: str, person: str) -> dict[str, tuple[int, int]]:
    """Of each table: how many of the region's data files, of whatever version, and of its log's files there are, and
    how many of them name the person."""
    read = [frame for name in upkeep.table_names(lake) for frame in _read(lake, name, region, person)]
    counts = reduce(DataFrame.union, read).groupBy("name").agg(
        F.count_distinct("file"), F.count_distinct(F.when(F.col("holds"), F.col("file")))
    )  # fmt: skip
    return {name: (files, found) for name, files, found in counts.collect()}


def pages_that_name(lake: Lake, person: str) -> list[str]:
    """The reports in which the person stands: they show rows that were refused."""
    pages = lake.paths("reports/*/index.html")
    return [page for page in pages if person in lake.read_text(page)]


def _read(lake: Lake, name: str, region: str, person: str) -> Iterator[DataFrame]:
    """Rows of name, file and whether it holds the person: of the table's log, and of all data files of the region,
    those too that no version names."""
    log = lake.spark.read.text(f"{lake.path(name)}/_delta_log/*.json")
    yield _judged(log, name, F.contains("value", F.lit(person[:_IN_LOG])))
    if lake.names(f"{name}/region={region}"):
        # Columns that a table has had are not taken away: each file's are among those of now.
        schema = T.StructType([field for field in _columns(lake, name) if field.name != "region"])
        reader = lake.spark.read.option("recursiveFileLookup", True).option("pathGlobFilter", "*.parquet")
        data = reader.schema(schema).parquet(f"{lake.path(name)}/region={region}")
        yield _judged(data, name, _holds(data, F.lit(person)))


def _judged(rows: DataFrame, name: str, holds: Column) -> DataFrame:
    return rows.select(F.lit(name).alias("name"), F.input_file_name().alias("file"), holds.alias("holds"))


def _columns(lake: Lake, name: str) -> list[T.StructField]:
    return list(lake.spark.read.format("delta").load(lake.path(name)).schema)


def _holds(frame: DataFrame, person: Column) -> Column:
    """Whether any text of a row, of its lists and maps too, names the person."""
    fields = [field for field in frame.schema if field.name != "region" and _is_text(field.dataType)]
    return reduce(
        or_, [F.coalesce(F.contains(_as_text(field), person), F.lit(False)) for field in fields], F.lit(False)
    )


def _sql_holds(fields: list[T.StructField]) -> str:
    """As _holds, of a row `kept` and a person `gone._person`; "" where the row has no text."""
    texts = [field for field in fields if field.name != "region" and _is_text(field.dataType)]
    return " or ".join(f"ifnull(contains({_sql_text(field)}, gone._person), false)" for field in texts)


def _is_text(kind: T.DataType) -> bool:
    return isinstance(kind, T.StringType | T.ArrayType | T.MapType | T.StructType)


def _as_text(field: T.StructField) -> Column:
    column = F.col(_quoted(field.name))
    return column if isinstance(field.dataType, T.StringType) else F.to_json(column)


def _sql_text(field: T.StructField) -> str:
    column = f"kept.{_quoted(field.name)}"
    return column if isinstance(field.dataType, T.StringType) else f"to_json({column})"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
