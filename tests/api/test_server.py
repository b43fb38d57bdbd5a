"""The server itself, on the loopback: what clients send that mean it ill, or that are slow."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.conftest import ADDRESS, CONFIG, add, configs_of, indexed, token_of_service
from shelfcast import cli
from shelfcast.api import protocol
from shelfcast.api.app import make_app
from shelfcast.api.server import open_service, server_config

Address = tuple[str, int]
SLOW = 0.6


@contextmanager
def serving(
    root: Path, folder: Path, *changes: str, role: str = "planner", reach: str = "north"
) -> Iterator[tuple[Address, str]]:
    """An address at which the API is served by a thread of this process, and the token of a user in that role."""
    service = open_service(configs_of(root, folder, "serving.port=0", *changes))
    indexed(root, folder)
    token = token_of_service(service, add(service, "user", role, reach))["authorization"]
    server = uvicorn.Server(server_config(service))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.02)
        yield server.servers[0].sockets[0].getsockname()[:2], token
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def served(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEADER_SECONDS", SLOW)
        changes = (f"serving.limits.body_seconds={SLOW}", "serving.limits.body_bytes=2000")
        with serving(lake, tmp_path_factory.mktemp("served"), *changes) as found:
            yield found


def send(address: Address, *parts: bytes, pause: float = 0.0) -> tuple[int, dict[str, str], bytes]:
    """What is answered to raw bytes: status (0: the connection is closed without an answer), headers and body."""
    received = b""
    with socket.create_connection(address, timeout=20) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
            while chunk := client.recv(65536):
                received += chunk
        except ConnectionError:
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        return 0, {}, b""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert len(headers) == len(lines), "a header came twice"
    return int(first.split()[1]), headers, body


def request(method: str, target: str, token: str | None = None, *lines: str, body: bytes = b"") -> bytes:
    head = [f"{method} {target} HTTP/1.1", "host: shelf.test", "connection: close", *lines]
    head += [f"authorization: {token}"] if token else []
    head += (
        [f"content-length: {len(body)}"]
        if body and not any(line.startswith("content-length") for line in lines)
        else []
    )
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


JSON = "content-type: application/json"
PATHS = [
    "/../../../etc/passwd",
    "/v1/../../../../etc/passwd",
    "/v1/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/v1/orders/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/orders/%00",
    "//etc/passwd",
    "/v1/forecasts/..;/users",
    "/.env",
    "/V1/FORECASTS",
    "/static/../access.sqlite",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_to_no_file(served: tuple[Address, str], path: str) -> None:
    address, token = served
    status, headers, body = send(address, request("GET", path, token))
    assert status == 404
    assert headers["content-type"] == "application/problem+json"
    assert b"root:" not in body


QUERIES = {
    "a condition": "store_id=1'%20or%20'1'='1",
    "another statement": "product_id=p1';drop%20table%20forecasts;--",
    "a union": "category_id=x'%20union%20select%20*%20from%20origin--",
    "a zero byte": "store_id=%00",
    "no text": "store_id=%ff%fe",
    "a quote": "store_id=%22",
    "an emoji": "store_id=%F0%9F%98%80",
    "many": "store_id=" + "x" * 129,
    "twice": "store_id=1&store_id=2",
    "another's cursor": "cursor=WyJwcm9kdWN0IiwiMSIsInAxIiwieCcgb3IgMT0xIC0tIl0",
    "a number too large": "limit=99999999999999999999999",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_is_a_value_and_no_part_of_a_question(served: tuple[Address, str], query: str) -> None:
    address, token = served
    status, _, body = send(address, request("GET", f"/v1/forecasts?{query}", token))
    assert status in (200, 422)
    if status == 200:
        assert len(json.loads(body)["items"]) <= 12
    assert send(address, request("GET", "/v1/forecasts?store_id=1", token))[0] == 200


def test_what_a_client_sends_makes_no_header(served: tuple[Address, str]) -> None:
    address, token = served
    evil = "x%0d%0aset-cookie:%20shelfcast_session=mine"
    for target in (f"/v1/forecasts?limit=1&note={evil}", f"/v1/orders/{evil}"):
        _, headers, _ = send(address, request("GET", target, token, "x-request-id: a\tb; evil"))
        assert "set-cookie" not in headers
        assert headers["x-request-id"].isalnum()
    _, headers, _ = send(address, request("GET", "/health", None, "x-request-id: my-own-number"))
    assert headers["x-request-id"] == "my-own-number"


def test_every_answer_protects_itself(served: tuple[Address, str]) -> None:
    address, _ = served
    for target in ("/health", "/nothing"):
        _, headers, _ = send(address, request("GET", target))
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "deny"
        assert "server" not in headers


BODIES = {
    "no JSON": (b"{", 422),
    "no text": (b"\xff\xfe", 422),
    "a list": (b"[]", 422),
    "deep": (b"[" * 1500, 400),
    "half of a pair": (b'{"note": "\\ud800"}', 422),
    "too large": (b'{"note": "' + b"x" * 2000 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_none_is_refused(served: tuple[Address, str], body: bytes, status: int) -> None:
    address, token = served
    found, headers, _ = send(address, request("POST", "/v1/orders/north-1-p1/approve", token, JSON, body=body))
    assert (found, headers["content-type"]) == (status, "application/problem+json")


def test_a_body_that_hides_its_size_is_refused(served: tuple[Address, str]) -> None:
    address, token = served
    head = request("POST", "/v1/orders/north-1-p1/approve", token, JSON, "transfer-encoding: chunked")
    status, headers, _ = send(address, head, *[b"3e8\r\n" + b"x" * 1000 + b"\r\n"] * 3)
    assert (status, headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("size", ["-1", "a lot", "1e3", "99999999999999999999"])
def test_a_size_that_is_none_is_refused(served: tuple[Address, str], size: str) -> None:
    address, token = served
    head = request("POST", "/v1/orders/north-1-p1/approve", token, JSON, f"content-length: {size}", body=b"{}")
    assert send(address, head)[0] in (0, 400, 413)


def test_a_body_that_does_not_come_is_not_waited_for(served: tuple[Address, str]) -> None:
    address, token = served
    head = request("POST", "/v1/orders/north-1-p1/approve", token, JSON, "content-length: 100")
    started = time.monotonic()
    status, _, body = send(address, head + b"{")
    assert (status, json.loads(body)["detail"]) == (408, "body: too slow; wanted it sooner")
    assert time.monotonic() - started < SLOW + 10


def test_headers_that_do_not_end_are_not_waited_for(served: tuple[Address, str]) -> None:
    address, _ = served
    started = time.monotonic()
    status, _, _ = send(address, b"GET /health HTTP/1.1\r\n", *[b"x-drop: 1\r\n"] * 8, pause=SLOW / 4)
    assert status == 0
    assert time.monotonic() - started < 20 * SLOW


def test_many_who_are_slow_keep_nobody_waiting(served: tuple[Address, str]) -> None:
    address, token = served
    slow = [socket.create_connection(address) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(b"POST /v1/session HTTP/1.1\r\nhost: x\r\n")
        started = time.monotonic()
        assert send(address, request("GET", "/v1/forecasts?store_id=1", token))[0] == 200
        assert time.monotonic() - started < 5
    finally:
        for client in slow:
            client.close()


@pytest.mark.parametrize("path", ["/shop/health", "/health"], ids=["as it came", "without what the proxy knows"])
def test_it_can_stand_behind_a_proxy_and_under_a_path(lake: Path, tmp_path: Path, path: str) -> None:
    with serving(lake, tmp_path, f"serving.public_url={ADDRESS}/shop") as (address, _):
        assert send(address, request("GET", path))[0] == 200
        _, _, body = send(address, request("GET", path.replace("health", "openapi.json")))
        assert json.loads(body)["servers"] == [{"url": "/shop"}]


def test_a_lake_that_is_not_there_is_told_by_the_log_and_by_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service, told = open_service(configs_of(tmp_path / "nowhere", tmp_path)), f"lake {tmp_path}/nowhere: not there"
    with TestClient(make_app(service)) as client:
        until = time.monotonic() + 30
        while told not in (answer := client.get("/ready")).text:
            assert time.monotonic() < until, answer.text
            time.sleep(0.02)
        assert answer.status_code == 503
        assert (
            told in client.get("/v1/orders", headers=token_of_service(service, add(service, "ada", "viewer", "*"))).text
        )
    assert told in caplog.messages[0]


def serve_command(lake: Path, folder: Path, port: int) -> list[str]:
    changes = [f"lake={lake}", "region=north", f"serving.folder={folder}", f"serving.port={port}",
               f"inventory.decisions={folder / 'decisions'}"]  # fmt: skip
    return ["serve", "--config", str(CONFIG), *[word for change in changes for word in ("--set", change)]]


def test_where_the_port_is_taken_nothing_is_begun(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(serve_command(lake, tmp_path / "served", port)) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"shelfcast: serving.port: port {port} of 127.0.0.1 cannot be listened at: Address")
    assert said.out == "", "no link"
    assert not (tmp_path / "served").exists(), "no user either"


@pytest.mark.parametrize(("ended", "statuses"), [(signal.SIGTERM, (0, -15)), (signal.SIGINT, (130,))])
def test_the_command_serves_prints_where_to_look_and_ends_in_order(
    lake: Path, tmp_path: Path, ended: signal.Signals, statuses: tuple[int, ...]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    indexed(lake, tmp_path)
    words, log = serve_command(lake, tmp_path, port), tmp_path / "log"
    code = "import sys; from shelfcast.cli import main; sys.exit(main(sys.argv[1:]))"
    with log.open("w") as stderr:
        command = [sys.executable, "-c", code, *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        welcome, where = process.stdout.readline(), process.stdout.readline()
        assert welcome.startswith(f"user admin: choose a password within 24 hours at http://127.0.0.1:{port}/welcome#")
        assert where.startswith(f"serving north at http://127.0.0.1:{port} ")
        until = time.monotonic() + 60
        while send_or_nothing(("127.0.0.1", port)) != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        process.send_signal(ended)
        assert process.wait(30) in statuses
    assert "Traceback" not in log.read_text()


def send_or_nothing(address: Address) -> int:
    try:
        return send(address, request("GET", "/ready"))[0]
    except ConnectionError:
        return 0
