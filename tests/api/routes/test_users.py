import os
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import PASSWORD, add

Headers = Callable[..., dict[str, str]]


@pytest.fixture
def headers(as_user: Headers) -> dict[str, str]:
    """Of an admin of all."""
    return as_user("admin", "*")


@pytest.fixture
def name() -> str:
    return f"grace {os.urandom(4).hex()}"


def row_of(client: TestClient, headers: dict[str, str], name: str) -> dict[str, Any]:
    (row,) = (row for row in client.get("/v1/users", headers=headers).json() if row["name"] == name)
    return row


def change(client: TestClient, headers: dict[str, str], name: str, **asked: Any) -> Any:
    return client.patch(f"/v1/users/{name}", json=asked, headers=headers)


SINCE = {
    "another role": ({"role": "viewer"}, "viewer of north/1, north/2"),
    "a store less": ({"grants": ["north/1"]}, "planner of north/1"),
    "nothing left": ({"role": "viewer", "grants": []}, "viewer of nothing"),
    "shut": ({"disabled": True}, "planner of north/1, north/2, shut"),
}


@pytest.mark.parametrize(("since", "now"), SINCE.values(), ids=SINCE)
def test_a_user_whom_others_have_changed_since_is_not_changed(
    client: TestClient, headers: dict[str, str], name: str, since: dict[str, Any], now: str
) -> None:
    add(client, name, "planner", "north/1", "north/2")
    shown = row_of(client, headers, name)
    assert change(client, headers, name, **since).status_code == 204, "who sends no version is asked for none"
    known = row_of(client, headers, name)
    answer = change(client, headers, name, grants=["north/1", "north/2", "north/3"], version=shown["version"])
    told = f"user {name}: others have changed it since: {now}; wanted a look at it as it is now"
    assert (answer.status_code, answer.json()["detail"]) == (409, told)
    assert row_of(client, headers, name) == known
    assert change(client, headers, name, grants=["north/3"], version=known["version"]).status_code == 204
    assert row_of(client, headers, name)["grants"] == ["north/3"]


CHANGES = {
    "another role": ({"role": "planner"}, 401),
    "the same role, a store more": ({"role": "viewer", "grants": ["north/1", "north/2"]}, 200),
    "open as before": ({"disabled": False}, 200),
    "shut": ({"disabled": True}, 401),
}


@pytest.mark.parametrize(("asked", "status"), CHANGES.values(), ids=CHANGES)
def test_a_session_ends_with_the_role_or_the_account_alone(
    client: TestClient, headers: dict[str, str], name: str, asked: dict[str, Any], status: int
) -> None:
    add(client, name, "viewer", "north/1", password=PASSWORD)
    client.post("/v1/session", json={"name": name, "password": PASSWORD})
    cookie = {"cookie": f"shelfcast_session={client.cookies['shelfcast_session']}"}
    client.cookies.clear()
    assert client.get("/v1/session", headers=cookie).status_code == 200
    assert change(client, headers, name, **asked).status_code == 204
    assert client.get("/v1/session", headers=cookie).status_code == status
