"""Jobs made twice, killed and made again, by two at once, and from what an old run read: one result, no row twice and
none lost."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from subprocess import Popen

import pytest

from shelfcast.challengers import CHAMPIONS
from shelfcast.job import Job
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.schemas import JOB_RUNS, PUBLICATIONS
from shelfcast.steps import aggregate, build_features, forecast, insights, plan_inventory
from shelfcast.system import PIPELINE
from shelfcast.table import Table

pytestmark = pytest.mark.slow

REGION = "complete_journey"
STEPS = {"forecast": forecast, "plan_inventory": plan_inventory}
JOBS = {step.__name__.rpartition(".")[2]: step for step in (*PIPELINE, plan_inventory, insights)}
# Something new to do in a lake that the pipeline has made, orders that its three weeks of forecasts cover, and segments
# of its few stores.
CHANGES = ("forecast.share_weeks=9", "inventory.review_days=2", "inventory.lead_days=3",
           "insights.fewest=2", "insights.most=3", "insights.season_weeks=13")  # fmt: skip
FLAGS = tuple(flag for change in CHANGES for flag in ("--set", change))

# Each run adds what it decided, and each publication names its versions.
HISTORIES = {CHAMPIONS.name, PUBLICATIONS.name}

Submit = Callable[..., Popen[str]]
Make = Callable[[], Runner]


@pytest.fixture
def make_copy(ran: Runner, make_runner: Callable[..., Runner], tmp_path: Path) -> Make:
    """Makes a runner on a new copy of the pipeline's lake."""

    def make() -> Runner:
        lake = tmp_path / f"copy{len([*tmp_path.iterdir()])}"
        shutil.copytree(ran.lake.root, lake)
        return make_runner(lake, *CHANGES)

    return make


def job_of(runner: Runner, name: str) -> Job:
    return JOBS[name].job(runner.config)


def hashes(lake: Lake, tables: Iterable[Table]) -> dict[str, str]:
    return {table.name: lake.content_hash(table, REGION) for table in tables}


def content(runner: Runner, name: str) -> dict[str, str]:
    return hashes(runner.lake, job_of(runner, name).writes)


def commits(lake: Lake, job: Job) -> dict[str, int]:
    """How many commits each table has."""
    return {table.name: len([*Path(lake.path(table)).glob("_delta_log/*.json")]) for table in job.writes}


def rows_twice(runner: Runner, name: str) -> int:
    found = 0
    for table in job_of(runner, name).writes:
        rows = runner.lake.read(table, REGION)
        found += rows.count() - rows.select(*table.key).distinct().count()
    return found


def kill_at_work(process: Popen[str], lake: Lake) -> None:
    """Kill it once it has staged something: it is in the middle of its job then."""
    deadline = time.monotonic() + 300
    while not lake.names(f"_staging/{REGION}/*/*") and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", STEPS)
def test_killed_and_made_again_it_is_as_if_it_had_not_been(name: str, make_copy: Make, submit: Submit) -> None:
    undisturbed, killed = make_copy(), make_copy()
    assert undisturbed.run(job_of(undisturbed, name))
    before = commits(killed.lake, job_of(killed, name))
    kill_at_work(submit(name, Path(killed.lake.root), *FLAGS), killed.lake)
    assert killed.run(job_of(killed, name))
    assert content(killed, name) == content(undisturbed, name)
    assert rows_twice(killed, name) == 0
    after = commits(killed.lake, job_of(killed, name))
    # what the killed one had committed is replaced, and not added to
    assert all(1 <= after[table] - before[table] <= 2 for table in after)
    assert not killed.run(job_of(killed, name))


@pytest.mark.parametrize("name", STEPS)
def test_of_two_at_once_one_makes_it_and_the_other_is_told_to_try_again(
    name: str, make_copy: Make, submit: Submit
) -> None:
    undisturbed, shared = make_copy(), make_copy()
    assert undisturbed.run(job_of(undisturbed, name))
    before = commits(shared.lake, job_of(shared, name))
    both = [submit(name, Path(shared.lake.root), *FLAGS) for _ in range(2)]
    said = [process.communicate(timeout=600)[0] for process in both]
    # Where each saw the other first, both step back.
    assert {process.returncode for process in both} <= {0, 75}, said
    shared.run(job_of(shared, name))
    assert content(shared, name) == content(undisturbed, name)
    assert rows_twice(shared, name) == 0
    after = commits(shared.lake, job_of(shared, name))
    assert {table: after[table] - before[table] for table in after} == dict.fromkeys(after, 1)


def test_each_job_made_three_times_holds_what_it_held_once(make_copy: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = make_copy()
    for name in JOBS:
        runner.run(job_of(runner, name))
    monkeypatch.setattr(Runner, "_is_up_to_date", lambda *_: False)
    for name in JOBS:
        before = content(runner, name)
        # Of tables made anew its run is another: what keeps each run's decision gains one.
        assert runner.run(job_of(runner, name))
        once = content(runner, name)
        assert {table for table in once if once[table] != before[table]} <= HISTORIES, name
        for _ in range(2):
            assert runner.run(job_of(runner, name))
            assert content(runner, name) == once, name


def test_a_forecast_is_made_again_from_the_versions_that_its_run_has_read(make_copy: Make) -> None:
    runner = make_copy()
    assert runner.run(job_of(runner, "forecast"))
    made, job = content(runner, "forecast"), job_of(runner, "forecast")
    (run,) = runner.lake.read(JOB_RUNS, REGION).where("job = 'forecast'").orderBy("started_at").collect()[-1:]
    read = hashes(runner.lake, job.reads)
    other = runner.on(date(2017, 7, 30))
    for step in (aggregate, build_features):
        assert other.run(step.job(other.config))
    since = hashes(runner.lake, job.reads)
    changed = [table for table in job.reads if since[table.name] != read[table.name]]
    assert len(changed) > 3
    for table in changed:
        as_read = runner.lake.read(table, REGION, run.reads[table.name])
        note = {"run_key": "as it was", "job": f"back to {table.name}"}
        runner.lake.replace(table, as_read, {"region": REGION}, note)
    assert runner.run(job)
    assert content(runner, "forecast") == made
