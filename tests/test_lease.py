import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import lease
from shelfcast.errors import LakeError, TransientError
from shelfcast.folder import Folder
from shelfcast.lake import Lake
from shelfcast.lease import EVERY_REGION, Holder, Lease
from shelfcast.processes import own_numbering
from shelfcast.upkeep import every_region

HERE, AWAY = socket.gethostname(), "elsewhere"
NAMESPACE, _, BOOT_ID = own_numbering().partition("-")


@pytest.fixture
def folder(spark: SparkSession, lake_root: Path) -> Folder:
    return Folder(spark, str(lake_root))


@pytest.fixture(scope="module")
def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def held(folder: Folder) -> list[Holder]:
    return [Holder.of(name) for name in folder.names("_leases/north/*")]


def leave(
    folder: Folder, host: str, pid: int, seconds_left: int, numbered: str = own_numbering(), region: str = "north"
) -> Holder:
    """A lease that another run has made."""
    now = int(time.time())
    other = Holder(host, numbered, pid, now - 60, now + seconds_left, "other")
    folder.create(f"_leases/{region}/{other.name}")
    return other


def test_a_lake_that_cannot_be_written_is_named(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lake = Folder(spark, str(tmp_path / "file" / "lake"))
    with pytest.raises(LakeError, match=rf"^lake {lake.root}: cannot be written \(.+\); wanted a folder") as told:
        Lease(lake, "north").__enter__()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("host", [HERE, AWAY], ids=["on-this-host", "on-another"])
def test_a_region_that_a_live_run_holds_is_refused_by_its_name(folder: Folder, host: str) -> None:
    other = leave(folder, host, os.getpid(), 600)
    with pytest.raises(TransientError, match=rf"region north: process {os.getpid()} on {host} since .* UTC is at work"):
        Lease(folder, "north").__enter__()
    assert held(folder) == [other]


def test_another_region_is_free(folder: Folder) -> None:
    leave(folder, AWAY, 1, 600)
    with Lease(folder, "south"):
        assert len(folder.names("_leases/south/*")) == 1


@pytest.mark.parametrize(("seconds_left", "is_held"), [(600, True), (-1, False)], ids=["at-work", "expired"])
def test_who_holds_all_regions_keeps_a_new_one_from_beginning(folder: Folder, seconds_left: int, is_held: bool) -> None:
    leave(folder, AWAY, 1, seconds_left, region=EVERY_REGION)
    if is_held:
        with pytest.raises(TransientError, match=r"region north: process 1 on elsewhere .* is at work"):
            Lease(folder, "north").__enter__()
    with nullcontext() if is_held else Lease(folder, "north"):
        assert len(held(folder)) == (not is_held)
    with Lease(folder, "tables/prices", "table prices"):
        assert len(folder.names("_leases/tables/prices/*")) == 1


def test_all_regions_are_not_held_while_one_begins_that_has_no_rows_yet(spark: SparkSession, lake_root: Path) -> None:
    lake = Lake(spark, str(lake_root))
    begun = leave(lake, AWAY, 1, 600)
    with pytest.raises(TransientError, match="region north: process 1 on elsewhere"), every_region(lake, "south"):
        pytest.fail("another is at work")
    assert lake.paths("_leases/*/*") == [f"_leases/north/{begun.name}"]
    lake.remove(f"_leases/north/{begun.name}")
    with every_region(lake, "south"):
        assert len(lake.paths("_leases/*/*")) == 3
        with pytest.raises(TransientError, match="region south: process"):
            Lease(lake, "south").__enter__()


@pytest.mark.parametrize(
    ("host", "seconds_left"),
    [pytest.param(HERE, 600, id="killed-on-this-host"), pytest.param(AWAY, -1, id="expired-on-another")],
)
def test_the_lease_of_a_run_that_is_over_is_taken_over(folder: Folder, gone: int, host: str, seconds_left: int) -> None:
    leave(folder, host, gone, seconds_left)
    with Lease(folder, "north"):
        assert [(holder.host, holder.pid) for holder in held(folder)] == [(HERE, os.getpid())]


@pytest.mark.parametrize(
    "numbered",
    [
        pytest.param(f"4026532999-{BOOT_ID}", id="another-container"),
        pytest.param(f"{NAMESPACE}-7d1f0c1e-2b4a-4d57-9c43-0f2a6f3f1b11", id="another-machine"),
    ],
)
def test_a_run_elsewhere_on_a_host_of_this_name_is_not_taken_for_one_that_is_over(
    folder: Folder, gone: int, numbered: str
) -> None:
    other = leave(folder, HERE, gone, 600, numbered)
    with pytest.raises(TransientError, match=rf"region north: process {gone} on {HERE} since"):
        Lease(folder, "north").__enter__()
    assert held(folder) == [other]


@pytest.mark.skipif(not own_numbering(), reason="the system numbers all processes together")
@pytest.mark.parametrize(("seconds_left", "is_held"), [(600, True), (-1, False)], ids=["running", "expired"])
def test_a_lease_of_code_that_did_not_tell_the_container_holds_until_it_expires(
    folder: Folder, gone: int, seconds_left: int, is_held: bool
) -> None:
    now = int(time.time())
    name = f"{HERE}~{gone}~{now - 60}~{now + seconds_left}~other"
    folder.create(f"_leases/north/{name}")
    assert (Holder.of(name).host, Holder.of(name).pid, Holder.of(name).is_alive) == (HERE, gone, is_held)
    if is_held:
        with pytest.raises(TransientError, match=rf"region north: process {gone} on {HERE} since"):
            Lease(folder, "north").__enter__()
        assert folder.names("_leases/north/*") == [name]
        return
    with Lease(folder, "north"):
        assert [holder.pid for holder in held(folder)] == [os.getpid()]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to ask")
def test_a_run_that_was_killed_and_that_nobody_asked_after_holds_nothing(folder: Folder) -> None:
    killed = subprocess.Popen(["sleep", "600"])
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    leave(folder, HERE, killed.pid, 600)
    with Lease(folder, "north"):
        assert [holder.pid for holder in held(folder)] == [os.getpid()]
    killed.wait()


def test_it_is_released_once_at_the_end_also_on_an_error(folder: Folder) -> None:
    taken = Lease(folder, "north")
    with taken:
        with pytest.raises(ValueError, match="inside"), taken:
            raise ValueError("inside")
        assert len(held(folder)) == 1
    assert held(folder) == []
    with taken:
        assert len(held(folder)) == 1


def test_it_is_renewed_while_it_is_held(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEWED_SECONDS", 0.2)
    with Lease(folder, "north"):
        first = held(folder)[0]
        time.sleep(1.5)
        last = max(held(folder), key=lambda holder: holder.until)
        assert (last.since, last.token) == (first.since, first.token)
        assert last.until > first.until
    assert held(folder) == []


def test_who_waits_has_it_once_the_other_is_done(folder: Folder) -> None:
    with Lease(folder, "north"), ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(_hold, Lease(folder, "north", "table prices"))
        time.sleep(0.5)
        assert not waiting.done()
        folder.remove("_leases/north")
    assert waiting.result() == 1
    assert not held(folder)


def _hold(own: Lease) -> int:
    with own.awaited(30):
        return len(held(own._folder))


def test_nobody_waits_for_ever(folder: Folder) -> None:
    leave(folder, AWAY, 1, 600)
    own = Lease(folder, "north", "table prices")
    with pytest.raises(TransientError, match="table prices: process 1 on elsewhere"), own.awaited(0):
        pytest.fail("it is another's")
    assert len(held(folder)) == 1
