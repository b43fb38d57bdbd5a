"""Disks that are full: the lake's own, and the one on which Spark computes."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.lakes import Undisturbed, content
from faults.processes import ended, refusal
from shelfcast.runner import Runner
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.faults

Make = Callable[..., Runner]
KILOBYTE = 1 << 10


@dataclass
class Disk:
    """A file system of its own."""

    root: Path

    def leave(self, room: int) -> None:
        """Fill it up to so many bytes."""
        told = os.statvfs(self.root)
        with (self.root / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, told.f_bavail * told.f_frsize - room)

    def clear(self) -> None:
        (self.root / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    root = tmp_path / "disk"
    root.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", root], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8], ids=["none-left", "a-third-of-what-it-takes", "most-of-it"])
@pytest.mark.parametrize("name", ["ingest", "clean", "aggregate", "forecast"])
def test_a_disk_that_is_full_is_told_and_once_there_is_room_the_lake_is_as_it_should_be(
    name: str, share: float, undisturbed: Undisturbed, disk: Disk, chain: Path, make_runner: Make
) -> None:
    stage = undisturbed.stage(name)
    lake = Path(shutil.copytree(stage.before, disk.root / "lake"))
    disk.leave(int(share * (stage.bytes)))
    status, told = ended(start(ROOT / "jobs" / f"{name}.py", *chain_flags(chain, lake)))
    assert status == 75, told
    assert "No space left on device" in refusal(told)
    disk.clear()
    runner = make_runner(lake)
    assert runner.run(stage.job)
    assert content(runner, stage.job) == stage.wanted


def test_a_scratch_disk_that_is_full_is_told_too(
    undisturbed: Undisturbed, disk: Disk, chain: Path, make_runner: Make
) -> None:
    stage, lake = undisturbed.stage("aggregate"), undisturbed.copy_before("aggregate")
    disk.leave(32 * KILOBYTE)
    scratch = {"TMPDIR": str(disk.root), "SPARK_LOCAL_DIRS": str(disk.root)}
    status, told = ended(start(ROOT / "jobs" / "aggregate.py", *chain_flags(chain, lake), **scratch))
    assert status == 75, told
    assert "No space left on device" in refusal(told)
    runner = make_runner(lake)
    assert runner.run(stage.job)
    assert content(runner, stage.job) == stage.wanted
