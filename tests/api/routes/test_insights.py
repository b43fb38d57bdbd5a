from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.lake import DAY

Headers = Callable[..., dict[str, str]]


def items(client: TestClient, headers: dict[str, str], path: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_regions_are_those_that_one_reaches(client: TestClient, as_user: Headers) -> None:
    found = client.get("/v1/regions", headers=as_user("viewer", "north/2", "north/3", "elsewhere")).json()
    assert [(row["region"], row["forecast_date"], row["stores"]) for row in found] == [("north", str(DAY), ["2", "3"])]
    everything = client.get("/v1/regions", headers=as_user("viewer", "*")).json()
    assert [(row["region"], row["stores"]) for row in everything] == [("north", None), ("south", None)]


SEARCHES = {"brand of p1": ["p1"], "BRAND": ["p/4 ü", "p1", "p2", "p3"], "%": [], "_": [], "' or 1=1 --": [], "\\": []}


@pytest.mark.parametrize(("text", "found"), SEARCHES.items(), ids=SEARCHES)
def test_products_are_found_by_what_their_names_hold(
    client: TestClient, as_user: Headers, text: str, found: list[str]
) -> None:
    headers = as_user("viewer", "north")
    assert [row["product_id"] for row in items(client, headers, "/v1/products", search=text)] == found


def test_alerts_of_the_region_as_a_whole_are_for_who_reaches_it(client: TestClient, as_user: Headers) -> None:
    whole = items(client, as_user("viewer", "north"), "/v1/alerts")
    assert [row["store_id"] for row in whole] == [None, "1", "2", "3"], "the worst first"
    first = client.get("/v1/alerts", params={"limit": 1}, headers=as_user("viewer", "north")).json()
    assert [row["severity"] for row in first["items"]] == ["critical"]
    second = items(client, as_user("viewer", "north"), "/v1/alerts", limit=1, cursor=first["next"])
    assert [row["store_id"] for row in second] == ["1"]
    assert [row["store_id"] for row in items(client, as_user("viewer", "north/2"), "/v1/alerts")] == ["2"]
    (late,) = items(client, as_user("viewer", "north"), "/v1/alerts", severity="critical")
    assert (late["reason"], late["held"]) == ("a day late", False)


def test_the_leaderboard_tells_who_is_champion_and_the_models_what_they_learned_from(
    client: TestClient, as_user: Headers
) -> None:
    headers = as_user("viewer", "north/2")
    board = items(client, headers, "/v1/leaderboard", panel="product")
    assert [(row["model"], row["champion"]) for row in board] == [
        ("moving_average", "mean and median"),
        ("naive", None),
    ]
    (champion, _) = items(client, headers, "/v1/champions", panel="product")
    assert (champion["model"], champion["scores"]["wape"]) == ("moving_average", 0.3)
    (model,) = items(client, headers, "/v1/models")
    assert (model["git_commit"], model["training_tables"]) == ("abc", {"features/panel_demand": 0})


def test_a_forecast_leads_to_the_versions_that_it_was_made_of(client: TestClient, as_user: Headers) -> None:
    tables = {row["table_name"]: row for row in items(client, as_user("viewer", "north"), "/v1/lineage")}
    assert tables["forecasts/demand"]["run_key"] == "run of forecasts/demand"
    assert tables["forecasts/demand"]["version"] == 0


def test_what_was_forecast_stands_beside_what_came_true(client: TestClient, as_user: Headers) -> None:
    found = items(client, as_user("viewer", "north"), "/v1/backtests", store_id="1", model="tsb")
    assert [(row["category_id"], row["step"], row["y"], row["y_hat"]) for row in found] == [
        ("wine", 1, 20.0, 19.0), ("wine", 2, 20.0, 19.0),
    ]  # fmt: skip


def test_the_errors_of_stores_are_those_of_one_s_own(client: TestClient, as_user: Headers) -> None:
    for grants, stores in ((["north"], ["1", "2", "3"]), (["north/2", "north/3"], ["2", "3"])):
        found = items(client, as_user("viewer", *grants), "/v1/metrics", slice="store")
        assert [(row["value"], row["units"]) for row in found] == [(store, 80.0) for store in stores]


def test_the_quality_of_the_data_is_told_by_rule(client: TestClient, as_user: Headers) -> None:
    found = client.get("/v1/quality", headers=as_user("viewer", "north")).json()
    assert found["row_counts"][0]["quarantined"] == 2
    assert found["refusals"] == [{"source_table": "sales", "rule": "negative_price", "rows": 2}]


def test_plan_stock_and_risks_are_those_of_the_day(client: TestClient, as_user: Headers) -> None:
    headers = as_user("viewer", "north")
    (policy,) = items(client, headers, "/v1/policies", store_id="1", product_id="p1")
    assert (policy["abc_xyz"], policy["may_order"], policy["reorder_point"]) == ("AX", True, 24.0)
    (stock,) = items(client, headers, "/v1/stock", store_id="1", product_id="p1")
    assert stock["on_hand"] == 10.0
    assert [row["store_id"] for row in items(client, headers, "/v1/risks", risk="stock_out")] == ["1", "2", "3"]
    assert items(client, headers, "/v1/risks", risk="overstock") == []


def test_health_and_readiness_are_told_to_anybody_and_metrics_to_who_has_a_token(
    client: TestClient, as_user: Headers
) -> None:
    assert [client.get(path).status_code for path in ("/health", "/ready", "/metrics")] == [200, 200, 401]
    told = client.get("/metrics", headers=as_user("viewer", "north")).text
    assert 'shelfcast_requests_total{method="GET",route="/ready",status="200"}' in told
    # Whatever a client makes up is one route.
    client.get("/made/up")
    assert "made" not in client.get("/metrics", headers=as_user("viewer", "north")).text
