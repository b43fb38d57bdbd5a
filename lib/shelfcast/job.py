"""A job: the tables it reads and writes and the settings it depends on; and a run of it: the way to its tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.code import code_version, git_commit
from shelfcast.commits import Commit
from shelfcast.config import Config
from shelfcast.errors import LakeError
from shelfcast.lake import Lake
from shelfcast.logs import say
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

    @property
    def is_planned(self) -> bool:
        """Whether its result depends on the backtest's cutoffs."""
        return "backtest" in self.settings


@dataclass
class Run:
    """One run of a job on one region: the way to its tables.

    trained_on: the last day that the models knew when they were backtested, where that is not the as-of date.
    made_for: what identifies the run but for its inputs.
    """

    job: Job
    spark: SparkSession
    config: Config
    lake: Lake
    as_of: date | None
    trained_on: date | None = None
    key: str = ""
    made_for: str = ""
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

    def write(self, table: Table, frame: DataFrame, **told: object) -> None:
        """Replace what the table holds of this region (and as-of date), in one commit, which tells of `told` too."""
        self.written[table.name] = self.lake.replace(table, frame, self.scope(table), {**self.note, **told})

    def stage(self, name: str, frame: DataFrame) -> DataFrame:
        """The frame computed once and read back: for what several steps of a job need and no memory can hold. What a
        run of the same key has finished before it was killed is there."""
        path = self.lake.path(f"{self.staging}/{name}")
        if not self.lake.has_file(f"{self.staging}/{name}/_SUCCESS"):
            frame.write.mode("overwrite").parquet(path)
        return self.spark.read.schema(frame.schema).parquet(path)

    @property
    def staging(self) -> str:
        """Where the run puts what it needs for itself; gone when it ends."""
        return f"_staging/{self.config.region}/{self.key}"

    @property
    def inbox(self) -> str:
        """Where the run puts copies of files that only the driver has; gone when it ends or fails."""
        return f"{self.staging}/inbox"

    def append_once(self, table: Table, frame: DataFrame, **told: object) -> None:
        """Append rows but once, however often the run is done, until another run has appended its own; the commit tells
        of `told` too."""
        self.written[table.name] = self.lake.append_once(table, frame, self.scope(table), {**self.note, **told})

    def merge(self, table: Table, frame: DataFrame, on: Sequence[str]) -> None:
        """Update the rows of this region that the frame has by the columns `on`, and insert its others."""
        self.written[table.name] = self.lake.merge(table, frame, on, self.scope(table), self.note)

    def has_written(self, table: Table) -> bool:
        """Whether a run of the same key has written the table, before it was killed or in this one."""
        commit = self.lake.last_commit(table, self.scope(table))
        return commit is not None and commit.run_key == self.key

    @property
    def note(self) -> dict[str, object]:
        """What each commit of the run says of where it comes from."""
        return {
            "run_key": self.key,
            "made_for": self.made_for,
            "job": self.job.name,
            "as_of": None if self.as_of is None else str(self.as_of),
            "reads": self.reads,
            "settings": self.config.model_dump(mode="json", include=set(self.job.settings)),
            "code_version": self.job.code,
            "git_commit": git_commit(),
        }

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
