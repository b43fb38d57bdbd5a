"""every table -> the same rows in fewer files, without the versions that nobody may ask for; monitoring/publications"""

from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from shelfcast import publications, upkeep
from shelfcast.lake import Lake
from shelfcast.lake_version import require_current, require_there
from shelfcast.logs import say
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS

# Their jobs lay them out for their readers, a file for so many rows or for neighbouring stores and products: put
# together, each reader would open more than it asks for. The others are read whole, a region at a time, so that no
# order of rows saves anything.
LAID_OUT = {
    *("features/windows", "features/tuning_windows", "features/transfer_windows"),
    *("forecasts/demand", "inventory/policies"),
}


def maintain(runner: Runner) -> None:
    """Under the region's lease: what killed runs have staged goes, small files are put together, the newest publication
    is published again with the versions of now, and files go that no publication of the last days names.

    Raises TransientError where a run is at work on the region, LakeError where there is no lake.
    """
    lake, region = runner.lake, runner.config.region
    require_there(lake)
    with runner.lease:
        require_current(lake)
        lake.remove(f"_staging/{region}")
        optimized = [table for table in upkeep.table_names(lake) if _optimize(lake, table, region)]
        publications.publish_again(lake, region, optimized)
        say(f"maintain: {len(optimized)} tables of region {region} in fewer files")
        _vacuum(lake, runner.config.maintenance.keep_days)


def _optimize(lake: Lake, table: str, region: str) -> bool:
    """Whether files were put together."""
    if table in LAID_OUT or not lake.names(f"{table}/region={region}"):
        return False
    before = upkeep.newest_version(lake, table)
    upkeep.optimize(lake, table, region)
    return upkeep.newest_version(lake, table) > before


def _vacuum(lake: Lake, days: int) -> None:
    named = _named(lake, datetime.now(UTC) - timedelta(days=days))
    for table in upkeep.table_names(lake):
        hours = upkeep.hours_to_keep(lake, table, named.get(table), days)
        upkeep.vacuum(lake, table, hours)
        if hours > 24 * days:
            say(f"maintain: {table} keeps {hours // 24} days, for version {named[table]} is published")


def _named(lake: Lake, since: datetime) -> dict[str, int]:
    """The oldest version of each table that a publication since then names, or the newest one of a region."""
    oldest: dict[str, int] = {}
    if not lake.exists(PUBLICATIONS):
        return oldest
    for region in lake.regions():
        rows = lake.read(PUBLICATIONS, region).where(F.col("published_at") >= F.lit(since))
        named = rows.select(F.explode("tables").alias("name", "version")).groupBy("name").agg(F.min("version"))
        newest = publications.newest(lake, region)
        for name, version in [*named.collect(), *(newest.tables.items() if newest else ())]:
            oldest[name] = min(version, oldest.get(name, version))
    return oldest
