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

    @property
    def file(self) -> Path:
        return self.orders / f"{NORTH[1]}.jsonl"

    def start(self) -> None:
        self.outbox = Outbox(self.database, {"north": self.orders})
        self.outbox.open()

    def decide(self, order_id: str, decision: Any, quantity: float = 6) -> None:
        self.keep(order_id, decision, quantity)
        self.outbox.put(*NORTH, order_id)

    def keep(self, order_id: str, decision: Any, quantity: float = 6) -> None:
        """Decide, and be killed before it is told."""
        self.clock += 1
        order = {"order_id": order_id, "store_id": "1", "vendor_id": "v", "product_id": "p", "from_store": None}
        with pytest.MonkeyPatch.context() as patch, self.database.begin() as connection:
            patch.setattr(decisions, "now", lambda: self.clock)
            add_decision(
                connection, "north", {**order, "need_by": "2018-01-15"}, decision, quantity, "ada", None, NORTH[1]
            )

    def restore(self, copy: Path) -> None:
        """As the runbook has it."""
        self.database.close()
        shutil.rmtree(self.serving)
        shutil.copytree(copy, self.serving)
        self.database = Database(Serving(folder=str(self.serving)))
        self.start()

    def told(self) -> dict[str, str]:
        """What job collect_decisions reads: order -> the decision of its last line."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return {row["order_id"]: row["decision"] for row in map(json.loads, lines)}


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
            self.put(region, day, "b")
        elif len(tried) == 2:
            raise OSError("no space left")

    monkeypatch.setattr(Outbox, "_append", lambda *_: False)
    monkeypatch.setattr(Outbox, "_write", write)
    outbox.put(*NORTH, "a")
    assert len(tried) == 2
    outbox.deliver()
    assert len(tried) == 3
    outbox.deliver()
    assert len(tried) == 3


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("_append", id="at the end of its file"),
        pytest.param("_write", id="in a file made anew"),
    ],
)
def test_what_is_not_written_for_whatever_reason_waits(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_append", lambda *_: False)
        patch.setattr(Outbox, how, fail)
        with pytest.raises(RuntimeError):
            outbox.put(*NORTH, "a")
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
    server.start()
    assert server.told() == {"a": "rejected"}


def test_the_last_word_is_the_one_made_last_though_another_server_tells_it_first(server: Server) -> None:
    other = Outbox(server.database, {"north": server.orders})
    server.decide("a", "amended")
    server.keep("a", "approved")
    server.keep("a", "rejected")
    other.put(*NORTH, "a")
    server.outbox.put(*NORTH, "a")
    assert server.told() == {"a": "rejected"}


def test_a_decision_is_a_line_at_the_end_and_of_the_day_s_others_nothing_is_read_or_written(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.decide("a", "approved")
    before, number = server.file.read_bytes(), server.file.stat().st_ino
    monkeypatch.setattr(Outbox, "_known", None)
    server.decide("b", "approved")
    server.decide("a", "rejected")
    after = server.file.read_bytes()
    assert server.file.stat().st_ino == number
    assert after.startswith(before)
    assert len(after.splitlines()) == 3
    assert server.told() == {"a": "rejected", "b": "approved"}


def test_a_server_that_starts_leaves_a_file_that_tells_all_as_it_is(server: Server) -> None:
    """Written anew, it would be later than a file that somebody has laid beside it since."""
    for order_id, decision in (("a", "approved"), ("b", "approved"), ("a", "rejected")):
        server.decide(order_id, decision)
    before = server.file.stat()
    server.start()
    assert server.file.stat() == before


def test_a_decision_that_a_killed_server_has_not_told_is_told_when_it_starts(server: Server) -> None:
    server.decide("a", "approved")
    server.keep("a", "rejected")
    server.keep("b", "approved")
    server.start()
    assert server.told() == {"a": "rejected", "b": "approved"}


TORN = {
    "within a line": b'{"order_id": "b", "store_',
    "within a character": '{"order_id": "\u00fc'.encode()[:-1],
    "before what was written reached the disk": bytes(40),
    "before the end of a line": json.dumps({"order_id": "b", "decision": "rejected"}).encode(),
}


@pytest.mark.parametrize("end", TORN.values(), ids=TORN)
@pytest.mark.parametrize("is_restarted", [True, False], ids=["at a start", "at the next decision"])
def test_a_file_that_was_cut_off_is_made_whole(server: Server, end: bytes, is_restarted: bool) -> None:
    server.decide("a", "approved")
    with server.file.open("ab") as file:
        file.write(end)
    server.start() if is_restarted else server.decide("c", "approved")
    whole = {"b": "rejected"} if end.endswith(b"}") else {}
    assert server.told() == {"a": "approved", **whole, **({} if is_restarted else {"c": "approved"})}
    assert server.file.read_bytes().endswith(b"\n")


def test_a_line_that_the_disk_has_no_room_for_is_told_whole_or_not_at_all(server: Server) -> None:
    resource = pytest.importorskip("resource")
    server.decide("a", "approved")
    before, limits = server.file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    server.keep("b", "approved")
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        server.outbox.put(*NORTH, "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert server.file.read_bytes() == before
    server.outbox.deliver()
    assert server.told() == {"a": "approved", "b": "approved"}


def test_a_file_that_tells_no_moments_is_not_written_anew_for_them() -> None:
    line = {"order_id": "a", "decision": "approved", "quantity": 6.0, "decided_on": "2018-01-08"}
    known = [("a", json.dumps({**line, "decided_at": 7}))]
    assert later_lines([json.dumps(line)], known) == [json.dumps(line)]
    assert later_lines([json.dumps({**line, "quantity": 5.0})], known) == [known[0][1]]


def test_of_an_order_that_the_file_alone_tells_twice_the_last_line_counts_whatever_the_clock_was() -> None:
    told = [json.dumps({"order_id": "a", "decision": word, "decided_at": at}) for word, at in (("r", 9), ("s", 5))]
    assert later_lines(told, [("a", '{"order_id": "a", "decided_at": 1}')]) == told[1:]


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"order": "a"}'])
def test_a_line_that_tells_of_no_order_stays_for_the_job_to_name(line: str) -> None:
    assert later_lines([line], [("a", '{"order_id": "a"}')]) == ['{"order_id": "a"}', line]
