"""Users, tokens, decisions and audit in PostgreSQL, as several processes that serve share them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import servers
from api.conftest import PASSWORD, add, configs_of, running, service_of, token_of
from api.lake import order_id
from shelfcast.api.access.accounts import AccountError, add_user, change_user, list_users
from shelfcast.api.access.database import PASSWORD_VARIABLE, Database
from shelfcast.api.access.principal import Grant, Role
from shelfcast.api.access.tables import METADATA
from shelfcast.api.decisions import hold_order
from shelfcast.api.server import first_link
from shelfcast.errors import ConfigError


@pytest.fixture
def address(postgresql: servers.Sql, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(PASSWORD_VARIABLE, servers.PASSWORD)
    return f"postgresql+pg8000://shop@127.0.0.1:{postgresql.process.port}/postgres"


@pytest.fixture
def client(lake: Path, tmp_path: Path, address: str) -> Iterator[TestClient]:
    with running(lake, tmp_path, f"serving.database={address}") as client:
        yield client
        METADATA.drop_all(service_of(client).database.engine)


def test_who_is_let_in_decides_and_is_audited(client: TestClient) -> None:
    link = first_link(service_of(client))
    assert client.post("/v1/welcome", json={"link": link, "password": PASSWORD}).status_code == 204
    signed_in = client.post("/v1/session", json={"name": "admin", "password": PASSWORD})
    assert signed_in.json()["grants"] == ["*"]
    own = {"x-csrf-token": signed_in.json()["csrf"]}
    token = client.post("/v1/tokens", json={"label": "export", "days": 1}, headers=own).json()["token"]
    client.cookies.clear()
    headers, order = {"authorization": f"Bearer {token}"}, order_id("north", "1", "p1")
    asked = {"name": "ada", "role": "planner", "grants": ["north/1", "south"]}
    assert client.post("/v1/users", json=asked, headers=headers).status_code == 201
    assert client.post(f"/v1/orders/{order}/approve", headers=headers).status_code == 200
    decided = client.get("/v1/orders", params={"region": "north", "open": False}, headers=headers).json()["items"]
    assert [(row["order_id"], row["decision"]["decision"]) for row in decided] == [(order, "approved")]
    told = [row["action"] for row in client.get("/v1/audit", headers=headers).json()]
    assert told == ["approved", "user_added", "token", "sign_in", "password"]
    assert client.get("/ready").status_code == 200


def test_wrong_passwords_that_come_at_once_are_all_counted(client: TestClient) -> None:
    add(client, "ada", "viewer", "north", password=PASSWORD)
    wrong = {"name": "ada", "password": "a wrong one, at length"}
    with ThreadPoolExecutor(5) as threads:
        found = list(threads.map(lambda _: client.post("/v1/session", json=wrong).status_code, range(5)))
    assert found == [401] * 5
    assert client.post("/v1/session", json={**wrong, "password": PASSWORD}).status_code == 401, "it is locked"


def test_of_two_who_decide_on_an_order_at_once_the_second_waits_for_the_first(client: TestClient) -> None:
    service, number = service_of(client), order_id("north", "1", "p1")
    headers = token_of(client, add(client, "ada", "planner", "north"))
    with ThreadPoolExecutor(1) as threads:
        with service.database.begin() as connection:
            hold_order(connection, "north", number)
            second = threads.submit(client.post, f"/v1/orders/{number}/reject", headers=headers)
            with pytest.raises(TimeoutError):
                second.result(timeout=1)
        assert second.result(timeout=60).status_code == 200


def test_of_two_who_change_a_user_at_once_the_second_sees_what_the_first_did(client: TestClient) -> None:
    headers = token_of(client, add(client, "ada", "admin", "*"))
    add(client, "grace", "viewer", "north/1")
    version = client.get("/v1/users", headers=headers).json()[1]["version"]
    with ThreadPoolExecutor(1) as threads:
        with service_of(client).database.begin() as connection:
            change_user(connection, "grace", role="planner")
            asked = {"grants": ["north/1", "north/2"], "version": version}
            second = threads.submit(client.patch, "/v1/users/grace", json=asked, headers=headers)
            with pytest.raises(TimeoutError):
                second.result(timeout=1)
        assert second.result(timeout=60).status_code == 409


def test_a_text_that_the_database_does_not_keep_is_refused(client: TestClient) -> None:
    headers = token_of(client, add(client, "ada", "admin", "*"))
    asked = {"name": "a\x00b", "password": PASSWORD}
    assert client.post("/v1/session", json=asked).status_code == 422
    assert client.get("/v1/audit", params={"subject": "a\x00b"}, headers=headers).status_code == 422


def test_a_name_is_given_once(client: TestClient) -> None:
    add(client, "ada", "viewer", "north")
    with service_of(client).database.begin() as connection:
        with pytest.raises(AccountError, match="user ada: there already"):
            add_user(connection, "ada", Role.ADMIN, [Grant("north")])
        add_user(connection, "bob", Role.VIEWER, [Grant("north")])
        assert [user["name"] for user in list_users(connection)] == ["ada", "bob"]


def test_a_wrong_password_of_the_database_is_told_in_a_line_without_it(
    lake: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, PASSWORD_VARIABLE, "not-the-word")
    with pytest.raises(
        ConfigError, match=r"serving\.database: postgresql\+pg8000://shop:\*\*\*@\S+ cannot be used"
    ) as told:
        Database(configs_of(lake, tmp_path, f"serving.database={address}")[0].serving)
    assert "not-the-word" not in str(told.value)
