"""What is copied for executors on other machines, and what is not; a whole run of it is in steps/test_cluster.py."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from shelfcast.errors import SourceError
from shelfcast.inbox import reachable


def run_on(master: str, lake: Path) -> SimpleNamespace:
    """As much of a run as the inbox sees."""
    return SimpleNamespace(
        spark=SimpleNamespace(sparkContext=SimpleNamespace(master=master)),
        lake=SimpleNamespace(path=lambda name: f"{lake}/{name}"),
        inbox="_staging/north/key/inbox",
    )


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    file = tmp_path / "till 1" / "sales.csv"
    file.parent.mkdir()
    file.write_text("store,units\n1,2\n")
    return file


@pytest.mark.parametrize("master", ["local[2]", "local-cluster[2,1,1024]"])
def test_on_this_machine_files_are_read_where_they_are(master: str, sales: Path, lake_root: Path) -> None:
    assert reachable(run_on(master, lake_root), [str(sales)]) == [str(sales)]
    assert not lake_root.exists()


@pytest.mark.parametrize("master", ["spark://host:7077", "yarn", "k8s://https://host"])
def test_executors_elsewhere_get_a_copy_under_the_file_s_own_name(master: str, sales: Path, lake_root: Path) -> None:
    (copy,) = reachable(run_on(master, lake_root), [str(sales)])
    assert copy.startswith(f"{lake_root}/_staging/north/key/inbox/")
    assert Path(copy).name == sales.name
    assert Path(copy).read_bytes() == sales.read_bytes()


def test_files_of_one_name_in_two_folders_stay_two(sales: Path, lake_root: Path) -> None:
    other = sales.parents[1] / "till 2" / "sales.csv"
    other.parent.mkdir()
    other.write_text("another")
    copies = reachable(run_on("yarn", lake_root), [str(sales), str(other)])
    assert [Path(copy).read_text() for copy in copies] == [sales.read_text(), "another"]


@pytest.mark.parametrize("file", ["s3a://corner/in/sales.csv", "hdfs://name/in/sales.csv", "file:///shared/sales.csv"])
def test_what_executors_reach_by_themselves_stays_where_it_is(file: str, lake_root: Path) -> None:
    assert reachable(run_on("yarn", lake_root), [file]) == [file]
    assert not lake_root.exists()


def test_a_run_that_was_killed_copies_no_file_twice(sales: Path, lake_root: Path) -> None:
    (copy,) = reachable(run_on("yarn", lake_root), [str(sales)])
    before = Path(copy).stat().st_mtime_ns
    assert reachable(run_on("yarn", lake_root), [str(sales)]) == [copy]
    assert Path(copy).stat().st_mtime_ns == before


def test_half_a_copy_is_made_whole(sales: Path, lake_root: Path) -> None:
    (copy,) = reachable(run_on("yarn", lake_root), [str(sales)])
    Path(copy).write_bytes(sales.read_bytes()[:5])
    assert reachable(run_on("yarn", lake_root), [str(sales)]) == [copy]
    assert Path(copy).read_bytes() == sales.read_bytes()


def test_a_folder_of_this_machine_is_refused_by_name(sales: Path, lake_root: Path) -> None:
    with pytest.raises(SourceError, match=rf"till 1: a folder of this machine; wanted .* file://{sales.parent}"):
        reachable(run_on("yarn", lake_root), [str(sales.parent)])
