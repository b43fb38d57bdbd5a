"""Forecasts and plans made twice, killed and made again, and by two at once: one result, no row twice and none lost."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from shelfcast.job import Job
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import forecast, plan_inventory

pytestmark = pytest.mark.slow

REGION = "complete_journey"
STEPS = {"forecast": forecast, "plan_inventory": plan_inventory}
# Something new to do in a lake that the pipeline has made, and orders that its three weeks of forecasts cover.
CHANGES = ("forecast.share_weeks=9", "inventory.review_days=2", "inventory.lead_days=3")
FLAGS = tuple(flag for change in CHANGES for flag in ("--set", change))

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
    return STEPS[name].job(runner.config)


def content(runner: Runner, name: str) -> dict[str, str]:
    return {table.name: runner.lake.content_hash(table, REGION) for table in job_of(runner, name).writes}


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
