from collections.abc import Iterator
from pathlib import Path

import pytest

from api.conftest import wait_for
from api.lake import TABLES, publish, write_lake, write_region
from shelfcast.api.index.reading import Indexes
from shelfcast.api.index.refresh import Refresh
from shelfcast.api.reader import Lake, Publication
from shelfcast.errors import LakeError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_lake(tmp_path / "lake")


@pytest.fixture
def indexes() -> Indexes:
    return Indexes()


@pytest.fixture
def refresh(root: Path, tmp_path: Path, indexes: Indexes) -> Iterator[Refresh]:
    refresh = Refresh(str(root), tmp_path / "index", indexes, seconds=0.1)
    yield refresh
    refresh.stop()


def run_of(indexes: Indexes, region: str = "north") -> str | None:
    index = indexes.find(region)
    return None if index is None else index.origin["run_id"]


def test_a_new_publication_takes_the_place_of_the_one_before(root: Path, refresh: Refresh, indexes: Indexes) -> None:
    refresh.start()
    wait_for(lambda: indexes.regions == ["north", "south"])
    before = indexes.find("north")
    write_region(root, "north", run_id="next", minute=1)
    wait_for(lambda: run_of(indexes) == "next")
    assert run_of(indexes, "south") == "run"
    # A request that has begun reads on in what it began with.
    assert len(before.rows("select * from orders")) == 9


def test_what_cannot_be_built_leaves_what_is_there_and_is_told(root: Path, refresh: Refresh, indexes: Indexes) -> None:
    refresh.refresh()
    publish(root, "north", {table.name: 99 for table, _ in TABLES}, "broken", minute=2)
    with pytest.raises(LakeError, match=r"index of region north: not built: table \S+: version 99 cannot be read"):
        refresh.refresh()
    assert run_of(indexes) == "run"
    refresh.start()
    wait_for(lambda: refresh.problem is not None)
    write_region(root, "north", run_id="mended", minute=3)
    wait_for(lambda: run_of(indexes) == "mended" and refresh.problem is None)


def test_a_region_that_cannot_be_built_keeps_no_other_waiting(root: Path, refresh: Refresh, indexes: Indexes) -> None:
    refresh.refresh()
    publish(root, "north", {table.name: 99 for table, _ in TABLES}, "broken", minute=2)
    write_region(root, "south", run_id="next", minute=2)
    with pytest.raises(LakeError, match="index of region north: not built"):
        refresh.refresh()
    assert (run_of(indexes), run_of(indexes, "south")) == ("run", "next")


def test_of_several_that_cannot_be_built_each_is_told(root: Path, refresh: Refresh) -> None:
    for region in ("north", "south"):
        publish(root, region, {table.name: 99 for table, _ in TABLES}, "broken", minute=2)
    with pytest.raises(LakeError, match=r"index of region north: not built.*; index of region south: not built"):
        refresh.refresh()


def test_what_nobody_foresaw_is_told_and_the_next_look_taken(
    refresh: Refresh, indexes: Indexes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    once = iter([ValueError("no such type")])

    def newest(lake: Lake) -> dict[str, Publication]:
        for error in once:
            raise error
        return found(lake)

    found = Lake.newest_publications
    monkeypatch.setattr(Lake, "newest_publications", newest)
    refresh.start()
    wait_for(lambda: indexes.regions == ["north", "south"] and refresh.problem is None)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.getMessage(), record.exc_info is None) == ("index: no such type", False)


def test_what_was_served_last_is_served_while_the_lake_is_away(root: Path, tmp_path: Path, refresh: Refresh) -> None:
    refresh.refresh()
    (root / "monitoring" / "publications" / "_delta_log" / "00000000000000000000.json").write_text("no log")
    later = Indexes()
    again = Refresh(str(root), tmp_path / "index", later, seconds=0.1)
    again.start()
    try:
        wait_for(lambda: run_of(later) == "run" and again.problem is not None)
    finally:
        again.stop()
    assert "monitoring/publications cannot be read" in again.problem


def test_what_fails_is_told_by_its_name_and_of_several_what_nobody_foresaw_with_its_trace(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise OSError("no space left")

    def fail(_: Refresh, publication: Publication) -> None:
        raise ValueError(f"{publication.region} is odd")

    monkeypatch.setattr(Refresh, "_renew", fail)
    refresh = Refresh(str(root), tmp_path / "index", Indexes(), seconds=60, also={"decisions": full})
    refresh.start()
    wait_for(lambda: refresh.problem is not None)
    refresh.stop()
    assert refresh.problem == "north is odd; south is odd; no space left"
    odd, out = (record for record in caplog.records if record.levelname == "ERROR")
    assert (odd.getMessage(), out.getMessage()) == ("index: north is odd; south is odd", "decisions: no space left")
    traced = odd.exc_info[1].__cause__ if odd.exc_info else None
    assert isinstance(traced, ExceptionGroup)
    assert (len(traced.exceptions), out.exc_info) == (2, None)
