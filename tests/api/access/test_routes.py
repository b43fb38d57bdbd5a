"""Who may use which route: a row for each, and none without one."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.conftest import add, service_of, token_of
from api.lake import order_id
from shelfcast.api.access.guard import Needs, Open
from shelfcast.api.access.principal import ROLES
from shelfcast.api.access.tables import TOKENS, USERS

OPEN = "anybody"
NORTH, SOUTH = "north", "south"


@dataclass(frozen=True)
class Rule:
    """role: the least. path: a request of it that concerns region north; of_store: one that concerns its store 2 alone;
    whole: only for who reaches all of the region. body: of the request."""

    role: str
    path: str | None = None
    of_store: str | None = None
    body: dict[str, Any] | None = None
    whole: bool = False


ORDER, MOVE = order_id(NORTH, "2", "p1"), f"{NORTH}-move"
# Of a file of adjustments in which nothing is set.
VERSION = hashlib.sha256(b"{}").hexdigest()[:16]
NEW_USER = {"name": "new", "role": "viewer", "grants": ["north"]}
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/v1/forecasts"): Rule("viewer", of_store="/v1/forecasts?store_id=2"),
    ("GET", "/v1/history"): Rule("viewer", of_store="/v1/history?store_id=2"),
    ("GET", "/v1/settings"): Rule("viewer", whole=True),
    ("PATCH", "/v1/settings"): Rule("planner", body={"version": VERSION, "changes": {}}),
    ("GET", "/v1/summary"): Rule("viewer"),
    ("GET", "/v1/policies"): Rule("viewer", of_store="/v1/policies?store_id=2"),
    ("GET", "/v1/stock"): Rule("viewer", of_store="/v1/stock?store_id=2"),
    ("GET", "/v1/risks"): Rule("viewer", of_store="/v1/risks?store_id=2"),
    ("GET", "/v1/orders"): Rule("viewer", of_store="/v1/orders?store_id=2"),
    ("GET", "/v1/transfers"): Rule("viewer"),
    ("GET", "/v1/orders/{order_id}"): Rule("viewer", of_store=f"/v1/orders/{ORDER}"),
    ("GET", "/v1/transfers/{order_id}"): Rule("viewer", of_store=f"/v1/transfers/{MOVE}"),
    **{
        ("POST", f"/v1/{what}/{{order_id}}/{verb}"): Rule(
            "planner", of_store=f"/v1/{what}/{number}/{verb}", body={"quantity": 6} if verb == "amend" else {}
        )
        for what, number in (("orders", ORDER), ("transfers", MOVE))
        for verb in ("approve", "reject", "amend")
    },
    ("POST", "/v1/predict"): Rule("viewer", of_store="/v1/predict", body={"store_id": "2", "product_id": "p1"}),
    ("POST", "/v1/uploads"): Rule("planner", "/v1/uploads?region=north"),
    ("GET", "/v1/uploads"): Rule("planner"),
    ("GET", "/v1/regions"): Rule("viewer"),
    ("GET", "/v1/stores"): Rule("viewer"),
    ("GET", "/v1/products"): Rule("viewer"),
    ("GET", "/v1/alerts"): Rule("viewer", of_store="/v1/alerts?store_id=2"),
    ("GET", "/v1/findings"): Rule("viewer", whole=True),
    ("GET", "/v1/quality"): Rule("viewer", whole=True),
    ("GET", "/v1/leaderboard"): Rule("viewer"),
    ("GET", "/v1/champions"): Rule("viewer"),
    ("GET", "/v1/backtests"): Rule("viewer", of_store="/v1/backtests?store_id=2"),
    ("GET", "/v1/metrics"): Rule("viewer", whole=True),
    ("GET", "/v1/models"): Rule("viewer"),
    ("GET", "/v1/lineage"): Rule("viewer"),
    ("POST", "/v1/session"): Rule(OPEN),
    ("GET", "/v1/session"): Rule("viewer"),
    ("DELETE", "/v1/session"): Rule("viewer"),
    ("POST", "/v1/welcome"): Rule(OPEN),
    ("GET", "/v1/tokens"): Rule("viewer"),
    ("POST", "/v1/tokens"): Rule("viewer", body={"label": "x"}),
    ("DELETE", "/v1/tokens/{token_id}"): Rule("viewer", "/v1/tokens/0"),
    ("GET", "/v1/users"): Rule("admin"),
    ("POST", "/v1/users"): Rule("admin", body=NEW_USER),
    ("PATCH", "/v1/users/{name}"): Rule("admin", "/v1/users/nobody", body={"disabled": True}),
    ("POST", "/v1/users/{name}/link"): Rule("admin", "/v1/users/nobody/link"),
    ("GET", "/v1/audit"): Rule("planner"),
    ("GET", "/health"): Rule(OPEN),
    ("GET", "/ready"): Rule(OPEN),
    ("GET", "/metrics"): Rule("viewer"),
}
GUARDED = {route: rule for route, rule in RULES.items() if rule.role != OPEN}
OF_STORE = {route: rule for route, rule in GUARDED.items() if rule.of_store}
WHOLE = {route: rule for route, rule in GUARDED.items() if rule.whole}
# What FastAPI itself adds: the document tells what can be asked, and nothing of what is answered.
DOCUMENT = ("GET", "/openapi.json")


def of_each(rules: dict[tuple[str, str], Rule]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("route", "rule"), rules.items(), ids=[" ".join(route) for route in rules])


def routes(client: TestClient) -> Iterator[tuple[tuple[str, str], Any]]:
    for route in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield (method, route.path), route


def ask(client: TestClient, method: str, path: str, rule: Rule, headers: dict[str, str]) -> int:
    asked = rule.path or rule.of_store or path
    answer = client.request(method, asked, json=rule.body, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


def test_each_route_has_its_rule_and_each_rule_its_route(client: TestClient) -> None:
    found = {route for route, _ in routes(client)} - {DOCUMENT}
    assert (found - RULES.keys(), RULES.keys() - found) == (set(), set())


def test_each_route_asks_for_the_role_of_its_rule(client: TestClient) -> None:
    for key, route in routes(client):
        if key != DOCUMENT:
            guards = list(_guards(route.dependant))
            needed = {guard.role.title for guard in guards if isinstance(guard, Needs)}
            is_open = any(isinstance(guard, Open) for guard in guards)
            # A view asks for a viewer, whatever else the route asks for.
            strictest = max(needed, key=lambda role: ROLES[role]) if needed else (OPEN if is_open else None)
            assert strictest == RULES[key].role, key


def _guards(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _guards(inner)


@pytest.fixture(scope="module")
def gone(client: TestClient) -> dict[str, dict[str, str]]:
    """Headers that were good once."""
    expired, revoked, closed = (add(client, name, "admin", "*") for name in ("expired", "revoked", "closed"))
    headers = {
        "expired": token_of(client, expired),
        "revoked": token_of(client, revoked),
        "closed": token_of(client, closed),
    }
    with service_of(client).database.begin() as connection:
        past = int(time.time()) - 1
        connection.execute(update(TOKENS).where(TOKENS.c.user_id == expired).values(expires_at=past))
        connection.execute(update(TOKENS).where(TOKENS.c.user_id == revoked).values(revoked_at=past))
        connection.execute(update(USERS).where(USERS.c.id == closed).values(disabled=True))
    return headers


@of_each(GUARDED)
def test_a_route_refuses_who_shows_nothing_or_nothing_that_is_good(
    client: TestClient, gone: dict[str, dict[str, str]], route: tuple[str, str], rule: Rule
) -> None:
    good = gone["expired"]["authorization"]
    shown = {
        "nothing": {},
        **gone,
        "another secret": {"authorization": good[:-4] + "AAAA"},
        "another number": {"authorization": good.replace("shelfcast_", "shelfcast_f")},
        "no token": {"authorization": "Bearer ' or 1=1 --"},
        "another scheme": {"authorization": "Basic YWRtaW46YWRtaW4="},
        "a cookie that is none": {"cookie": "shelfcast_session=nobody"},
    }
    assert {what: ask(client, *route, rule, headers) for what, headers in shown.items()} == dict.fromkeys(shown, 401)


@of_each(GUARDED)
def test_a_route_refuses_a_lesser_role_and_lets_its_own_in(
    client: TestClient, as_user: Callable[..., dict[str, str]], route: tuple[str, str], rule: Rule
) -> None:
    for role in ROLES:
        status = ask(client, *route, rule, as_user(role, NORTH))
        # A token makes no other, whoever has it; and nobody is to be found under some of the numbers.
        if ROLES[role] < ROLES[rule.role] or route == ("POST", "/v1/tokens"):
            assert status == 403, role
        else:
            # An example that nobody and nothing is found under, or that is no file, is let in and refused for that.
            assert status < 300 or (status == 422 and rule.path), role


@of_each(OF_STORE)
def test_a_route_refuses_another_s_store_and_another_s_region(
    client: TestClient, as_user: Callable[..., dict[str, str]], route: tuple[str, str], rule: Rule
) -> None:
    own = as_user("admin", "north/2", "north/1") if "transfers" in route[1] else as_user("admin", "north/2")
    others = {grant: as_user("admin", grant) for grant in ("north/3", "south", "south/2", "elsewhere")}
    assert ask(client, *route, rule, own) < 300
    for grant, headers in others.items():
        named = Rule(rule.role, of_store=_in_north(rule.of_store), body=rule.body)
        assert ask(client, *route, named, headers) in (403, 404), grant


def _in_north(path: str | None) -> str:
    return f"{path}&region=north" if path and "?" in path else str(path)


@of_each(WHOLE)
def test_what_is_of_a_region_as_a_whole_is_for_who_reaches_all_of_it(
    client: TestClient, as_user: Callable[..., dict[str, str]], route: tuple[str, str], rule: Rule
) -> None:
    assert ask(client, *route, rule, as_user("viewer", "north")) == 200
    assert ask(client, *route, rule, as_user("admin", "north/1", "north/2", "north/3")) == 403


LISTS = [path for (method, path), rule in GUARDED.items() if method == "GET" and "{" not in path and not rule.whole]
LISTS.remove("/metrics")
NAMING = ("store_id", "from_store", "to_store")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_holds_no_store_but_the_user_s(
    client: TestClient, as_user: Callable[..., dict[str, str]], path: str
) -> None:
    for level in ("product", "category", "store") if path == "/v1/forecasts" else ("product",):
        all_rows, own_rows = (
            _items(client.get(path, params={"level": level}, headers=as_user("planner", grant)).json())
            for grant in ("north", "north/3")
        )
        assert all("3" in named for named in _stores(own_rows))
        assert len(own_rows) < len(all_rows) or not _stores(all_rows)


def _stores(rows: list[dict[str, Any]]) -> list[set[str]]:
    named = [{row[name] for name in NAMING if row.get(name)} for row in rows]
    return [stores for stores in named if stores]


def _items(answer: Any) -> list[dict[str, Any]]:
    found = answer["items"] if isinstance(answer, dict) and "items" in answer else answer
    return found if isinstance(found, list) else []


@pytest.mark.parametrize(
    "asked",
    ["forecasts?level=region", "metrics", "metrics?slice=all", "metrics?slice=step", "metrics?slice=category"],
)
def test_who_reaches_a_store_is_refused_the_sum_of_the_region(
    client: TestClient, as_user: Callable[..., dict[str, str]], asked: str
) -> None:
    whole, own = (client.get(f"/v1/{asked}", headers=as_user("viewer", grant)) for grant in ("north", "north/2"))
    assert (whole.status_code, len(whole.json()["items"])) == (200, 1)
    assert (own.status_code, own.json()["detail"]) == (403, "region north as a whole: not yours; wanted a store")


def test_nobody_is_given_a_region_that_is_none(client: TestClient, as_user: Callable[..., dict[str, str]]) -> None:
    admin, told = as_user("admin", "*"), "grants mras/9: no such region; wanted one of north, south"
    asked = {"name": "grace", "role": "viewer", "grants": ["north", "mras/9"]}
    answer = client.post("/v1/users", json=asked, headers=admin)
    assert (answer.status_code, answer.json()["detail"]) == (422, told)
    assert client.post("/v1/users", json={**asked, "grants": ["north"]}, headers=admin).status_code == 201
    answer = client.patch("/v1/users/grace", json={"grants": ["mras/9"]}, headers=admin)
    assert (answer.status_code, answer.json()["detail"]) == (422, told)
    assert client.patch("/v1/users/grace", json={"grants": ["south/9"]}, headers=admin).status_code == 204
