"""What looks after a lake, killed at random points and done again: maintain leaves every row, forget none of the
person's and all of the others'.

SHELFCAST_RANDOM_KILLS says how many kills there are (a tenth of it of each), SHELFCAST_RANDOM_SEED which (27).
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from faults.lakes import REGION
from faults.processes import ended, ends_within, kill_all, refusal, wait_for
from shelfcast import erasure
from shelfcast.runner import Runner
from shelfcast.schemas import QUARANTINE, SALES
from shelfcast.sources import open_source
from shelfcast.sources.raw import keyed_hashes
from shelfcast.steps import clean, ingest
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.faults

KILLS = max(int(os.environ.get("SHELFCAST_RANDOM_KILLS", "50")) // 10, 1)
SEED = int(os.environ.get("SHELFCAST_RANDOM_SEED", "27"))
KEY = "a secret"
HASHED = "source.persons={household_id: hash}"
# Of the household that bought 500,000 of a thing: it stands in quarantine too.
PERSON = str(keyed_hashes(pd.Series(["3"]), KEY.encode())[0])
COMMANDS = {"maintain": (), "forget": ("--person", PERSON)}

Make = Callable[..., Runner]
Copy = Callable[[], Path]


@pytest.fixture(scope="module")
def copy(make_runner: Make, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Copies of a lake that was ingested and cleaned twice: of each table there is more than one version."""
    folder, numbers = tmp_path_factory.mktemp("upkeep"), count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHELFCAST_PERSON_KEY", KEY)
        for change in ("cleaning.outliers.spreads=6", "cleaning.outliers.spreads=7"):
            runner = make_runner(folder / "lake", HASHED, change)
            for step in (ingest, clean):
                runner.run(step.job(runner.config))
    return lambda: Path(shutil.copytree(folder / "lake", folder / f"copy{next(numbers)}"))


def begin(name: str, chain: Path, lake: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, once it has the region's lease."""
    script, left = ROOT / "jobs" / f"{name}.py", {*lake.glob("_leases/*/*")}
    process = start(script, *chain_flags(chain, lake, HASHED), *COMMANDS[name], SHELFCAST_PERSON_KEY=KEY)
    wait_for(lambda: {*lake.glob("_leases/*/*")} - left or process.poll() is not None)
    return process


def content(runner: Runner) -> dict[str, str]:
    tables = (open_source(runner.config).raw["sales"], SALES, QUARANTINE)
    return {table.name: runner.lake.content_hash(table, REGION) for table in tables}


def names(runner: Runner) -> dict[str, int]:
    """Of each table the files that name the person."""
    return {name: found for name, (_, found) in erasure.files_that_name(runner.lake, REGION, PERSON).items() if found}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_points_and_done_again_it_is_as_if_it_had_not_been(
    name: str, copy: Copy, make_runner: Make, chain: Path
) -> None:
    draw, lake = random.Random(f"{SEED} {name}"), copy()
    before = content(make_runner(lake, HASHED))
    process, started = begin(name, chain, lake), time.monotonic()
    status, told = ended(process)
    seconds, wanted = time.monotonic() - started, content(make_runner(lake, HASHED))
    assert status == 0, told
    assert (wanted == before) == (name == "maintain")
    lake, killed = copy(), 0
    while killed < KILLS:
        process = begin(name, chain, lake)
        if ends_within(process, draw.uniform(0, seconds)):
            lake = copy()
            continue
        kill_all(process)
        killed += 1
        found = content(make_runner(lake, HASHED))
        assert all(value in (before[table], wanted[table]) for table, value in found.items())
    status, told = ended(begin(name, chain, lake))
    assert status == 0, told
    runner = make_runner(lake, HASHED)
    assert content(runner) == wanted
    assert bool(names(runner)) == (name == "maintain")
    assert not [*lake.glob(f"_staging/{REGION}/*")]


def test_nobody_is_forgotten_while_a_run_is_at_work_and_a_killed_one_stands_in_nobody_s_way(
    copy: Copy, make_runner: Make, chain: Path
) -> None:
    lake = copy()
    first = begin("forget", chain, lake)
    os.killpg(first.pid, signal.SIGSTOP)
    status, told = ended(begin("maintain", chain, lake))
    assert status == 75, told
    assert "is at work on it" in refusal(told)
    kill_all(first)
    assert ended(begin("maintain", chain, lake))[0] == 0
    assert ended(begin("forget", chain, lake))[0] == 0
    assert names(make_runner(lake, HASHED)) == {}
