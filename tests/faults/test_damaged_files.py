"""Files that are damaged, or come before they are whole."""

import gzip
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from corner import HEADER, Corner, line
from faults.lakes import Undisturbed, content
from faults.processes import refusal
from shelfcast.command import run_job
from shelfcast.failures import innermost
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, ingest
from submitted import chain_flags

pytestmark = pytest.mark.faults

Make = Callable[..., Runner]


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
    with pytest.raises((PySparkException, Py4JJavaError)) as told:
        shop.ingest()
    assert str(file) in innermost(told.value)
    assert not [*(tmp_path / "lake" / "raw" / "corner_sales").glob("**/*.json")]
    file.write_bytes(packed)
    assert shop.take_in() == (True, True)
    assert shop.account() == {"raw": 20_000, "clean": 20_000}


CUTS = {"within-its-last-number": 1, "in-the-midst-of-a-row": 12, "at-the-end-of-a-row": 0}
SOLD = rows(60)


@pytest.fixture(scope="module")
def sold_undisturbed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    shop = Corner(spark, tmp_path_factory.mktemp("whole") / "undisturbed")
    shop.deliver("sales-1.csv", *SOLD)
    shop.take_in()
    return shop.sold()


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_file_that_came_half_written_is_overtaken_by_the_whole_one(
    cut: int, sold_undisturbed: dict[str, float], spark: SparkSession, tmp_path: Path
) -> None:
    shop, whole = Corner(spark, tmp_path), as_text(SOLD[:40])
    (shop.folder / "sales-1.csv").write_bytes(whole[: len(whole) - 1 - cut])
    shop.take_in()
    shop.deliver("sales-1.csv", *SOLD)
    shop.take_in()
    assert shop.sold() == sold_undisturbed
    counted = shop.account()
    assert counted.pop("raw") == sum(counted.values())
    assert counted["clean"] == 60
