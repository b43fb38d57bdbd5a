"""Places that fail: a full disk, files that are damaged or come before they are whole."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from corner import HEADER, Corner, line
from faults.lakes import Undisturbed, content
from faults.processes import ended, refusal
from shelfcast.command import run_job
from shelfcast.failures import innermost
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, ingest
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


def footer(whole: bytes) -> bytes:
    """Other bytes where Parquet begins to tell what is in the file; its last word stays."""
    begins = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    return whole[:begins] + bytes(64) + whole[begins + 64 :]


def page(whole: bytes) -> bytes:
    """Other bytes in the midst of the values."""
    return whole[: len(whole) // 3] + bytes(4096) + whole[len(whole) // 3 + 4096 :]


def half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


DAMAGES = {"footer": footer, "page": page, "half": half}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_of_the_source_is_named_and_once_it_is_mended_all_of_it_is_in(
    damage: Callable[[bytes], bytes], undisturbed: Undisturbed, chain: Path, make_runner: Make, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stage, lake, source = undisturbed.stage("ingest"), undisturbed.copy_before("ingest"), tmp_path / "source"
    shutil.copytree(chain, source)
    damaged = source / "transactions.parquet"
    whole = damaged.read_bytes()
    damaged.write_bytes(damage(whole))
    flags = chain_flags(source, lake)
    assert run_job("", ingest.job, flags) == 1
    assert "transactions.parquet" in refusal(capsys.readouterr().err)
    damaged.write_bytes(whole)
    assert run_job("", ingest.job, flags) == 0
    assert content(make_runner(lake), stage.job) == stage.wanted


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_of_a_table_is_named_and_once_it_is_restored_the_job_goes_on(
    damage: Callable[[bytes], bytes], undisturbed: Undisturbed, chain: Path, make_runner: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stage, lake = undisturbed.stage("aggregate"), undisturbed.copy_before("aggregate")
    damaged = max(lake.glob("clean/sales/**/*.parquet"), key=lambda path: path.stat().st_size)
    whole = damaged.read_bytes()
    damaged.write_bytes(damage(whole))
    # Hadoop would tell the damage by the file's checksum first, which object stores do not have.
    (damaged.parent / f".{damaged.name}.crc").unlink(missing_ok=True)
    assert run_job("", aggregate.job, chain_flags(chain, lake)) == 1
    assert damaged.name in refusal(capsys.readouterr().err)
    damaged.write_bytes(whole)
    assert run_job("", aggregate.job, chain_flags(chain, lake)) == 0
    assert content(make_runner(lake), stage.job) == stage.wanted


def rows(count: int) -> list[str]:
    first = date(2017, 1, 2)
    return [line(f"b{n}", str(first + timedelta(n % 28)), n % 7 + 1, f"p{n * 7919 % 997}") for n in range(count)]


def as_text(lines: list[str]) -> bytes:
    return "\n".join((HEADER, *lines, "")).encode()


def test_a_packed_file_that_ends_too_early_is_named_and_nothing_of_it_is_in(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop, packed = Corner(spark, tmp_path, files="sales*.csv.gz"), gzip.compress(as_text(rows(20_000)))
    file = shop.folder / "sales-1.csv.gz"
    file.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(PySparkException) as told:
        shop.ingest()
    assert str(file) in innermost(told.value)
    assert not [*(tmp_path / "lake" / "raw" / "corner_sales").glob("**/*.json")]
    file.write_bytes(packed)
    assert shop.take_in() == (True, True)
    assert shop.account() == {"raw": 20_000, "clean": 20_000}


CUTS = {"within-its-last-number": 1, "in-the-midst-of-a-row": 12, "at-the-end-of-a-row": 0}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_file_that_came_half_written_is_overtaken_by_the_whole_one(
    cut: int, spark: SparkSession, tmp_path: Path
) -> None:
    sold = rows(60)
    undisturbed, shop = Corner(spark, tmp_path / "undisturbed"), Corner(spark, tmp_path / "disturbed")
    undisturbed.deliver("sales-1.csv", *sold)
    undisturbed.take_in()
    whole = as_text(sold[:40])
    (shop.folder / "sales-1.csv").write_bytes(whole[: len(whole) - 1 - cut])
    shop.take_in()
    shop.deliver("sales-1.csv", *sold)
    shop.take_in()
    assert shop.sold() == undisturbed.sold()
    counted = shop.account()
    assert counted.pop("raw") == sum(counted.values())
    assert counted["clean"] == 60
