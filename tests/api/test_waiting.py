"""What waits for something else than Python keeps nobody who computes waiting."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shelfcast.api.routes import account, summary, uploads


@pytest.mark.parametrize(
    ("module", "slow", "path", "sent"),
    [
        pytest.param(account, "knows_password", "/v1/session", {"json": {"name": "n", "password": "p"}}, id="sign-in"),
        pytest.param(account, "use_link", "/v1/welcome", {"json": {"link": "l", "password": "p"}}, id="a-password"),
        pytest.param(uploads, "judge", "/v1/uploads", {"content": b"a,b\n1,2\n"}, id="an-upload"),
    ],
)
def test_requests_are_answered_while_one_waits(
    client: TestClient,
    as_user: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    module: Any, slow: str, path: str, sent: dict[str, Any],
) -> None:  # fmt: skip
    begun, go_on = threading.Event(), threading.Event()

    def waiting(*_: Any) -> None:
        begun.set()
        assert go_on.wait(60)
        raise ConnectionError("it came back")

    monkeypatch.setattr(module, slow, waiting)
    monkeypatch.setattr(uploads, "form_of", lambda _: None)
    headers = as_user("planner", "north")
    waits = threading.Thread(target=client.post, args=(path,), kwargs={**sent, "headers": headers})
    waits.start()
    try:
        assert begun.wait(60)
        assert client.get("/v1/stores", headers=headers).status_code == 200
        assert waits.is_alive()
    finally:
        go_on.set()
        waits.join()


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_who_asks_whether_it_lives_is_answered_while_another_s_answer_is_computed(
    client: TestClient, as_user: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def computing(*_: Any) -> None:
        begun.set()
        assert go_on.wait(60)
        raise ConnectionError("it came back")

    monkeypatch.setattr(summary, "summary", computing)
    asked = {"params": {"region": "north"}, "headers": as_user("viewer", "north")}
    computes = threading.Thread(target=client.get, args=("/v1/summary",), kwargs=asked)
    answers: list[int] = []
    asks = threading.Thread(target=lambda: answers.append(client.get(path).status_code))
    computes.start()
    try:
        assert begun.wait(60)
        asks.start()
        asks.join(20)
        assert answers == [200]
    finally:
        go_on.set()
        computes.join()
