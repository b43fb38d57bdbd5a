"""What is published: readers open a region's tables together, each at the version that its newest publication names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from shelfcast.errors import LakeError
from shelfcast.lake import Lake
from shelfcast.schemas import PUBLICATIONS
from shelfcast.table import Table
from shelfcast.upkeep import newest_version

DAY_RUNS = Table(
    "monitoring/day_runs",
    # A row for each time that a daily run or a backfill made a day, or failed: error null where it was published.
    "region string, forecast_date date, started_at timestamp, seconds double, error string",
    key=("region", "forecast_date", "started_at"),
)
# Less than this lies between no two moments that a table can tell apart.
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Publication:
    """A row of monitoring/publications. published_at: in UTC. tables: name -> version."""

    region: str
    forecast_date: date
    run_id: str
    published_at: datetime
    tables: Mapping[str, int]

    def age(self, day: date) -> int:
        """How many days before `day` its forecast was made: more than 0 where that of the day is late."""
        return (day - self.forecast_date).days

    def read(self, lake: Lake, table: Table) -> DataFrame:
        """The table's rows as published. Raises LakeError where the publication has no such table."""
        if table.name not in self.tables:
            raise LakeError(
                f"table {table.name}: not in the publication of {self.forecast_date} of region {self.region}; "
                f"wanted one of {', '.join(sorted(self.tables))}"
            )
        rows = lake.read(table, self.region, self.tables[table.name])
        return rows.where(F.col("forecast_date") == F.lit(self.forecast_date)) if table.is_by_date else rows


def newest(lake: Lake, region: str) -> Publication | None:
    """The region's newest publication, of the newest day and of those of one day the last; None where there is none.

    An old day that is published again does not take a newer one's place.
    """
    if not lake.exists(PUBLICATIONS):
        return None
    rows = lake.read(PUBLICATIONS, region).orderBy(F.desc("forecast_date"), F.desc("published_at"), "run_id")
    row = rows.first()
    return None if row is None else _as_publication(row)


def is_past(lake: Lake, region: str, day: date) -> bool:
    """Whether a newer day than `day` is published."""
    published = newest(lake, region)
    return published is not None and published.forecast_date > day


def publish_again(lake: Lake, region: str, names: Collection[str]) -> None:
    """Publish the region's newest run once more, with the versions of now of those of the tables that no run has
    written since it was published; nothing happens where it published none of them. Under the region's lease."""
    published = newest(lake, region)
    if published is None:
        return
    scope = {"region": region, "forecast_date": str(published.forecast_date)}
    tables = dict(published.tables)
    for name in tables.keys() & {*names}:
        then, now = (lake.last_commit(Table(name, "", key=()), scope, until) for until in (tables[name], None))
        if then and now and then.run_key == now.run_key:
            tables[name] = newest_version(lake, name)
    if tables == published.tables:
        return
    # What the last commit tells, this one does: whether the day's jobs are up to date is read from it.
    last = lake.last_commit(PUBLICATIONS, {"region": region})
    row = (region, published.forecast_date, published.run_id, moment(lake, region, published.forecast_date), tables)
    lake.append(PUBLICATIONS, lake.spark.createDataFrame([row], PUBLICATIONS.schema), last.note if last else None)


def published_in(lake: Lake, region: str, day: date) -> list[Publication]:
    """The publications of a day, oldest first: one, and another for each time that it was published again."""
    if not lake.exists(PUBLICATIONS):
        return []
    rows = lake.read(PUBLICATIONS, region).where(F.col("forecast_date") == F.lit(day)).orderBy("published_at")
    return [_as_publication(row) for row in rows.collect()]


def moment(lake: Lake, region: str, day: date) -> datetime:
    """When what is published of the day now is published: now, or after what was published of it by a clock that was
    ahead of this one, which it is to take the place of."""
    before = [each.published_at.replace(tzinfo=UTC) + _TICK for each in published_in(lake, region, day)]
    return max([datetime.now(UTC), *before])


def failures(lake: Lake, region: str) -> dict[date, str]:
    """The days whose last try failed, and why."""
    if not lake.exists(DAY_RUNS):
        return {}
    last = F.max_by(F.coalesce("error", F.lit("")), "started_at").alias("error")
    rows = lake.read(DAY_RUNS, region).groupBy("forecast_date").agg(last).where("error != ''")
    return {row["forecast_date"]: row["error"] for row in rows.toLocalIterator()}


def published_days(lake: Lake, region: str) -> set[date]:
    """The days of which there is a publication."""
    if not lake.exists(PUBLICATIONS):
        return set()
    days = lake.read(PUBLICATIONS, region).select("forecast_date").distinct()
    return {row["forecast_date"] for row in days.toLocalIterator()}


def _as_publication(row: Row) -> Publication:
    # Spark gives a moment as the clock of this machine's zone shows it.
    at = row["published_at"].astimezone(UTC).replace(tzinfo=None)
    return Publication(row["region"], row["forecast_date"], row["run_id"], at, row["tables"])
