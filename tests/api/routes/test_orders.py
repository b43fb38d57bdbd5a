import json
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.conftest import add, configs_of, running, service_of, token_of, wait_for
from api.lake import AHEAD, DAY, order_id, publish, publish_orders, put, rows, write_lake, write_region
from shelfcast.api.server import open_service
from shelfcast.inventory import tables as plans

PLANNER = "planner of north"


@pytest.fixture
def client(lake: Path, tmp_path: Path) -> Iterator[TestClient]:
    """An API on which nothing has been decided."""
    with running(lake, tmp_path / "served") as client:
        client.headers.update(token_of(client, add(client, PLANNER, "planner", "north")))
        yield client


def written(client: TestClient, region: str = "north", day: object = DAY) -> list[dict[str, object]]:
    """What job collect_decisions reads: the last line of each order."""
    path = Path(service_of(client).configs[region].inventory.decisions) / f"{day}.jsonl"
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [*{line["order_id"]: line for line in lines}.values()]


def decide(client: TestClient, verb: str, product: str = "p1", **body: object) -> dict[str, object]:
    answer = client.post(f"/v1/orders/{order_id('north', '1', product)}/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["decision"]


def test_a_decision_is_shown_laid_out_for_the_jobs_and_in_the_audit(client: TestClient) -> None:
    decision = decide(client, "amend", quantity=12, note="a small shelf")
    assert {
        "decision": "amended",
        "quantity": 12.0,
        "decided_on": str(DAY),
        "user": PLANNER,
    }.items() <= decision.items()
    number = order_id("north", "1", "p1")
    assert client.get(f"/v1/orders/{number}").json()["decision"] == decision
    assert written(client) == [
        {
            "order_id": number,
            "store_id": "1",
            "vendor_id": "v1",
            "product_id": "p1",
            "from_store": None,
            "need_by": str(AHEAD[0]),
            "decision": "amended",
            "quantity": 12.0,
            "decided_on": str(DAY),
            "decided_at": int(datetime.fromisoformat(str(decision["decided_at"])).timestamp()),
        }
    ]
    (row,) = client.get("/v1/audit", params={"subject": f"order {number}"}).json()
    assert (row["user"], row["action"], row["region"], row["store"]) == (PLANNER, "amended", "north", "1")
    assert row["detail"] == {"product_id": "p1", "suggested": 36.0, "quantity": 12.0, "note": "a small shelf"}


def test_the_last_word_of_a_day_counts_and_the_audit_has_all(client: TestClient) -> None:
    for verb in ("reject", "approve", "reject"):
        decide(client, verb)
    decide(client, "approve", "p2")
    assert [(row["product_id"], row["decision"], row["quantity"]) for row in written(client)] == [
        ("p1", "rejected", 36.0), ("p2", "approved", 36.0),
    ]  # fmt: skip
    assert [row["action"] for row in client.get("/v1/audit").json()] == ["approved", "rejected", "approved", "rejected"]


def test_a_transfer_is_decided_on_in_the_name_of_the_store_that_takes(client: TestClient) -> None:
    assert client.post("/v1/transfers/north-move/approve").status_code == 200
    (row,) = written(client)
    assert (row["store_id"], row["from_store"], row["vendor_id"], row["quantity"]) == ("1", "2", None, 4.0)
    assert client.get("/v1/transfers").json()["items"][0]["decision"]["decision"] == "approved"


def test_a_transfer_needs_somebody_who_reaches_both_stores(client: TestClient) -> None:
    for store, status in (("1", 403), ("2", 403), ("3", 404)):
        headers = token_of(client, add(client, f"of {store}", "planner", f"north/{store}"))
        assert client.post("/v1/transfers/north-move/approve", headers=headers).status_code == status
    assert client.get("/v1/transfers").json()["items"][0]["decision"] is None


def test_orders_are_found_by_whether_something_was_decided_on_them(client: TestClient) -> None:
    decide(client, "approve")
    for is_open, count in ((True, 8), (False, 1)):
        assert len(client.get("/v1/orders", params={"open": is_open}).json()["items"]) == count


def test_an_answer_changes_with_a_decision(client: TestClient) -> None:
    etag = client.get("/v1/orders").headers["etag"]
    assert client.get("/v1/orders", headers={"if-none-match": etag}).status_code == 304
    decide(client, "approve")
    assert client.get("/v1/orders", headers={"if-none-match": etag}).status_code == 200


AMENDMENTS = {
    "nothing": {},
    "none": {"quantity": 0},
    "less than none": {"quantity": -1},
    "no number": {"quantity": "many"},
    "too many": {"quantity": 1e12},
    "something else": {"quantity": 1, "price": 2},
    "a suggestion that is no number": {"quantity": 1, "suggested": "many"},
}


@pytest.mark.parametrize("body", AMENDMENTS.values(), ids=AMENDMENTS)
def test_an_amendment_that_is_none_is_refused(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post(f"/v1/orders/{order_id('north', '1', 'p1')}/amend", json=body)
    assert answer.status_code == 422
    assert client.get("/v1/audit").json() == []


def test_a_quantity_that_is_not_finite_is_refused(client: TestClient) -> None:
    content, headers = '{"quantity": NaN}', {"content-type": "application/json"}
    path = f"/v1/orders/{order_id('north', '1', 'p1')}/amend"
    assert client.post(path, content=content, headers=headers).status_code == 422


def test_where_no_job_collects_decisions_there_are_none(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path, "inventory.decisions=null") as client:
        headers = token_of(client, add(client, "p", "planner", "north"))
        answer = client.post(f"/v1/orders/{order_id('north', '1', 'p1')}/approve", headers=headers)
        assert (answer.status_code, answer.json()["detail"][:13]) == (409, "region north:")
        assert client.get("/v1/regions", headers=headers).json()[0]["may_decide"] is False


def test_a_file_that_could_not_be_written_is_written_later(client: TestClient, lake: Path, tmp_path: Path) -> None:
    folder = Path(service_of(client).configs["north"].inventory.decisions)
    decide(client, "approve")
    os.remove(folder / f"{DAY}.jsonl")
    (folder / f".{DAY}.part").mkdir()
    decide(client, "approve", "p2")
    assert not (folder / f"{DAY}.jsonl").exists()
    (folder / f".{DAY}.part").rmdir()
    wait_for((folder / f"{DAY}.jsonl").exists)
    assert [row["product_id"] for row in written(client)] == ["p1", "p2"]
    os.remove(folder / f"{DAY}.jsonl")
    # A process that was killed before it wrote: the next one does.
    again = open_service(configs_of(lake, tmp_path / "served"))
    again.outbox.open()
    again.database.close()
    assert [row["product_id"] for row in written(client)] == ["p1", "p2"]


def test_planners_who_decide_at_once_lose_nothing(client: TestClient) -> None:
    orders = [row["order_id"] for row in client.get("/v1/orders").json()["items"]]
    threads = [threading.Thread(target=client.post, args=(f"/v1/orders/{number}/approve",)) for number in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row["order_id"] for row in written(client)} == {*orders}
    assert len(client.get("/v1/audit").json()) == len(orders)


def test_what_a_file_brought_is_shown_until_somebody_decides_here(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    number = order_id("north", "1", "p1")
    decided = {"region": "north", "order_id": number, "store_id": "1", "product_id": "p1", "decision": "rejected",
               "quantity": 36.0, "decided_on": DAY}  # fmt: skip
    versions = {plans.ORDERS.name: put(root, plans.ORDERS, rows(plans.ORDERS))}
    versions[plans.ORDER_DECISIONS.name] = put(root, plans.ORDER_DECISIONS, [decided])
    publish(root, "north", versions, "with decisions", minute=5)
    with running(root, tmp_path / "served") as client:
        client.headers.update(token_of(client, add(client, PLANNER, "planner", "north")))
        assert client.get(f"/v1/orders/{number}").json()["decision"]["decision"] == "rejected"
        assert len(client.get("/v1/orders", params={"open": True}).json()["items"]) == 8
        decide(client, "approve")
        assert client.get(f"/v1/orders/{number}").json()["decision"]["decision"] == "approved"


def test_units_that_another_plan_suggested_are_not_decided_on(tmp_path: Path) -> None:
    root, number = write_lake(tmp_path / "lake"), order_id("north", "1", "p1")
    changed = "the plan has changed since it was shown: 36 units then, 240 now; wanted a look at it as it is now"
    with running(root, tmp_path / "served") as client:
        client.headers.update(token_of(client, add(client, PLANNER, "planner", "north")))
        shown = client.get(f"/v1/orders/{number}").json()["quantity"]
        publish_orders(root, "north", 240.0)
        service_of(client).refresh.refresh()
        own = {"approve": {}, "reject": {}, "amend": {"quantity": 12}}
        for verb, body in own.items():
            answer = client.post(f"/v1/orders/{number}/{verb}", json={**body, "suggested": shown})
            assert (answer.status_code, answer.json()["detail"]) == (409, f"order {number}: {changed}")
        assert client.get("/v1/audit").json() == []
        decided = [decide(client, verb, **body, suggested=240)["quantity"] for verb, body in own.items()]
        assert decided == [240.0, 240.0, 12.0]


def test_a_new_plan_has_its_own_orders(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    with running(root, tmp_path / "served") as client:
        client.headers.update(token_of(client, add(client, PLANNER, "planner", "north")))
        before = client.get("/v1/orders").headers["etag"]
        write_region(root, "north", run_id="next", minute=9)
        service_of(client).refresh.refresh()
        assert client.get("/v1/orders").headers["etag"] != before
