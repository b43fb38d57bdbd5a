"""A job: the tables it reads and writes, the settings it depends on, and the run that skips what is up to date.

The run key is hash(job, region, as-of, settings, code version, run keys of the inputs). Because an input is known by
the run that wrote it, and not by its table's version, another region's commits leave a region's keys as they are.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.code import code_version
from shelfcast.config import Config
from shelfcast.errors import LakeError
from shelfcast.lake import Commit, Lake
from shelfcast.lease import Lease
from shelfcast.session import named_in_spark
from shelfcast.table import Table


@dataclass(frozen=True)
class Job:
    """What a job reads and writes, and the sections of the configuration that its result depends on.

    dated: the result depends on the as-of date. optional: tables that it reads where they are there.
    stamp: what else identifies the inputs, such as a source's files. present: whether what it makes beside tables is
    there.
    """

    name: str
    reads: tuple[Table, ...]
    writes: tuple[Table, ...]
    settings: tuple[str, ...]
    run: Callable[["Run"], None]
    dated: bool = True
    optional: tuple[Table, ...] = ()
    stamp: Callable[["Run"], str] | None = None
    present: Callable[["Run"], bool] | None = None

    @property
    def code(self) -> str:
        """The version of the code that the job runs."""
        return code_version(self.run.__module__)


@dataclass
class Run:
    """One run of a job on one region: the way to its tables."""

    job: Job
    spark: SparkSession
    config: Config
    lake: Lake
    as_of: date | None
    key: str = ""
    reads: dict[str, int] = field(default_factory=dict)
    written: dict[str, Commit] = field(default_factory=dict)

    @property
    def known_on(self) -> date:
        """The as-of date of a dated job."""
        if self.as_of is None:
            raise LakeError(f"job {self.job.name}: no as-of date; wanted one given, or sales in the lake")
        return self.as_of

    def read(self, table: Table) -> DataFrame:
        """The region's rows of `table`, of a table kept by date those of the as-of date.

        Raises LakeError for a table that the job has not declared: its run key would not know of it.
        """
        if table not in (*self.job.reads, *self.job.writes):
            raise LakeError(f"job {self.job.name}: reads {table.name}, which it does not declare")
        return self._rows(table)

    def find(self, table: Table) -> DataFrame | None:
        """As `read`, of an optional input; None where it was not there when the job started."""
        if table not in self.job.optional:
            return self.read(table)
        return self._rows(table) if table.name in self.reads else None

    def _rows(self, table: Table) -> DataFrame:
        frame = self.lake.read(table, self.config.region)
        return frame.where(F.col("forecast_date") == F.lit(self.as_of)) if table.is_by_date else frame

    def write(self, table: Table, frame: DataFrame) -> None:
        """Replace what the table holds of this region (and as-of date), in one commit."""
        self.written[table.name] = self.lake.replace(table, frame, self.scope(table), self.note)

    def stage(self, name: str, frame: DataFrame) -> DataFrame:
        """The frame computed once and read back: for what several steps of a job need and no memory can hold."""
        path = self.lake.path(f"{self.staging}/{name}")
        frame.write.mode("overwrite").parquet(path)
        return self.spark.read.schema(frame.schema).parquet(path)

    @property
    def staging(self) -> str:
        """Where the run puts what it needs for itself; gone when it ends."""
        return f"_staging/{self.config.region}/{self.key}"

    def append_once(self, table: Table, frame: DataFrame) -> None:
        """Append rows but once, however often the run is done, until another run has appended its own."""
        self.lake.append_once(table, frame, self.scope(table), self.note)

    @property
    def note(self) -> dict[str, object]:
        """What each commit of the run says of where it comes from."""
        return {"run_key": self.key, "job": self.job.name, "reads": self.reads, "code_version": self.job.code}

    def dated(self, frame: DataFrame) -> DataFrame:
        """The frame with the region and the as-of date before its columns."""
        region = F.lit(self.config.region).alias("region")
        return frame.select(region, F.lit(self.known_on).alias("forecast_date"), "*")

    def scope(self, table: Table) -> dict[str, str]:
        dated = {"forecast_date": str(self.as_of)} if table.is_by_date else {}
        return {"region": self.config.region, **dated}

    def say(self, message: str) -> None:
        """Progress, on stderr."""
        say(f"  {self.job.name}: {message}")


class Runner:
    """Runs jobs of one region in one Spark session."""

    def __init__(self, spark: SparkSession, config: Config, as_of: date | None = None) -> None:
        self.spark = spark
        self.config = config
        self.lake = Lake(spark, config.lake_root)
        self.lease = Lease(self.lake, config.region)
        self._given_as_of = as_of or config.as_of
        self._newest: tuple[str, date | None] = ("", None)

    def run(self, job: Job) -> bool:
        """Run `job` unless its tables are up to date; True where it ran.

        Raises TransientError where another run is at work on the region.
        """
        with self.lease:
            run = Run(job, self.spark, self.config, self.lake, self._as_of() if job.dated else None)
            run.key, run.reads = self._identify(run)
            if self._is_up_to_date(run):
                say(f"{job.name}: up to date")
                return False
            self._carry_out(run)
            return True

    def _carry_out(self, run: Run) -> None:
        name = run.job.name
        say(f"{name}: started")
        started = datetime.now(UTC).replace(tzinfo=None)
        with named_in_spark(self.spark, name):
            run.job.run(run)
        # Under the lease: what else the region has there is of runs that were killed.
        self.lake.remove(f"_staging/{run.config.region}")
        seconds = (datetime.now(UTC).replace(tzinfo=None) - started).total_seconds()
        self._record(run, started, seconds)
        rows = ", ".join(f"{table} {commit.rows:,}" for table, commit in run.written.items())
        say(f"{name}: done in {seconds:.1f} s ({rows})")

    def _is_up_to_date(self, run: Run) -> bool:
        is_there = run.job.present is None or run.job.present(run)
        commits = [self.lake.last_commit(table, run.scope(table)) for table in run.job.writes]
        return is_there and all(commit and commit.run_key == run.key for commit in commits)

    def _identify(self, run: Run) -> tuple[str, dict[str, int]]:
        inputs = self._inputs(run)
        identity = {
            "job": run.job.name,
            "region": run.config.region,
            "as_of": str(run.as_of),
            "settings": run.config.model_dump(mode="json", include=set(run.job.settings)),
            "code": run.job.code,
            "inputs": {name: commit.run_key for name, commit in inputs.items()},
            "stamp": run.job.stamp(run) if run.job.stamp else "",
        }
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
        return key, {name: commit.version for name, commit in inputs.items()}

    def _inputs(self, run: Run) -> dict[str, Commit]:
        """The last commit of each input. Raises LakeError where one is missing, or two do not belong together."""
        required = {table.name: self._require(run, table) for table in run.job.reads}
        if torn := _torn(required):
            raise LakeError(f"job {run.job.name}: {torn}; wanted both of one run, which was interrupted")
        found = {table.name: self.lake.last_commit(table, run.scope(table)) for table in run.job.optional}
        optional = {name: commit for name, commit in found.items() if commit}
        return required if _torn(optional) else required | optional

    def _require(self, run: Run, table: Table) -> Commit:
        commit = self.lake.last_commit(table, run.scope(table))
        if commit:
            return commit
        region = run.config.region
        if self.lake.exists(table) and not run.read(table).isEmpty():
            raise LakeError(f"job {run.job.name}: table {table.name} has rows of region {region}, but its log no "
                            f"longer tells which run wrote them; wanted the job that writes it run again")  # fmt: skip
        raise LakeError(f"job {run.job.name}: table {table.name} has no rows of region {region}; "
                        f"wanted it written by an earlier job")  # fmt: skip

    def _as_of(self) -> date | None:
        """The date given, else the newest day on which anything became known."""
        if self._given_as_of or not self.lake.exists(schemas.SALES):
            return self._given_as_of
        scope = {"region": self.config.region}
        commit = self.lake.last_commit(schemas.SALES, scope)
        key = commit.run_key if commit else ""
        if key != self._newest[0]:
            newest = self.lake.read(schemas.SALES, self.config.region).agg(F.max("known_from")).first()
            self._newest = (key, newest[0] if newest else None)
        return self._newest[1]

    def _record(self, run: Run, started: datetime, seconds: float) -> None:
        row: tuple[object, ...] = (
            run.config.region,
            run.key,
            run.job.name,
            run.as_of,
            started,
            seconds,
            run.job.code,
            run.reads,
            {name: commit.version for name, commit in run.written.items()},
            {name: commit.rows for name, commit in run.written.items()},
        )
        frame = self.spark.createDataFrame([row], schemas.JOB_RUNS.schema)
        self.lake.append(schemas.JOB_RUNS, frame)


def _torn(commits: Mapping[str, Commit]) -> str:
    """Names two tables of one job that different runs of it wrote, the later killed between them; else ""."""
    first: dict[str, str] = {}
    for name, commit in commits.items():
        job = str(commit.note.get("job", name))
        other = first.setdefault(job, name)
        if commits[other].run_key != commit.run_key:
            return f"{other} is of run {commits[other].run_key} of job {job}, {name} of run {commit.run_key}"
    return ""


def say(message: str) -> None:
    """One line of progress on stderr."""
    print(f"{datetime.now():%H:%M:%S} {message}", file=sys.stderr, flush=True)
