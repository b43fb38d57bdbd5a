"""Clocks that are wrong and zones that differ: the lake knows days of its own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import CONF, Corner, line
from faults.lakes import JOBS, Undisturbed, content
from faults.processes import ended
from shelfcast.runner import Runner
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.faults

# Debian's libfaketime.
FAKETIME = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")]
# Waiting takes its time, and files have theirs: only what a process asks the clock is wrong.
ALONE = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

Make = Callable[..., Runner]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"], ids=["a-day-ahead", "a-day-behind"])
def test_a_machine_of_another_zone_makes_the_same_lake_and_has_nothing_to_do_after_one_of_here(
    zone: str, undisturbed: Undisturbed, make_runner: Make, chain: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    status, told = ended(start(ROOT / "jobs" / "pipeline.py", *chain_flags(chain, lake), TZ=zone))
    assert status == 0, told
    runner = make_runner(lake)
    for name in JOBS:
        stage = undisturbed.stage(name)
        assert content(runner, stage.job) == stage.wanted, name
        assert not runner.run(stage.job), name


# By how many days the clock of each delivery's run is wrong.
CLOCKS = {"goes-back": (0, -400, -800), "is-ahead-and-comes-right-again": (400, 0, 0)}


def deliver(shop: Corner, number: int) -> None:
    """A day's sales, one of the day before that comes late, and one that is corrected."""
    rows = [line(f"d{number}", f"2017-01-0{number + 1}", number), line(f"l{number}", f"2017-01-0{number}", 1)]
    shop.deliver(f"sales-{number}.csv", *rows, *([line("d1", "2017-01-02", 7)] if number == 2 else []))


@pytest.mark.skipif(not FAKETIME, reason="no clock is wrong for one process without libfaketime (apt-get install it)")
@pytest.mark.parametrize("days", CLOCKS.values(), ids=CLOCKS)
def test_deliveries_are_known_from_their_own_days_whatever_the_clock_says(
    days: tuple[int, ...], spark: SparkSession, tmp_path: Path
) -> None:
    right, wrong = Corner(spark, tmp_path / "right"), Corner(spark, tmp_path / "wrong")
    flags = ["--config", str(CONF), *[word for change in wrong.changes for word in ("--set", change)]]
    for number, ahead in enumerate(days, start=1):
        deliver(right, number)
        right.take_in()
        deliver(wrong, number)
        clock = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": f"{ahead:+d}d", **ALONE}
        for name in ("ingest", "clean"):
            status, told = ended(start(ROOT / "jobs" / f"{name}.py", *flags, **clock))
            assert status == 0, told
        # A file's own time may go back as well: what counts is what it holds.
        os.utime(wrong.folder / f"sales-{number}.csv", (0, 0))
    assert wrong.hashes() == right.hashes()
    assert wrong.take_in() == (False, False)
    for day in ("2017-01-02", "2017-01-03", "2017-01-04"):
        assert wrong.sold(day) == right.sold(day)
