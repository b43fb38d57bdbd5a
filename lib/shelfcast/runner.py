"""Runs jobs of one region, each unless its tables are up to date, and records what each run did.

The run key is hash(job, region, as-of, settings, code version, run keys of the inputs). Because an input is known by
the run that wrote it, and not by its table's version, another region's commits leave a region's keys as they are.
"""

import copy
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast import logs, schemas
from shelfcast.cleaning.account import DELIVERIES
from shelfcast.commits import Commit
from shelfcast.config import Config
from shelfcast.errors import ConfigError, LakeError
from shelfcast.failures import naming_what_is_away
from shelfcast.job import Job, Run
from shelfcast.lake import Lake
from shelfcast.lake_version import require_current
from shelfcast.lease import Lease
from shelfcast.logs import say
from shelfcast.session import named_in_spark
from shelfcast.table import Table
from shelfcast.writers import OF_A_DAY, WRITERS, writer_of


def require_come(config: Config, day: date, what: str) -> None:
    """Raise ConfigError where the day is yet to come where the stores are: what is published of it would be the newest
    until then. `source.time_zone` may be none that was thought of: a day too early is none."""
    today = config.source.now.date()
    if day > today + timedelta(days=1):
        raise ConfigError(f"{what}: found {day}, which is yet to come; wanted {today} or before")


class Runner:
    """Runs jobs of one region in one Spark session."""

    def __init__(self, spark: SparkSession, config: Config, as_of: date | None = None) -> None:
        """Raises ConfigError where the as-of date that is given is yet to come."""
        self.spark = spark
        self.config = config
        self.lake = Lake(spark, config.lake_root)
        self.lease = Lease(self.lake, config.region)
        self._given_as_of = as_of or config.as_of
        if self._given_as_of:
            require_come(config, self._given_as_of, "as-of date")
        self._trained_on: date | None = None
        self._newest: tuple[str, date | None] = ("", None)

    def run(self, job: Job) -> bool:
        """Run `job` unless its tables are up to date; True where it ran.

        Raises TransientError where another run is at work on the region, or a place that it needs is away, LakeError
        where the lake is of another version than the code.
        """
        with naming_what_is_away(), self.lease:
            require_current(self.lake)
            run = self._prepare(job)
            run.key, run.reads = self._identify(run)
            with logs.about(region=self.config.region, job=job.name, run_id=run.key, as_of=str(run.as_of)):
                if self._is_up_to_date(run):
                    say(f"{job.name}: up to date")
                    return False
                self._carry_out(run)
                return True

    def on(self, day: date, trained_on: date | None = None) -> "Runner":
        """The same runner, under the same lease, for another as-of date.

        trained_on: the last day that the models of that date knew when they were backtested.
        """
        other = copy.copy(self)
        other._given_as_of, other._trained_on = day, trained_on
        return other

    @property
    def as_of(self) -> date | None:
        """The as-of date: the one given, else the newest day on which sales became known, slips of the keys aside."""
        return self._as_of()

    def stands(self, job: Job, but: Collection[Table] = ()) -> bool:
        """Whether the job's tables, `but` for some, are those of this as-of date, its settings and its code, whatever
        has become of its inputs since."""
        run = self._prepare(job)
        commits = [self.lake.last_commit(table, run.scope(table)) for table in job.writes if table not in but]
        return all(commit and commit.note.get("made_for") == run.made_for for commit in commits)

    def _prepare(self, job: Job) -> Run:
        run = Run(job, self.spark, self.config, self.lake, self._as_of() if job.dated else None)
        run.trained_on = self._trained_on if job.is_planned else None
        run.made_for = _digest(_identity(run))
        return run

    def _carry_out(self, run: Run) -> None:
        name = run.job.name
        say(f"{name}: started")
        started = datetime.now(UTC)
        try:
            with named_in_spark(self.spark, name):
                run.job.run(run)
        finally:
            # The source's files as they came, persons among them: they do not wait for the next run to end well.
            self.lake.remove(run.inbox)
        # Under the lease: what else the region has there is of runs that were killed.
        self.lake.remove(f"_staging/{run.config.region}")
        seconds = (datetime.now(UTC) - started).total_seconds()
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
            **_identity(run),
            "inputs": {name: commit.run_key for name, commit in inputs.items()},
            "stamp": run.job.stamp(run) if run.job.stamp else "",
        }
        return _digest(identity), {name: commit.version for name, commit in inputs.items()}

    def _inputs(self, run: Run) -> dict[str, Commit]:
        """The last commit of each input. Raises LakeError where one is missing, or two do not belong together."""
        required = {table.name: self._require(run, table) for table in run.job.reads}
        if torn := _torn(required):
            raise LakeError(f"job {run.job.name}: {torn}; wanted both of one run, which was interrupted")
        for name, day in _of_another_day(required, run.as_of).items():
            told = f"job {run.job.name}: table {name} is that of {day}"
            raise LakeError(f"{told}; wanted that of {run.as_of}, made by the jobs before it")
        found = {table.name: self.lake.last_commit(table, run.scope(table)) for table in run.job.optional}
        there = {name: commit for name, commit in found.items() if commit}
        for name, day in _of_another_day(there, run.as_of).items():
            say(f"{run.job.name}: table {name} is that of {day}, and is left out")
            del there[name]
        return required | _whole(there)

    def _require(self, run: Run, table: Table) -> Commit:
        commit = self.lake.last_commit(table, run.scope(table))
        if commit:
            return commit
        region = run.config.region
        if self.lake.exists(table) and not run.read(table).isEmpty():
            raise LakeError(f"job {run.job.name}: table {table.name} has rows of region {region}, but its log no "
                            f"longer tells which run wrote them; wanted the job that writes it run again")  # fmt: skip
        raise LakeError(f"job {run.job.name}: table {table.name} of lake {self.lake.root} has no rows of region "
                        f"{region}{self._others()}; wanted it written by {writer_of(table.name)}")  # fmt: skip

    def _others(self) -> str:
        """The regions that the lake has, where this one, which may be misspelt, is none of them."""
        known = self.lake.regions()
        return f", but of {', '.join(known)}" if known and self.config.region not in known else ""

    def _as_of(self) -> date | None:
        if self._given_as_of or not self.lake.exists(schemas.SALES):
            return self._given_as_of
        scope = {"region": self.config.region}
        commit = self.lake.last_commit(schemas.SALES, scope)
        key = commit.run_key if commit else ""
        if key != self._newest[0]:
            self._newest = (key, self._newest_day())
        return self._newest[1]

    def _newest_day(self) -> date | None:
        """The newest day on which sales became known. By a day after all that their deliveries tell of, a slip of the
        keys, every forecast would be one of that day."""
        region, until = self.config.region, None
        if self.lake.exists(DELIVERIES):
            of_sales = self.lake.read(DELIVERIES, region).where("source_table = 'sales'")
            until = (of_sales.agg(F.max("told_until")).first() or (None,))[0]
        known = F.col("known_from")
        newest = F.coalesce(F.max(F.when(known <= F.lit(until), known)), F.max(known))
        found = self.lake.read(schemas.SALES, region).agg(newest).first()
        return found[0] if found else None

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


