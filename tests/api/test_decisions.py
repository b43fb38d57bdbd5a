from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from shelfcast.api.access.database import Database
from shelfcast.api.decisions import Outbox
from shelfcast.settings.serving import Serving

NORTH = ("north", date(2018, 1, 8))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    database = Database(Serving(folder=str(tmp_path)))
    yield Outbox(database, {"north": tmp_path})
    database.close()


def test_what_is_decided_while_its_file_is_written_waits_for_its_own_turn(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def write(self: Outbox, region: str, day: date) -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            # As another thread does, after this one has read what is decided.
            self.put(region, day)
        elif len(tried) == 2:
            raise OSError("no space left")

    monkeypatch.setattr(Outbox, "_write", write)
    outbox.put(*NORTH)
    assert len(tried) == 2
    outbox.deliver()
    assert len(tried) == 3
    outbox.deliver()
    assert len(tried) == 3


def test_what_is_not_written_for_whatever_reason_waits(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_write", fail)
        with pytest.raises(RuntimeError):
            outbox.put(*NORTH)
    tried: list[tuple[object, ...]] = []
    monkeypatch.setattr(Outbox, "_write", lambda _, *file: tried.append(file))
    outbox.deliver()
    assert tried == [NORTH]
