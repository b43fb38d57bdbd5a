from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import CONFIG, add, running, service_of, token_of
from shelfcast import config
from shelfcast.settings import adjustments

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
        pytest.param(
            {"lead_days": 22},
            "inventory.lead_days + inventory.review_days: found 29 days; wanted 28 or fewer",
            id="a lead time beyond what is forecast",
        ),
        pytest.param({"review_days": 22}, "found 29 days; wanted 28", id="a review period beyond what is forecast"),
        pytest.param({"decisions": "/etc"}, "inventory.decisions", id="a setting that is no planner's"),
    ],
)
def test_a_value_that_is_none_is_refused_and_named(client: TestClient, changes: dict[str, Any], said: str) -> None:
    assert said in change(client, 422, **changes)["detail"]
    assert client.get("/v1/settings").json()["own"] == []


def test_going_back_is_no_way_beyond_what_is_forecast(client: TestClient) -> None:
    change(client, lead_days=0, review_days=28)
    assert "found 35 days; wanted 28" in change(client, 422, lead_days=None)["detail"]
    assert change(client, lead_days=None, review_days=None)["own"] == []


def test_the_audit_tells_who_set_what(client: TestClient) -> None:
    targets = client.get("/v1/settings").json()["values"][TARGETS]
    deeds = [
        ({"lead_days": 4}, {LEAD: (7, 4)}),
        ({"packs": {"p1": 6, "p2": 4}, "lead_days": 4}, {f"{PACKS}.p1": (None, 6), f"{PACKS}.p2": (None, 4)}),
        ({"packs": {"p1": 12, "p3": 2}}, {f"{PACKS}.{name}": pair for name, pair in
                                          {"p1": (6, 12), "p2": (4, None), "p3": (None, 2)}.items()}),
        ({"lead_days": None}, {LEAD: (4, 7)}),
        ({"targets": {**targets, "AX": {"kind": "fill_rate", "level": 0.9}}}, {f"{TARGETS}.AX.level": (0.98, 0.9)}),
    ]  # fmt: skip
    for changes, told in deeds:
        change(client, **changes)
        row = client.get("/v1/audit").json()[0]
        assert (row["action"], row["subject"]) == ("settings", "settings of region north")
        assert {key: (pair["before"], pair["after"]) for key, pair in row["detail"].items()} == told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"critical_ratio": 1.1}, "monitoring.critical_ratio: found 1.1", id="a critical ratio"),
        pytest.param({"warning_ratio": 5}, "warning_ratio, 5, or more", id="a warning beyond what is critical"),
        pytest.param({"critical_spreads": 1}, "warning_spreads, 3.5, or more", id="critical spreads"),
        pytest.param({"psi_warning": 0.05}, "psi_info, 0.1, or more", id="a drift"),
    ],
)
def test_a_graver_bound_is_not_met_before_the_lesser(client: TestClient, changes: dict[str, Any], said: str) -> None:
    version = client.get("/v1/settings").json()["version"]
    asked = {f"monitoring.{name}": value for name, value in changes.items()}
    answer = client.patch("/v1/settings", json={"version": version, "changes": asked})
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def test_packs_of_all_products_can_be_set_and_no_more_than_a_job_reads(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = {f"product {number:05}": 12 for number in range(4000)}
    assert len(change(client, packs=packs)["values"][PACKS]) == 4000
    assert len(next_run(client).packs) == 4000
    monkeypatch.setattr(adjustments, "MOST_BYTES", 100_000)
    more = {f"further {number:05}": 12 for number in range(1000)}
    assert change(client, 422, packs={**packs, **more})["detail"].startswith("adjustments: found")
    assert len(next_run(client).packs) == 4000
    assert len(client.get("/v1/audit").json()) == 1


def test_settings_are_of_the_region_as_a_whole(client: TestClient) -> None:
    manager = token_of(client, add(client, "manager", "planner", "north/1"))
    body = {"version": client.get("/v1/settings").json()["version"], "changes": {LEAD: 4}}
    assert client.patch("/v1/settings", json=body, headers=manager).status_code == 403


def test_where_the_configuration_names_no_file_nothing_can_be_set(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path / "served", "adjustments=null") as client:
        client.headers.update(token_of(client, add(client, "planner", "planner", "north")))
        assert client.get("/v1/settings").status_code == 409
