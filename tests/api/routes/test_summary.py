from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import add, running, service_of, token_of
from api.lake import AHEAD, DAY, mean_of, publish, publish_without_plan, write_lake
from shelfcast.api.access.principal import Grant, Principal, Role
from shelfcast.api.routes import summary as routes
from shelfcast.api.summary import risks_by_value
from shelfcast.api.view import views

Headers = Callable[..., dict[str, str]]


def summary(client: TestClient, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/summary", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_day_adds_up_over_the_stores_that_one_reaches(client: TestClient, as_user: Headers) -> None:
    whole, own = (summary(client, as_user("viewer", grant), region="north") for grant in ("north", "north/2"))
    assert (whole["stores"], own["stores"]) == (3, 1)
    assert (whole["suggested"]["orders"], own["suggested"]["orders"]) == (9, 3)
    assert (whole["suggested"]["cost"], own["suggested"]["undecided"]) == (9 * 36.5, 3)
    assert whole["stock"]["value"] == 12 * 10.0
    assert [row["products"] for row in whole["risks"]] == [3, 0]
    assert {row["severity"]: row["alerts"] for row in whole["alerts"]} == {"critical": 1, "warning": 3}
    assert {row["severity"]: row["alerts"] for row in own["alerts"]} == {"warning": 1}
    assert own["ahead"][0]["week"] == str(AHEAD[0])
    expected = sum(mean_of("north", "2", product) for product in ("p1", "p2", "p3", "p/4 ü"))
    assert own["ahead"][0]["mean"] == pytest.approx(expected)


def test_service_is_what_is_met_of_the_demand_of_lead_time_and_review(client: TestClient, as_user: Headers) -> None:
    found = summary(client, as_user("viewer", "north/2"))["service"]
    demand = sum(mean_of("north", "2", product) / 7 * 12 for product in ("p1", "p2", "p3", "p/4 ü"))
    assert found["served"] == pytest.approx(1 - 4 * 3.0 / demand)
    assert (found["products"], found["target"], found["empty"]) == (4, pytest.approx(0.98), 0)


def test_a_decision_leaves_less_to_decide_on(client: TestClient, as_user: Headers) -> None:
    planner = as_user("planner", "south/9")
    before = summary(client, planner)["suggested"]["undecided"]
    assert client.post("/v1/orders/south-9-p1/approve", headers=planner).status_code == 200
    assert summary(client, planner)["suggested"]["undecided"] == before - 1


def test_what_the_client_has_is_not_added_up_again(
    client: TestClient, as_user: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = as_user("planner", "south/9")

    def ask(etag: str) -> Any:
        return client.get("/v1/summary", headers={**planner, "if-none-match": etag})

    known = ask("").headers["etag"]
    with monkeypatch.context() as patch:
        patch.setattr(routes, "summary", lambda *_: pytest.fail("it was added up"))
        assert ask(known).status_code == 304
    assert client.post("/v1/orders/south-9-p2/approve", headers=planner).status_code == 200
    assert ask(known).status_code == 200


def test_where_no_day_is_published_before_nothing_is_compared(client: TestClient, as_user: Headers) -> None:
    found = summary(client, as_user("viewer", "south"))
    assert (found["before"], found["suggested_before"]) == (None, None)
    assert [row["new"] for row in found["risks"]] == [None, None]


def test_with_a_day_of_which_no_plan_is_published_no_risk_is_new_and_no_order_more(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    publish(root, "north", {}, "yesterday's", DAY - timedelta(days=1))
    with running(root, tmp_path / "served") as client:
        headers = token_of(client, add(client, "ada", "viewer", "north"))
        found = summary(client, headers)
        assert (found["before"], found["suggested_before"]) == (str(DAY - timedelta(days=1)), None)
        assert [(row["new"], row["gone"]) for row in found["risks"]] == [(None, None)] * 2
        assert {row["severity"]: row["new"] for row in found["alerts"]} == {"critical": 1, "warning": 3}
        (view,) = views(service_of(client), Principal(1, "ada", Role.VIEWER, frozenset({Grant("north")}), "token"))
        assert [risk.is_new for risk in risks_by_value(view).all(view)] == [None] * 3


def test_whether_a_plan_is_published_is_told(client: TestClient, as_user: Headers, tmp_path: Path) -> None:
    assert summary(client, as_user("viewer", "north/2"))["planned"]
    root = write_lake(tmp_path / "lake")
    publish_without_plan(root, "north")
    with running(root, tmp_path / "served") as other:
        headers = token_of(other, add(other, "ada", "viewer", "*"))
        assert [summary(other, headers, region=region)["planned"] for region in ("north", "south")] == [False, True]
