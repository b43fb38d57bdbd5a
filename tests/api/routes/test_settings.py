from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import CONFIG, add, running, service_of, token_of
from shelfcast import config

LEAD, PACKS, TARGETS = "inventory.lead_days", "inventory.packs", "inventory.targets"


@pytest.fixture
def client(lake: Path, tmp_path: Path) -> Iterator[TestClient]:
    """An API on which nothing has been set."""
    with running(lake, tmp_path / "served") as client:
        client.headers.update(token_of(client, add(client, "planner of north", "planner", "north")))
        yield client


def change(client: TestClient, status: int = 200, version: str | None = None, **changes: Any) -> Any:
    named = {f"inventory.{name}": value for name, value in changes.items()}
    known = version or client.get("/v1/settings").json()["version"]
    answer = client.patch("/v1/settings", json={"version": known, "changes": named})
    assert answer.status_code == status, answer.text
    return answer.json()


def next_run(client: TestClient, *changes: str) -> Any:
    """The configuration as a job reads it."""
    path = service_of(client).configs["north"].adjustments
    return config.load(CONFIG, ["region=north", f"adjustments={path}", *changes]).inventory


def test_what_a_planner_sets_is_what_the_next_job_reads(client: TestClient) -> None:
    before = client.get("/v1/settings").json()
    assert (before["values"][LEAD], before["own"]) == (7, [])
    targets = {**before["values"][TARGETS], "AX": {"kind": "cycle_service", "level": 0.9}}
    after = change(client, lead_days=4, packs={"p1": 12}, targets=targets)
    assert (after["values"][LEAD], after["configured"][LEAD]) == (4, 7)
    assert after["own"] == [LEAD, PACKS, TARGETS]
    found = next_run(client)
    assert (found.lead_days, found.packs, found.targets["AX"].level) == (4, {"p1": 12}, 0.9)
    assert next_run(client, "inventory.lead_days=2").lead_days == 2, "what a run is told stands over all"


def test_null_goes_back_to_the_configuration(client: TestClient) -> None:
    change(client, lead_days=4, review_days=14)
    assert change(client, lead_days=None)["own"] == ["inventory.review_days"]
    assert (next_run(client).lead_days, next_run(client).review_days) == (7, 14)


def test_who_has_read_older_settings_is_refused(client: TestClient) -> None:
    version = client.get("/v1/settings").json()["version"]
    change(client, lead_days=4)
    assert "others have changed them" in change(client, 409, version, lead_days=5)["detail"]
    assert next_run(client).lead_days == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"lead_days": -1}, "inventory.lead_days: found -1", id="a time below nothing"),
        pytest.param({"packs": {"p1": 0}}, "inventory.packs.p1: found 0", id="a pack of nothing"),
        pytest.param({"targets": {}}, "a target for each of AX", id="classes that are left out"),
        pytest.param({"holding_rate": "much"}, "inventory.holding_rate: found 'much'", id="no number"),
        pytest.param({"decisions": "/etc"}, "inventory.decisions", id="a setting that is no planner's"),
    ],
)
def test_a_value_that_is_none_is_refused_and_named(client: TestClient, changes: dict[str, Any], said: str) -> None:
    assert said in change(client, 422, **changes)["detail"]
    assert client.get("/v1/settings").json()["own"] == []


def test_the_audit_tells_who_set_what(client: TestClient) -> None:
    change(client, lead_days=4)
    row = client.get("/v1/audit").json()[0]
    assert (row["action"], row["subject"], row["detail"]) == ("settings", "settings of region north", {LEAD: 4})


def test_settings_are_of_the_region_as_a_whole(client: TestClient) -> None:
    manager = token_of(client, add(client, "manager", "planner", "north/1"))
    body = {"version": client.get("/v1/settings").json()["version"], "changes": {LEAD: 4}}
    assert client.patch("/v1/settings", json=body, headers=manager).status_code == 403


def test_where_the_configuration_names_no_file_nothing_can_be_set(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path / "served", "adjustments=null") as client:
        client.headers.update(token_of(client, add(client, "planner", "planner", "north")))
        assert client.get("/v1/settings").status_code == 409
