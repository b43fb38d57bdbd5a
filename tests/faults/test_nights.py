"""A whole night's run killed again and again: each start goes on from what stands, and the morning finds what an
undisturbed night would have left.

SHELFCAST_RANDOM_KILLS says how many kills there are (a tenth of it), SHELFCAST_RANDOM_SEED which (27).
"""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults.processes import ended, ends_within, kill_all, read_until
from made_tables import REGION, hashes
from shelfcast.lake import Lake
from shelfcast.publications import DAY_RUNS, published_days
from shelfcast.schemas import PUBLICATIONS
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.faults

KILLS = max(int(os.environ.get("SHELFCAST_RANDOM_KILLS", "50")) // 10, 2)
SEED = int(os.environ.get("SHELFCAST_RANDOM_SEED", "27"))


def begin(chain: Path, lake: Path) -> subprocess.Popen[str]:
    process = start(ROOT / "jobs" / "daily.py", *chain_flags(chain, lake))
    read_until(process, "started")
    return process


def test_a_night_that_is_killed_again_and_again_leaves_what_an_undisturbed_one_would(
    spark: SparkSession, chain: Path, tmp_path: Path
) -> None:
    draw, started = random.Random(SEED), time.monotonic()
    status, told = ended(begin(chain, tmp_path / "undisturbed"))
    assert status == 0, told
    seconds, lake, killed = time.monotonic() - started, tmp_path / "lake", 0
    while (process := begin(chain, lake)) and killed < KILLS:
        if ends_within(process, draw.uniform(0, seconds / 2)):
            break
        kill_all(process)
        killed += 1
    assert killed
    status, told = ended(process)
    assert status == 0, told
    disturbed, undisturbed = (Lake(spark, str(each)) for each in (lake, tmp_path / "undisturbed"))
    assert hashes(disturbed) == hashes(undisturbed)
    assert published_days(disturbed, REGION) == published_days(undisturbed, REGION)
    for table in (PUBLICATIONS, DAY_RUNS):
        assert disturbed.read(table, REGION).count() == 1
    assert not disturbed.names(f"_staging/{REGION}/*")
