"""What is done to a lake's tables beside the jobs, by Delta's SQL: their files rearranged, old versions let go, checks
renewed, rows deleted."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from pyspark.sql import DataFrame

from shelfcast.commits import TOLD, as_commit
from shelfcast.folder import Folder
from shelfcast.lake import Lake
from shelfcast.lease import EVERY_REGION, Lease
from shelfcast.properties import REMEMBERED
from shelfcast.session import settings
from shelfcast.table import Table
from shelfcast.turns import TURNS, turn

_VACUUM = {
    # Below a week Delta asks for this: what is younger than it is kept is checked by `hours_to_keep`.
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.databricks.delta.vacuum.parallelDelete.enabled": "true",
}
_LISTING = "spark.sql.sources.parallelPartitionDiscovery.parallelism"
_VIEW = "_gone"
_CONSTRAINT = "delta.constraints."


def table_names(lake: Folder) -> list[str]:
    """Every table of the lake, by name."""
    return [path.removesuffix("/_delta_log") for path in lake.paths("*/*/_delta_log")]


@contextmanager
def every_region(lake: Lake, *further: str) -> Iterator[None]:
    """The leases of all regions of the lake, and of those that begin meanwhile. Raises TransientError where a run is at
    work on one of them."""
    with ExitStack() as held:
        held.enter_context(Lease(lake, EVERY_REGION, "all regions"))
        # A region that is made just now has a lease before it has rows.
        begun = {*lake.names("_leases/*")} - {EVERY_REGION, TURNS}
        for region in sorted({*lake.regions(), *begun, *further}):
            held.enter_context(Lease(lake, region))
        yield


def newest_version(lake: Folder, table: str) -> int:
    """The version of the table now."""
    return int(Path(_log(lake, table)[-1]).stem)


def optimize(lake: Lake, table: str, region: str) -> None:
    """Make few files of a region's many. No row changes."""
    with turn(lake, table):
        lake.spark.sql(f"OPTIMIZE {_sql_name(lake, table)} WHERE region = '{region}'")


def vacuum(lake: Lake, table: str, hours: int) -> None:
    """Remove the files that no version of the last `hours` needs, and those that killed runs have left for as long."""
    # In S3, where writers take turns, Delta commits nothing of this: nobody waits until the files are removed.
    # Spark would list any folder in ten thousand tasks.
    tasks = {_LISTING: str(lake.spark.conf.get("spark.sql.shuffle.partitions"))}
    with settings(lake.spark, _VACUUM | tasks):
        lake.spark.sql(f"VACUUM {_sql_name(lake, table)} RETAIN {hours} HOURS")


def remember(lake: Lake, table: str) -> None:
    """Let a table that was made before remember what it lets go for as long as new ones do."""
    told = ", ".join(f"'{name}' = '{value}'" for name, value in REMEMBERED.items())
    _alter(lake, table, f"SET TBLPROPERTIES ({told})")


def hours_to_keep(lake: Folder, table: str, named: int | None, days: int, now: datetime | None = None) -> int:
    """How long a table's files are kept: `days`, and longer where the version `named` was replaced before that."""
    hours = 24 * days
    if named is None or named >= newest_version(lake, table):
        return hours
    age = (now or datetime.now(UTC)) - _made_at(lake, table, named + 1)
    return max(hours, ceil(age / timedelta(hours=1)) + 1)


def delete_matching(lake: Lake, table: str, gone: DataFrame, condition: str, note: Mapping[str, object]) -> int:
    """Delete the rows `kept` for which the condition holds with a row of `gone`, from the files too in which they would
    only be marked. Returns how many. note: what the commit tells."""
    gone.createOrReplaceTempView(_VIEW)
    with turn(lake, table), settings(lake.spark, {TOLD: json.dumps(note, sort_keys=True)}):
        row = lake.spark.sql(
            f"MERGE INTO {_sql_name(lake, table)} kept USING {_VIEW} gone ON {condition} WHEN MATCHED THEN DELETE"
        ).first()
        lake.spark.sql(f"REORG TABLE {_sql_name(lake, table)} APPLY (PURGE)")
    lake.spark.catalog.dropTempView(_VIEW)
    return int(row["num_deleted_rows"]) if row else 0


def add_columns(lake: Lake, table: Table) -> None:
    """Give a table that was made before the columns that it has gained; its rows are null in them."""
    if not lake.exists(table):
        return
    held = lake.spark.read.format("delta").load(lake.path(table)).columns
    gained = [f"{field.name} {field.dataType.simpleString()}" for field in table.schema if field.name not in held]
    if gained:
        _alter(lake, table.name, f"ADD COLUMNS ({', '.join(gained)})")


def fill(lake: Lake, table: Table, column: str, value: str) -> None:
    """Give rows of before, which have nothing in a column, its value; they stay those of the run that wrote them.
    value: an SQL expression."""
    if not lake.exists(table):
        return
    for region in lake.regions():
        last = lake.last_commit(table, {"region": region})
        if last:
            told = {TOLD: json.dumps(last.note, sort_keys=True)}
            with turn(lake, table.name), settings(lake.spark, told):
                lake.spark.sql(
                    f"UPDATE {_sql_name(lake, table.name)} SET {column} = {value} "
                    f"WHERE region = '{region}' AND {column} IS NULL"
                )


def renew_checks(lake: Lake, table: Table) -> None:
    """Give a table that was made before the checks that it is declared with."""
    if not lake.exists(table):
        return
    row = lake.spark.sql(f"DESCRIBE DETAIL {_sql_name(lake, table.name)}").select("properties").first()
    found = {key.removeprefix(_CONSTRAINT): check for key, check in (row[0] if row else {}).items() if
             key.startswith(_CONSTRAINT)}  # fmt: skip
    for check in found:
        if found[check] != table.checks.get(check):
            _alter(lake, table.name, f"DROP CONSTRAINT {check}")
    for check, condition in table.checks.items():
        if found.get(check) != condition:
            _alter(lake, table.name, f"ADD CONSTRAINT {check} CHECK ({condition})")


def _alter(lake: Lake, table: str, change: str) -> None:
    with turn(lake, table):
        lake.spark.sql(f"ALTER TABLE {_sql_name(lake, table)} {change}")


def _sql_name(lake: Folder, table: str) -> str:
    path = f"{lake.root}/{table}".replace("`", "``")
    return f"delta.`{path}`"


def _log(lake: Folder, table: str) -> list[str]:
    return lake.names(f"{table}/_delta_log/[0-9]*.json")


def _made_at(lake: Folder, table: str, version: int) -> datetime:
    return as_commit(version, lake.read_text(f"{table}/_delta_log/{version:020}.json")).made_at
