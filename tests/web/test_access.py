"""Who may see which page, and send which form: a row for each, and none without one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.access.test_routes import RULES as OF_THE_API
from api.access.test_routes import VERSION
from api.lake import order_id
from shelfcast.api.access.guard import Needs, Open
from shelfcast.api.access.principal import ROLES
from shelfcast.web.guard import PageNeeds
from web.conftest import Browser
from web.test_pages import text_of

OPEN = "anybody"
Users = Callable[..., Browser]
ORDER, MOVE = order_id("north", "2", "p1"), "north-move"


@dataclass(frozen=True)
class Rule:
    """role: the least. path: an example of it. of_store: one that concerns store 2 of region north alone. whole: only
    for who reaches all of the region. fields: of the form."""

    role: str
    path: str | None = None
    of_store: str | None = None
    whole: bool = False
    fields: dict[str, str] = field(default_factory=dict)


PAIR = "store_id=2&product_id=p1&region=north"
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/"): Rule("viewer", "/?region=north"),
    ("GET", "/orders"): Rule("viewer", of_store="/orders?store_id=2&region=north"),
    ("GET", "/transfers"): Rule("viewer"),
    ("GET", "/stores"): Rule("viewer"),
    ("GET", "/store"): Rule("viewer", of_store="/store?store_id=2&region=north"),
    ("GET", "/products"): Rule("viewer", of_store="/products?store_id=2&region=north"),
    ("GET", "/product"): Rule("viewer", of_store=f"/product?{PAIR}"),
    ("GET", "/what-if"): Rule("viewer", of_store=f"/what-if?{PAIR}"),
    ("GET", "/alerts"): Rule("viewer", of_store="/alerts?store_id=2&region=north"),
    ("GET", "/models"): Rule("viewer"),
    ("GET", "/quality"): Rule("viewer", "/quality?region=north", whole=True),
    ("POST", "/orders/{order_id}/{verb}"): Rule("planner", of_store=f"/orders/{ORDER}/approve?region=north"),
    ("POST", "/transfers/{order_id}/{verb}"): Rule("planner", f"/transfers/{MOVE}/approve?region=north"),
    ("GET", "/settings"): Rule("viewer", "/settings?region=north", whole=True),
    ("POST", "/settings"): Rule("planner", "/settings?region=north", fields={"version": VERSION}),
    ("GET", "/audit"): Rule("planner"),
    ("GET", "/users"): Rule("admin"),
    ("POST", "/users"): Rule("admin", fields={"name": "new", "role": "viewer", "grants": "north"}),
    ("POST", "/users/change"): Rule(
        "admin", fields={"name": "nobody", "role": "viewer", "grants": "north", "version": "0"}
    ),
    ("POST", "/users/shut"): Rule("admin", fields={"name": "nobody"}),
    ("POST", "/users/open"): Rule("admin", fields={"name": "nobody"}),
    ("POST", "/users/link"): Rule("admin", fields={"name": "nobody"}),
    ("GET", "/account"): Rule("viewer"),
    ("POST", "/account/tokens"): Rule("viewer", fields={"label": "export", "days": "3", "seen": "0"}),
    ("POST", "/account/tokens/{token_id}/revoke"): Rule("viewer", "/account/tokens/0/revoke"),
    ("POST", "/sign-out"): Rule("viewer"),
    ("GET", "/sign-in"): Rule(OPEN),
    ("POST", "/sign-in"): Rule(OPEN),
    ("GET", "/welcome"): Rule(OPEN),
    ("POST", "/welcome"): Rule(OPEN),
    ("GET", "/static/{name}"): Rule(OPEN),
}
GUARDED = {route: rule for route, rule in RULES.items() if rule.role != OPEN}
# It ends the session of whoever tries it.
TRIED = {route: rule for route, rule in GUARDED.items() if route != ("POST", "/sign-out")}
FORMS = {route: rule for route, rule in GUARDED.items() if route[0] == "POST"}
OF_STORE = {route: rule for route, rule in GUARDED.items() if rule.of_store}


def of_each(rules: dict[tuple[str, str], Rule]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("route", "rule"), rules.items(), ids=[" ".join(route) for route in rules])


def routes(client: TestClient) -> Iterator[tuple[tuple[str, str], Any]]:
    for route in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        for method in sorted((route.methods or set()) - {"HEAD"}):
            if (method, route.path) not in OF_THE_API and route.path != "/openapi.json":
                yield (method, route.path), route


def ask(browser: Browser, route: tuple[str, str], rule: Rule, **headers: str) -> int:
    method, path = route
    asked = rule.path or rule.of_store or path
    answer = browser.get(asked, **headers) if method == "GET" else browser.post(asked, rule.fields, **headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code not in (204, 303):
        assert answer.headers["content-type"].startswith("text/html"), answer.text
    return int(answer.status_code)


def test_each_page_has_its_rule_and_each_rule_its_page(client: TestClient) -> None:
    found = {route for route, _ in routes(client)}
    assert (found - RULES.keys(), RULES.keys() - found) == (set(), set())


def test_each_page_asks_for_the_role_of_its_rule(client: TestClient) -> None:
    for key, route in routes(client):
        guards = list(_guards(route.dependant))
        needed = {guard.role.title for guard in guards if isinstance(guard, PageNeeds)}
        # A token or a header would let in where a form is wanted.
        assert not any(isinstance(guard, Needs) for guard in guards), key
        is_open = any(isinstance(guard, Open) for guard in guards)
        strictest = max(needed, key=lambda role: ROLES[role]) if needed else (OPEN if is_open else None)
        assert strictest == RULES[key].role, key


def _guards(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _guards(inner)


@of_each(GUARDED)
def test_who_is_not_signed_in_is_led_to_the_sign_in_and_no_form_of_theirs_is_taken(
    client: TestClient, route: tuple[str, str], rule: Rule
) -> None:
    method, path = route
    asked = rule.path or rule.of_store or path
    answer = client.request(method, asked, data={**rule.fields, "csrf": "guessed"} if method == "POST" else None)
    if method == "POST":
        assert answer.status_code == 401
    else:
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


@of_each(TRIED)
def test_a_page_refuses_a_lesser_role_and_lets_its_own_in(as_user: Users, route: tuple[str, str], rule: Rule) -> None:
    for role in ROLES:
        status = ask(as_user(role, "north"), route, rule)
        if ROLES[role] < ROLES[rule.role]:
            assert status == 403, role
        else:
            # Nobody and nothing is to be found under the names of some forms.
            is_of_nobody = rule.fields.get("name") or "/0/" in str(rule.path)
            assert status in (200, 303) or (status == 422 and is_of_nobody), role


@of_each(OF_STORE)
def test_a_page_refuses_another_s_store_and_another_s_region(
    as_user: Users, route: tuple[str, str], rule: Rule
) -> None:
    assert ask(as_user("planner", "north/2"), route, rule) in (200, 303)
    for grant in ("north/3", "south", "south/2", "elsewhere"):
        assert ask(as_user("planner", grant), route, rule) in (403, 404), grant


@of_each({route: rule for route, rule in GUARDED.items() if rule.whole})
def test_what_is_of_a_region_as_a_whole_is_for_who_reaches_all_of_it(
    as_user: Users, route: tuple[str, str], rule: Rule
) -> None:
    assert ask(as_user("viewer", "north"), route, rule) == 200
    assert ask(as_user("viewer", "north/1", "north/2", "north/3"), route, rule) == 403


@of_each(FORMS)
def test_a_form_that_is_none_of_ours_is_refused(as_user: Users, route: tuple[str, str], rule: Rule) -> None:
    browser, path = as_user("admin", "north"), rule.path or rule.of_store or route[1]
    foreign = [{"csrf": ""}, {"csrf": "guessed"}]
    assert [browser.post(path, {**rule.fields, **fields}).status_code for fields in foreign] == [403, 403]
    assert browser.post(path, rule.fields, origin="https://elsewhere.test").status_code == 403


def test_the_pages_of_a_store_manager_name_no_other_store(as_user: Users) -> None:
    browser = as_user("planner", "north/3")
    for path in (
        *("/", "/orders?which=all", "/transfers?which=all", "/stores", "/store?store_id=3", "/products", "/models"),
        *("/product?product_id=p1", "/product?product_id=p1&store_id=3", "/what-if?product_id=p1&store_id=3"),
        *("/alerts", "/audit", "/account"),
    ):
        answer = browser.get(path)
        told = " ".join([text_of(answer), *re.findall('aria-label="([^"]*)"', answer.text)]).lower()
        named = {*re.findall(r"store_id=(\w+)", answer.text), *re.findall(r"\bstore (\w+)", told)}
        assert named & {"1", "2"} == set(), path
        assert "3" in named or path in ("/transfers?which=all", "/products", "/models", "/audit", "/account"), path
