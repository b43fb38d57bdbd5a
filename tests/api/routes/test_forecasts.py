import csv
import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from api.lake import AHEAD, PRODUCTS, STORES, WEEKS, mean_of

Headers = Callable[..., dict[str, str]]


def get(client: TestClient, headers: dict[str, str], path: str = "/v1/forecasts", **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_forecast_is_found_by_store_and_product(client: TestClient, as_user: Headers) -> None:
    (row,) = get(client, as_user("viewer", "north"), store_id="2", product_id="p/4 ü")["items"]
    mean = mean_of("north", "2", "p/4 ü")
    assert (row["store_id"], row["product_id"], row["category_id"]) == ("2", "p/4 ü", "beer")
    assert [week["week"] for week in row["weeks"]] == [str(day) for day in AHEAD]
    for week in row["weeks"]:
        assert (week["mean"], week["p10"], week["p98"]) == pytest.approx((mean, 0.5 * mean, 2 * mean))


SOUGHT = [
    pytest.param({"category_id": "wine"}, 3 * 2, id="category"),
    pytest.param({"product_id": "p1"}, 3, id="product"),
    pytest.param({"level": "category", "store_id": "1"}, 2, id="categories of a store"),
    pytest.param({"level": "store"}, 3, id="stores"),
    pytest.param({"level": "region"}, 1, id="region"),
    pytest.param({"product_id": "none"}, 0, id="nothing"),
    pytest.param({"product_id": "' or 1=1 --"}, 0, id="no part of the query"),
]


@pytest.mark.parametrize(("query", "series"), SOUGHT)
def test_series_are_found_by_what_is_asked_for(
    client: TestClient, as_user: Headers, query: dict[str, str], series: int
) -> None:
    assert len(get(client, as_user("viewer", "north"), **query)["items"]) == series


def test_means_add_up_and_what_is_no_name_is_null(client: TestClient, as_user: Headers) -> None:
    headers = as_user("viewer", "north")
    (region,) = get(client, headers, level="region")["items"]
    stores = get(client, headers, level="store")["items"]
    assert (region["store_id"], region["product_id"], region["category_id"]) == (None, None, None)
    assert region["weeks"][0]["p98"] is None
    assert sum(row["weeks"][0]["mean"] for row in stores) == pytest.approx(region["weeks"][0]["mean"])


def test_weeks_are_those_between_two_days(client: TestClient, as_user: Headers) -> None:
    query = {"from": str(AHEAD[1]), "to": str(AHEAD[2]), "store_id": "1", "product_id": "p1"}
    (row,) = get(client, as_user("viewer", "north"), **query)["items"]
    assert [week["week"] for week in row["weeks"]] == [str(AHEAD[1]), str(AHEAD[2])]


def test_history_is_what_sold(client: TestClient, as_user: Headers) -> None:
    (row,) = get(client, as_user("viewer", "north"), "/v1/history", store_id="1", product_id="p1")["items"]
    assert row["weeks"][0]["week"] == str(WEEKS[1])
    assert {"quantity": 12.0, "unit_price": 2.0, "recovered_quantity": None}.items() <= row["weeks"][0].items()


@pytest.mark.parametrize("limit", [1, 5, 12, 100])
def test_pages_together_are_all_rows_once(client: TestClient, as_user: Headers, limit: int) -> None:
    headers, found, query = as_user("viewer", "north"), [], {"limit": limit}
    while True:
        answer = client.get("/v1/forecasts", params=query, headers=headers)
        page = answer.json()
        found += [(row["store_id"], row["product_id"]) for row in page["items"]]
        if page["next"] is None:
            assert "link" not in answer.headers
            break
        assert f"cursor={page['next']}" in answer.headers["link"]
        query = {"limit": limit, "cursor": page["next"]}
    assert found == sorted((store, product) for store in STORES["north"] for product in PRODUCTS)


def test_csv_and_arrow_have_a_row_a_week_with_the_numbers_of_json(client: TestClient, as_user: Headers) -> None:
    headers = as_user("viewer", "north")
    series = get(client, headers)["items"]
    expected = [
        (row["store_id"], row["product_id"], week["week"], week["mean"]) for row in series for week in row["weeks"]
    ]
    text = client.get("/v1/forecasts", headers={**headers, "accept": "text/csv"})
    assert text.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    names = ("store_id", "product_id", "week")
    assert [(*[row[name] for name in names], float(row["mean"])) for row in rows] == expected
    arrow = client.get("/v1/forecasts", params={"format": "arrow"}, headers=headers)
    table = pa.ipc.open_stream(arrow.content).read_all()
    assert [(*[str(row[name]) for name in names], row["mean"]) for row in table.to_pylist()] == expected
    assert table.schema.field("week").type == pa.date32()


def test_what_the_client_has_is_not_sent_again(client: TestClient, as_user: Headers) -> None:
    headers = as_user("viewer", "north")
    first = client.get("/v1/forecasts?store_id=1", headers=headers)
    again = client.get("/v1/forecasts?store_id=1", headers={**headers, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for other in ("/v1/forecasts?store_id=2", "/v1/forecasts?store_id=1&format=csv"):
        changed = client.get(other, headers={**headers, "if-none-match": first.headers["etag"]})
        assert changed.status_code == 200


REFUSED = [
    pytest.param({"limit": "0"}, "query.limit: found '0'", id="limit"),
    pytest.param({"level": "shelf"}, "query.level: found 'shelf'", id="level"),
    pytest.param({"from": "yesterday"}, "query.from: found 'yesterday'", id="date"),
    pytest.param({"cursor": "no"}, "query.cursor: not one of ours", id="cursor"),
    pytest.param({"cursor": "WzEsMiwzLCJcdWQ4MDAiXQ"}, "query.cursor: not one of ours", id="cursor that is no text"),
    pytest.param({"format": "xml"}, "query.format: found 'xml'", id="format"),
]


@pytest.mark.parametrize(("query", "detail"), REFUSED)
def test_what_cannot_be_asked_is_named(
    client: TestClient, as_user: Headers, query: dict[str, str], detail: str
) -> None:
    answer = client.get("/v1/forecasts", params=query, headers=as_user("viewer", "north"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(detail)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_which_of_several_regions_is_meant_has_to_be_said(client: TestClient, as_user: Headers) -> None:
    headers = as_user("viewer", "north", "south/9")
    answer = client.get("/v1/forecasts", headers=headers)
    assert answer.json()["detail"] == "query.region: missing; wanted one of north, south"
    assert {row["store_id"] for row in get(client, headers, region="south")["items"]} == {"9"}
