import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shelfcast.errors import ConfigError, TransientError
from shelfcast.monitoring import delivery

ALERTS = [
    {"alert_id": f"a{n}", "since": "2017-08-02", "severity": "critical", "reason": f"store {n}: nothing sold"}
    for n in (1, 2)
]
# As the file has them.
OF_TINY = [{"region": "tiny", **alert} for alert in ALERTS]


class Receiver:
    """A webhook on the loopback that answers as told, the last answer for ever; what it got."""

    def __init__(self) -> None:
        self.answers = [200]
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), json.loads(body)))
                self.answer(receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0])

            def do_GET(self) -> None:
                self.answer(200)

            def answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(delivery, "_PAUSE", 0.01)
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def post(address: str, tries: int = 3) -> None:
    delivery.post(address, "tiny", ALERTS, 2.0, tries)


def test_a_webhook_gets_the_alerts_whole_and_a_text_to_show(receiver: Receiver) -> None:
    post(receiver.address)
    ((headers, body),) = receiver.got
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "region": "tiny",
        "text": "critical: store 1: nothing sold\ncritical: store 2: nothing sold",
        "alerts": ALERTS,
    }


def test_what_fails_for_a_while_is_tried_again_under_the_same_key(receiver: Receiver) -> None:
    receiver.answers = [503, 429, 204]
    post(receiver.address)
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 3


@pytest.mark.parametrize(
    ("answers", "tries", "said"),
    [
        pytest.param([503], 3, "HTTP 503, tries 3", id="503"),
        pytest.param([403], 1, "HTTP 403, tries 1", id="403"),
        *(
            pytest.param([each], 1, f"HTTP {each}, tries 1", id=f"redirected-by-{each}")
            for each in (301, 302, 303, 307)
        ),
    ],
)
def test_what_fails_for_good_names_the_host_and_no_secret(
    receiver: Receiver, answers: list[int], tries: int, said: str
) -> None:
    receiver.answers = answers
    with pytest.raises(TransientError) as error:
        post(receiver.address)
    assert said in str(error.value)
    assert "127.0.0.1" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert len(receiver.got) == tries


def test_a_webhook_that_nobody_runs_is_a_failure_in_a_line(receiver: Receiver) -> None:
    receiver.server.server_close()
    with pytest.raises(TransientError, match=r"webhook of 127\.0\.0\.1: .*refused.*, tries 2"):
        post(receiver.address, tries=2)


@pytest.mark.parametrize("value", ["", "file:///etc/passwd", "s3cret"], ids=["nothing", "a-file", "no-scheme"])
def test_a_variable_without_an_address_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HOOK", value)
    with pytest.raises(ConfigError, match="environment variable HOOK holds no address") as error:
        delivery.address_in("HOOK")
    assert not value or value not in str(error.value)


def test_a_file_gets_each_alert_once(tmp_path: Path) -> None:
    path = tmp_path / "out" / "alerts.jsonl"
    assert delivery.append_lines(path, "tiny", ALERTS[:1]) == 1
    assert delivery.append_lines(path, "tiny", ALERTS) == 1
    assert [json.loads(line) for line in path.read_text().splitlines()] == OF_TINY


def test_an_alert_that_comes_again_is_told_anew(receiver: Receiver, tmp_path: Path) -> None:
    path, again = tmp_path / "alerts.jsonl", [ALERTS[0], {**ALERTS[1], "since": "2018-08-02"}]
    delivery.append_lines(path, "tiny", ALERTS)
    assert delivery.append_lines(path, "tiny", again) == 1
    for alerts in (ALERTS, again):
        delivery.post(receiver.address, "tiny", alerts, 2.0, 3)
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 2


def test_a_line_that_a_killed_run_left_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text(json.dumps(OF_TINY[0]) + "\n" + '{"alert_id": "a2", "sev')
    delivery.append_lines(path, "tiny", ALERTS)
    assert [json.loads(line) for line in path.read_text().splitlines()] == OF_TINY


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="blank"),
        pytest.param(b"# rotated", id="no-json"),
        pytest.param(b"[1, 2]", id="no-object"),
        pytest.param(b'{"level": "info"}', id="another-program-s"),
        pytest.param(b'{"alert_id": "a1", "since": []}', id="no-day"),
        pytest.param(b"\xff\xfe", id="no-text"),
    ],
)
def test_a_line_that_tells_of_no_alert_stays_and_is_passed_over(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(line + b"\n" + json.dumps(OF_TINY[0]).encode() + b"\n")
    assert delivery.append_lines(path, "tiny", ALERTS) == 1
    first, *others = path.read_bytes().splitlines()
    assert first == line
    assert [json.loads(other) for other in others] == OF_TINY


def test_the_same_alert_of_two_regions_is_two(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    for region in ("north", "south"):
        assert delivery.append_lines(path, region, ALERTS[:1]) == 1
        delivery.post(receiver.address, region, ALERTS[:1], 2.0, 3)
    assert [json.loads(line)["region"] for line in path.read_text().splitlines()] == ["north", "south"]
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 2


def test_a_line_of_before_which_names_no_region_keeps_back_no_alert(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text(json.dumps(ALERTS[0]) + "\n")
    assert delivery.append_lines(path, "tiny", ALERTS) == 2
    assert [json.loads(line) for line in path.read_text().splitlines()] == [ALERTS[0], *OF_TINY]


def test_regions_that_write_at_once_lose_no_line_of_one_another(tmp_path: Path) -> None:
    path, regions = tmp_path / "alerts.jsonl", [f"region {n}" for n in range(4)]
    days = [{**ALERTS[0], "since": f"2017-08-{day:02}"} for day in range(1, 26)]

    def write(region: str) -> None:
        for alert in days:
            delivery.append_lines(path, region, [alert])

    with ThreadPoolExecutor(len(regions)) as threads:
        list(threads.map(write, regions))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {(line["region"], line["since"]) for line in lines} == {
        (region, alert["since"]) for region in regions for alert in days
    }
    assert len(lines) == len(regions) * len(days)
