import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shelfcast.api import decisions
from shelfcast.api.access.database import Database
from shelfcast.api.decisions import Outbox, add_decision, later_lines
from shelfcast.settings.serving import Serving

NORTH = ("north", date(2018, 1, 8))


class Server:
    """The part of a server that keeps decisions, and a clock that goes on a second with each."""

    def __init__(self, folder: Path) -> None:
        self.serving, self.orders = folder / "serving", folder / "decisions"
        self.clock, self.database = 0, Database(Serving(folder=str(self.serving)))

    def start(self) -> None:
        self.outbox = Outbox(self.database, {"north": self.orders})
        self.outbox.open()

    def decide(self, order_id: str, decision: Any, quantity: float = 6) -> None:
        self.clock += 1
        order = {"order_id": order_id, "store_id": "1", "vendor_id": "v", "product_id": "p", "from_store": None}
        with pytest.MonkeyPatch.context() as patch, self.database.begin() as connection:
            patch.setattr(decisions, "now", lambda: self.clock)
            add_decision(
                connection, "north", {**order, "need_by": "2018-01-15"}, decision, quantity, "ada", None, NORTH[1]
            )
        self.outbox.put(*NORTH)

    def restore(self, copy: Path) -> None:
        """As the runbook has it."""
        self.database.close()
        shutil.rmtree(self.serving)
        shutil.copytree(copy, self.serving)
        self.database = Database(Serving(folder=str(self.serving)))
        self.start()

    def told(self) -> dict[str, str]:
        """What lies where job collect_decisions reads: order -> decision, of one line each."""
        lines = (self.orders / f"{NORTH[1]}.jsonl").read_text(encoding="utf-8").splitlines()
        told = {row["order_id"]: row["decision"] for row in map(json.loads, lines)}
        assert len(told) == len(lines)
        return told


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.database.close()


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


def test_decisions_that_a_restored_database_does_not_know_stay_in_their_file(server: Server, tmp_path: Path) -> None:
    server.decide("a", "approved")
    server.decide("b", "approved")
    server.database.close()
    copy = Path(shutil.copytree(server.serving, tmp_path / "copy"))
    server.database = Database(Serving(folder=str(server.serving)))
    server.start()
    server.decide("b", "rejected")
    server.decide("c", "approved")
    server.restore(copy)
    assert server.told() == {"a": "approved", "b": "rejected", "c": "approved"}
    server.decide("a", "rejected")
    assert server.told() == {"a": "rejected", "b": "rejected", "c": "approved"}
    server.decide("b", "amended")
    server.decide("c", "amended")
    assert server.told() == {"a": "rejected", "b": "amended", "c": "amended"}


def test_the_last_word_is_the_one_made_last_though_the_clock_has_gone_back(server: Server) -> None:
    server.decide("a", "approved")
    server.clock = -10
    server.decide("a", "rejected")
    assert server.told() == {"a": "rejected"}


def test_a_file_that_tells_no_moments_is_not_written_anew_for_them() -> None:
    line = {"order_id": "a", "decision": "approved", "quantity": 6.0, "decided_on": "2018-01-08"}
    known = [("a", json.dumps({**line, "decided_at": 7}))]
    assert later_lines([json.dumps(line)], known) == [json.dumps(line)]
    assert later_lines([json.dumps({**line, "quantity": 5.0})], known) == [known[0][1]]


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"order": "a"}'])
def test_a_line_that_tells_of_no_order_stays_for_the_job_to_name(line: str) -> None:
    assert later_lines([line], [("a", '{"order_id": "a"}')]) == ['{"order_id": "a"}', line]
