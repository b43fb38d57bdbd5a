"""The lakes that the pipeline makes undisturbed, to compare with."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from shelfcast.job import Job
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS
from shelfcast.system import PIPELINE

REGION = "complete_journey"
JOBS = [step.__name__.rpartition(".")[2] for step in PIPELINE]
# It names the versions of tables, and a table that was written twice has one more.
_OF_VERSIONS = (PUBLICATIONS,)


@dataclass
class Stage:
    """A job of the undisturbed pipeline: the lake before it, what its tables held before and after it, how long it
    took, and how many bytes it wrote."""

    job: Job
    before: Path
    held: dict[str, str]
    wanted: dict[str, str]
    seconds: float
    bytes: int


def content(runner: Runner, job: Job) -> dict[str, str]:
    """A hash of what each table of the job holds; "" where it is not there."""
    tables = [table for table in job.writes if table not in _OF_VERSIONS]
    return {
        table.name: runner.lake.content_hash(table, REGION) if runner.lake.exists(table) else "" for table in tables
    }


@dataclass
class Undisturbed:
    """The pipeline's lake job by job, made as far as it is asked for."""

    folder: Path
    make_runner: Callable[..., Runner]
    _stages: dict[str, Stage] = field(default_factory=dict)
    _copies: count = field(default_factory=count)

    def stage(self, name: str) -> Stage:
        while name not in self._stages:
            self._make_next()
        return self._stages[name]

    def copy_before(self, name: str) -> Path:
        """A lake in which all is done but the job and what follows it."""
        lake = self.folder / f"copy{next(self._copies)}"
        return Path(shutil.copytree(self.stage(name).before, lake))

    def _make_next(self) -> None:
        number = len(self._stages)
        before, lake = self.folder / f"after{number}", self.folder / f"after{number + 1}"
        before.mkdir(exist_ok=True)
        runner = self.make_runner(shutil.copytree(before, lake))
        job = PIPELINE[number].job(runner.config)
        held, started = content(runner, job), time.monotonic()
        assert runner.run(job)
        seconds = time.monotonic() - started
        grown = _size_of(lake) - _size_of(before)
        self._stages[job.name] = Stage(job, before, held, content(runner, job), seconds, grown)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
