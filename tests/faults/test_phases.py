"""A run that stands still at each phase of a job while others run, and then goes on or is killed there."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults.committing import TAKINGS
from faults.lakes import Undisturbed, content
from faults.processes import ended, wait_for
from shelfcast.errors import TransientError
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import clean, ingest
from submitted import chain_flags, start

pytestmark = pytest.mark.faults

HERE = Path(__file__).parent
ELSEWHERE = "elsewhere"
COMMITS = int(os.environ.get("SHELFCAST_COMMITS", "100"))
STANDS_AT = [
    ("ingest", "leased"),
    ("ingest", "a table committed"),
    ("clean", "staged"),
    ("clean", "a table committed"),
    ("clean", "all committed"),
    ("aggregate", "a table committed"),
    ("aggregate", "recorded"),
    ("report", "a page written"),
    ("report", "a table committed"),
]

Make = Callable[..., Runner]


def of_elsewhere(runner: Runner) -> dict[str, str]:
    """Runs two jobs of another region, and tells what they have made."""
    for step in (ingest, clean):
        assert runner.run(step.job(runner.config))
    tables = clean.job(runner.config).writes
    return {table.name: runner.lake.content_hash(table, ELSEWHERE) for table in tables}


@pytest.fixture(scope="module")
def alone(make_runner: Make, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the other region holds in a lake of its own."""
    return of_elsewhere(make_runner(tmp_path_factory.mktemp("alone"), f"region={ELSEWHERE}"))


@pytest.mark.parametrize("is_killed", [False, True], ids=["goes-on", "is-killed"])
@pytest.mark.parametrize(("name", "phase"), STANDS_AT, ids=[f"{name}-{phase}" for name, phase in STANDS_AT])
def test_who_stands_at_a_phase_keeps_its_region_alone_and_then_goes_on_or_leaves_it_to_the_next(
    name: str, phase: str, is_killed: bool, undisturbed: Undisturbed, make_runner: Make, chain: Path,
    alone: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    stage, lake = undisturbed.stage(name), undisturbed.copy_before(name)
    process = start(HERE / "halting.py", phase, str(tmp_path), name, *chain_flags(chain, lake))
    wait_for(lambda: (tmp_path / "halted").exists() or process.poll() is not None)
    assert process.poll() is None, ended(process)
    runner = make_runner(lake)
    with pytest.raises(
        TransientError, match=r"region complete_journey: process \d+ on \S+ since .* UTC is at work on it"
    ):
        runner.run(stage.job)
    assert of_elsewhere(make_runner(lake, f"region={ELSEWHERE}")) == alone
    if is_killed:
        os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        runner.run(stage.job)
    else:
        (tmp_path / "go").touch()
        assert ended(process)[0] == 0
    assert content(runner, stage.job) == stage.wanted
    assert not runner.run(stage.job)
    assert not runner.lake.names("_staging/complete_journey/*")


@pytest.mark.parametrize("regions", [("north", "south"), ("north", "north")], ids=["of-two-regions", "of-one"])
def test_two_drivers_that_write_to_one_table_at_once_lose_nothing(
    regions: tuple[str, str], spark: SparkSession, lake_root: Path
) -> None:
    lake = Lake(spark, str(lake_root))
    note = {"run_key": "none yet", "job": "takings"}
    lake.replace(TAKINGS, spark.createDataFrame([], TAKINGS.schema), {"region": "north"}, note)
    flags = [(str(lake_root), region, writer, str(COMMITS)) for region, writer in zip(regions, "ab", strict=True)]
    both = [start(HERE / "committing.py", *each) for each in flags]
    wait_for(lambda: len([*lake_root.glob("*.ready")]) == 2 or any(each.poll() is not None for each in both))
    (lake_root / "go").touch()
    retries = []
    for process in both:
        told, _ = process.communicate(timeout=3600)
        assert process.returncode == 0, told
        (counted,) = re.findall(r"^retries: (\d+)$", told, re.MULTILINE)
        retries.append(int(counted))
    rows = [(row.writer, row.number) for each in {*regions} for row in lake.read(TAKINGS, each).collect()]
    assert sorted(rows) == [(writer, number) for writer in "ab" for number in range(COMMITS)]
    # One of a pair wins: in one region the other tries again, in two nobody has to.
    assert (sum(retries) > 0) == (len({*regions}) == 1), retries