def _identity(run: Run) -> dict[str, object]:
    """What identifies a run but for its inputs."""
    return {
        "job": run.job.name,
        "region": run.config.region,
        "as_of": str(run.as_of),
        "trained_on": str(run.trained_on),
        "settings": run.config.model_dump(mode="json", include=set(run.job.settings)),
        "code": run.job.code,
    }


def _digest(identity: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def _torn(commits: Mapping[str, Commit]) -> str:
    """Names two tables of one job that different runs of it wrote, the later killed between them; else ""."""
    first: dict[str, str] = {}
    for name, commit in commits.items():
        job = _written_by(name, commit)
        other = first.setdefault(job, name)
        if commits[other].run_key != commit.run_key:
            return f"{other} is of run {commits[other].run_key} of job {job}, {name} of run {commit.run_key}"
    return ""


def _of_another_day(commits: Mapping[str, Commit], as_of: date | None) -> dict[str, str]:
    """The tables that were made for another as-of date, and for which. Models may be those of a day before."""
    if as_of is None:
        return {}
    made_for = {name: commit.note.get("as_of") for name, commit in commits.items() if WRITERS.get(name) in OF_A_DAY}
    return {name: day for name, day in made_for.items() if day and day != str(as_of)}


def _whole(commits: Mapping[str, Commit]) -> dict[str, Commit]:
    """Those of the jobs whose tables are all of one run."""
    runs = defaultdict(set)
    for name, commit in commits.items():
        runs[_written_by(name, commit)].add(commit.run_key)
    return {name: commit for name, commit in commits.items() if len(runs[_written_by(name, commit)]) == 1}


def _written_by(name: str, commit: Commit) -> str:
    return str(commit.note.get("job", name))
