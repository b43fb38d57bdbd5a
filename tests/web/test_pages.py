"""What the pages say, and how they answer."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.conftest import ADDRESS, CONFIG, PASSWORD, add, running, service_of
from api.lake import DAY, order_id, publish_orders, publish_without_plan, write_lake
from api.whatif.test_predict import write_trained
from shelfcast import config
from shelfcast.api.decisions import add_decision
from shelfcast.api.server import first_link
from shelfcast.errors import ConfigError
from shelfcast.settings.adjustments import read_adjustments
from shelfcast.web.install import install_pages
from web.conftest import HTML, Browser

Users = Callable[..., Browser]
FETCHED = {"hx-request": "true"}


def text_of(answer: object) -> str:
    """What a reader sees, in one line."""
    assert answer.status_code == 200, answer.text
    seen = re.sub(r"<(svg|script|style).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]+>", " ", seen)).split())


def drawn_in(answer: object) -> str:
    """What the browser is told to draw."""
    return " ".join(map(unescape, re.findall(r'data-chart="([^"]*)"', answer.text)))


def test_a_first_user_chooses_a_password_by_the_link_and_signs_in(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path, install=install_pages) as client:
        client.headers.update(HTML)
        link = first_link(service_of(client))
        assert "#" in client.get("/welcome").text
        chosen = {"link": link, "password": PASSWORD, "again": PASSWORD}
        differ = client.post("/welcome", data={**chosen, "again": "another"}, follow_redirects=False)
        assert (differ.status_code, "the two passwords differ" in differ.text) == (422, True)
        short = client.post("/welcome", data={**chosen, "password": "short", "again": "short"}, follow_redirects=False)
        assert (short.status_code, "wanted 12 or more" in short.text) == (422, True)
        assert "sign in with it" in text_of(client.post("/welcome", data=chosen))
        assert "used, too old or none" in client.post("/welcome", data=chosen).text
        assert "Overview" in text_of(client.post("/sign-in", data={"name": "admin", "password": PASSWORD}))


def test_a_wrong_password_is_said_on_the_form(client: TestClient) -> None:
    answer = client.post("/sign-in", data={"name": "no<b>body", "password": "wrong"})
    assert answer.status_code == 401
    assert "wrong name or password" in answer.text
    assert 'value="no&lt;b&gt;body"' in answer.text


@pytest.mark.parametrize(
    ("onward", "location"),
    [
        pytest.param("/orders?region=north", "/orders?region=north", id="a page of ours"),
        pytest.param("https://elsewhere.test/", "/", id="another site"),
        pytest.param("//elsewhere.test/", "/", id="another site, without a scheme"),
        pytest.param("/\\elsewhere.test", "/", id="another site, as browsers read it"),
        pytest.param("/a\r\nset-cookie: x=y", "/", id="a header"),
    ],
)
def test_a_sign_in_leads_on_to_a_page_of_ours_alone(client: TestClient, onward: str, location: str) -> None:
    if (name := "onward") not in {row.name for row in _users(client)}:
        add(client, name, "viewer", "north", password=PASSWORD)
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "next": onward})
    client.cookies.clear()
    assert (answer.status_code, answer.headers["location"]) == (303, location)


def _users(client: TestClient) -> list[object]:
    from sqlalchemy import select

    from shelfcast.api.access.tables import USERS

    with service_of(client).database.begin() as connection:
        return list(connection.execute(select(USERS.c.name)))


def test_signing_out_ends_the_session(client: TestClient) -> None:
    add(client, "leaving", "viewer", "north", password=PASSWORD)
    browser = Browser(client, "leaving")
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert browser.get("/").headers["location"] == "/sign-in?next=%2F"


def test_the_overview_tells_the_day_and_what_changed(as_user: Users) -> None:
    told = text_of(as_user("viewer", "north").get("/"))
    assert "North, Aug 6, 2017" in told
    assert "What changed since Aug 5, 2017" in told
    assert "+2 / -1 products are newly likely to run out" in told
    assert "+1 orders: 9 suggested" in told
    assert "+1 warning alert" in told
    assert "+25.0% expected demand in the week of Aug 7, 2017" in told
    assert "a day late" in told


def test_money_bears_the_sign_of_its_region_and_the_digits_of_the_reader(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path, "insights.currency=€", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update({**HTML, "accept-language": "de"})
        add(client, "ada", "viewer", "north", password=PASSWORD)
        browser = Browser(client, "ada")
        for path, words in {
            "/": ["9 suggested for €328, after 8 for €292", "€36.042 p3 loses.", "20,5 % of demand Off."],
            "/orders": ["Cost €36,50"],
            "/stores": ["3 €110 1 0"],
            "/store?store_id=1": ["suggested, €110"],
            "/product?store_id=1&product_id=p1": ["€1,00 €2,00"],
        }.items():
            told = text_of(browser.get(path))
            assert [word for word in words if word not in told] == [], path


def test_the_overview_of_a_store_s_manager_is_of_that_store(as_user: Users) -> None:
    told = text_of(as_user("viewer", "north/2").get("/"))
    assert "1 store, 4 products in them planned" in told
    assert "+1 / 0 products are newly likely" in told
    assert "a day late" not in told


@pytest.fixture(scope="module")
def unplanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake in which a forecast of north is published, and no plan."""
    root = write_lake(tmp_path_factory.mktemp("unplanned") / "lake")
    publish_without_plan(root, "north")
    return root


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "No plan of Aug 6, 2017 is published: run job plan_inventory, then report."),
        (["source.files={sales: sales.csv}"], "There is no plan: the source of this region tells of no purchases"),
    ],
    ids=["not made yet", "never"],
)
def test_without_a_plan_no_page_says_that_all_is_well(
    unplanned: Path, tmp_path: Path, changes: list[str], said: str
) -> None:
    with running(unplanned, tmp_path / "served", *changes, install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "ada", "planner", "north", password=PASSWORD)
        browser = Browser(client, "ada")
        well = (
            "Nothing is likely|Nothing waits|No order|no order|0 of 0|of 0 suggested|suggests to order|There are none"
        )
        for path in ("/", "/orders", "/transfers", "/stores", "/store?store_id=1", "/product?store_id=1&product_id=p1"):
            told = text_of(browser.get(path))
            assert said in told, path
            assert not re.search(well, told), path
            assert "Expected next week" in told or path in ("/orders", "/transfers")


def test_a_day_without_one_before_says_so(as_user: Users) -> None:
    assert "No earlier day is published" in text_of(as_user("viewer", "south").get("/"))


def test_a_store_s_page_has_its_forecast_and_orders(as_user: Users) -> None:
    answer = as_user("planner", "north").get("/store?region=north&store_id=2")
    told = text_of(answer)
    assert "Store 2 Expected next week 49 units" in told
    assert "Approve" in told
    assert 'aria-label="Store 2: units sold by week, then the forecast of 4 weeks' in answer.text
    assert "Aug 7, 2017 49 24.5 49 73.5 98" in told, "a row of the weeks in numbers"


def test_a_product_s_page_has_history_forecast_stock_and_order(as_user: Users) -> None:
    answer = as_user("planner", "north").get("/product?region=north&store_id=2&product_id=p%2F4+%C3%BC")
    told = text_of(answer)
    assert "Brand of p/4 ü" in told
    assert "Expected next week 12.4" in told
    assert "On hand 10" in told
    assert "Reorder point 24" in told
    assert 'aria-label="Stock position of 10 units at expected demand: nothing is left on' in answer.text
    assert order_id("north", "2", "p/4 ü") in answer.text


def test_a_product_without_a_store_shows_where_it_sells(as_user: Users) -> None:
    told = text_of(as_user("viewer", "north/1", "north/2").get("/product?product_id=p1"))
    assert "Store 1 11.1" in told
    assert "Store 3" not in told


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/product?product_id=p9&store_id=1", "no forecast of it", id="a product that is not there"),
        pytest.param("/store?store_id=77", "store 77: not there", id="a store that is not there"),
        pytest.param("/nothing", "Not Found", id="a page that is not there"),
        pytest.param("/what-if?store_id=1&product_id=p9", "no forecast of it", id="no series to ask about"),
        pytest.param("/orders?cursor=x", "cursor", id="a page of a list that is not there"),
        pytest.param("/orders?which=some", "which", id="a choice that is none"),
    ],
)
def test_what_is_not_there_is_told_on_a_page(as_user: Users, path: str, said: str) -> None:
    answer = as_user("viewer", "north").get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"].startswith("text/html")
    assert said in answer.text


def test_an_order_is_approved_amended_and_rejected_in_its_row(as_user: Users) -> None:
    browser, number = as_user("planner", "north"), order_id("north", "1", "p1")
    said = {
        "approve": ({}, "approved 36 units by"),
        "amend": ({"quantity": "24", "note": "shelf <b> is full"}, "amended 24 units by"),
        "reject": ({}, "rejected 36 units by"),
    }
    for verb, (fields, words) in said.items():
        answer = browser.post(f"/orders/{number}/{verb}?region=north", fields, **FETCHED)
        assert words in text_of(answer)
        assert answer.text.strip().startswith("<li data-row")
    assert "shelf &lt;b&gt; is full" in browser.post(f"/orders/{number}/amend", said["amend"][0], **FETCHED).text
    audit = text_of(browser.get("/audit"))
    assert all(f"{word} order {number}" in audit for word in ("approved", "amended", "rejected"))
    assert "quantity: 24; " in audit


def row_of(text: str, number: str) -> str:
    """The list's row of an order."""
    return re.search(rf'<li data-row id="row-{re.escape(number)}".*?</li>', text, re.DOTALL)[0]


def shown_in(row: str) -> dict[str, str]:
    """What the form of an order's row sends back of what it showed."""
    found = re.findall('type="hidden" name="(seen|suggested)" value="([^"]*)"', row)
    return {name: unescape(value) for name, value in found}


def test_an_earlier_day_s_decision_is_a_note_and_the_order_waits_for_today_s(
    client: TestClient, as_user: Users
) -> None:
    number = order_id("north", "2", "p2")
    order = {"order_id": number, "store_id": "2", "vendor_id": "v1", "product_id": "p2", "from_store": None}
    with service_of(client).database.begin() as connection:
        day, told = DAY - timedelta(days=1), {**order, "need_by": str(DAY)}
        add_decision(connection, "north", told, "rejected", 24.0, "ada", "too many", day)
    browser = as_user("planner", "north")
    row = row_of(browser.get("/orders?store_id=2").text, number)
    assert ">Approve<" in row
    assert re.search(r"On Aug 5, 2017: <span[^>]*>rejected</span> 24 units by ada: too many", row)
    assert 'value="36"' in row, "what is suggested today"
    assert "data-said" not in row
    after = browser.post(f"/orders/{number}/approve?region=north", **FETCHED).text
    assert "data-said" in after
    assert "On Aug 5" not in after


def test_without_scripts_a_decision_leads_back_to_the_list(as_user: Users) -> None:
    browser, number = as_user("planner", "north"), order_id("north", "3", "p1")
    assert number in browser.get("/orders?store_id=3").text
    answer = browser.post(f"/orders/{number}/approve?region=north")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders?region=north&which=all#row-{number}")
    assert number not in browser.get("/orders?store_id=3").text
    assert number in browser.get("/orders?store_id=3&which=decided").text


@pytest.mark.parametrize("quantity", ["", "0", "-3", "many", "nan", "1e12"])
def test_an_amount_that_is_none_is_refused_where_one_amends(as_user: Users, quantity: str) -> None:
    browser = as_user("planner", "north")
    answer = browser.post("/orders/north-1-p2/amend", {"quantity": quantity}, **FETCHED)
    assert answer.status_code == 422
    assert re.search("data-problem>quantity: found", answer.text)
    rejected = browser.post("/orders/north-1-p2/reject", {"quantity": quantity, "note": "no"}, **FETCHED)
    assert "rejected 36 units by" in text_of(rejected), "by a button of the same form"


def test_a_decision_that_a_colleague_has_made_since_is_not_decided_over(as_user: Users) -> None:
    number, one, other = order_id("north", "3", "p2"), as_user("planner", "north"), as_user("planner", "north/3")
    path = "/orders?region=north&store_id=3&which=all"

    def decide(browser: Browser, verb: str, shown: str) -> object:
        return browser.post(f"/orders/{number}/{verb}?region=north", shown_in(row_of(shown, number)), **FETCHED)

    shown = one.get(path).text
    rejected = decide(other, "reject", shown)
    assert "rejected 36 units" in text_of(rejected)
    refused = decide(one, "approve", shown)
    assert (refused.status_code, f"rejected by {other.name} since it was shown" in refused.text) == (409, True)
    assert "approved 36 units" in text_of(decide(other, "approve", rejected.text)), "over one's own that is shown"
    assert "rejected 36 units" in text_of(decide(one, "reject", one.get(path).text))


def test_an_order_of_which_a_new_plan_suggests_other_units_is_shown_anew_before_it_is_decided_on(
    tmp_path: Path,
) -> None:
    root, number = write_lake(tmp_path / "lake"), order_id("north", "1", "p1")
    with running(root, tmp_path / "served", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "ada", "planner", "north", password=PASSWORD)
        browser, path = Browser(client, "ada"), f"/orders/{number}/approve?region=north"
        fields = shown_in(row_of(browser.get("/orders?region=north").text, number))
        assert fields == {"seen": "nothing", "suggested": "36.0"}
        publish_orders(root, "north", 240.0)
        service_of(client).refresh.refresh()
        for headers in (FETCHED, {}):
            refused = browser.post(path, fields, **headers)
            assert (refused.status_code, "36 units then, 240 now" in refused.text) == (409, True)
        anew = row_of(browser.post(path, fields, **FETCHED).text, number)
        assert "<dt>Order</dt><dd>240</dd>" in anew
        assert re.search('role="alert" data-problem>[^<]+36 units then', anew)
        assert "approved 240 units by ada" in text_of(browser.post(path, shown_in(anew), **FETCHED))


@pytest.mark.parametrize("suggested", ["many", "nan", "1e999"])
def test_a_suggestion_that_is_no_number_is_refused(as_user: Users, suggested: str) -> None:
    for path in ("/orders/north-1-p2/approve", "/transfers/north-move/approve"):
        answer = as_user("planner", "north").post(f"{path}?region=north", {"suggested": suggested}, **FETCHED)
        assert (answer.status_code, "suggested: found" in answer.text) == (422, True)


def test_transfers_are_decided_on_by_who_reaches_both_stores(as_user: Users) -> None:
    path = "/transfers/north-move/approve?region=north"
    assert '"suggested" value="4.0"' in as_user("planner", "north").get("/transfers?region=north&which=all").text
    one = as_user("planner", "north/1")
    assert "north-move" in one.get("/transfers").text
    assert "Approve" not in text_of(one.get("/transfers"))
    assert one.post(path, **FETCHED).status_code == 403
    assert "approved 4 units" in text_of(as_user("planner", "north/1", "north/2").post(path, **FETCHED))


def test_a_transfer_leads_to_the_product_in_the_reader_s_own_store(as_user: Users) -> None:
    """It goes from store 2 to store 1."""
    for grant, store in (("north/2", "2"), ("north/1", "1"), ("north", "1")):
        browser = as_user("viewer", grant)
        row = row_of(browser.get("/transfers?region=north&which=all").text, "north-move")
        link = unescape(re.search(r'<h3><a href="([^"]+)"', row)[1])
        assert f"store_id={store}&" in link
        assert browser.get(link).status_code == 200


def test_the_menu_of_a_store_s_manager_has_no_page_that_is_of_the_whole_region(as_user: Users) -> None:
    for grant, names in (("north", {"Settings", "Data quality"}), ("north/2", set())):
        menu = re.search("<nav.*?</nav>", as_user("viewer", grant).get("/").text, re.DOTALL)[0]
        assert {name for name in ("Settings", "Data quality") if f">{name}</a>" in menu} == names


def test_who_reaches_nothing_can_sign_out(client: TestClient) -> None:
    add(client, "without grants", "viewer", password=PASSWORD)
    browser = Browser(client, "without grants")
    page = browser.get("/")
    assert page.status_code == 403
    assert f'name="csrf" value="{browser.csrf}"' in page.text
    assert browser.post("/sign-out").status_code == 303


def test_a_viewer_sees_no_buttons(as_user: Users) -> None:
    browser = as_user("viewer", "north")
    for path in ("/", "/orders", "/transfers", "/store?store_id=1", "/product?store_id=1&product_id=p1"):
        told = browser.get(path).text
        assert "Approve" not in told
        assert "hx-post" not in told
    assert not {"Users", "Audit"} & set(text_of(browser.get("/")).split())


def test_the_least_urgent_order_comes_last_and_pages_follow_one_another(
    as_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shelfcast.web.pages import orders

    monkeypatch.setattr(orders, "OF_A_PAGE", 4)
    browser, found, path = as_user("viewer", "south"), [], "/orders?region=south&which=all"
    while path:
        answer = browser.get(path)
        found += re.findall(r'id="row-([^"]+)"', answer.text)
        onward = re.search(r'href="([^"]+)">Next page', answer.text)
        path = unescape(onward[1]) if onward else ""
    assert len(found) == len(set(found)) == 6


def test_stores_are_found_by_their_number(as_user: Users) -> None:
    browser = as_user("viewer", "north")
    told = text_of(browser.get("/stores?search=3"))
    assert "Store 3" in told
    assert "Store 2" not in told
    assert "No store of yours has a number that holds “x%”" in text_of(browser.get("/stores?search=x%25"))


def test_products_are_found_and_lead_to_the_store_that_is_asked_about(as_user: Users) -> None:
    browser = as_user("viewer", "north")
    answer = browser.get("/products?search=BRAND+OF+p1&store_id=2")
    assert "/product?region=north&amp;product_id=p1&amp;store_id=2" in answer.text
    assert "number, brand or kind holds" in text_of(browser.get("/products?search=nothing"))


def test_products_are_those_of_the_store_or_of_the_user_s_stores(as_user: Users) -> None:
    """Product p5 is sold in store 3 alone."""
    for grants, query, count in (
        (["north"], "", 1),
        (["north"], "store_id=3", 1),
        (["north"], "store_id=2", 0),
        (["north/2"], "", 0),
        (["north/2", "north/3"], "", 1),
    ):
        told = as_user("viewer", *grants).get(f"/products?region=north&{query}").text
        assert (told.count("<small>p5</small>"), told.count("<small>p1</small>")) == (count, 1), (grants, query)


def test_alerts_follow_one_another_over_pages_the_worst_first(as_user: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    from shelfcast.web.pages import alerts

    monkeypatch.setattr(alerts, "OF_A_PAGE", 1)
    browser, found, path = as_user("viewer", "north"), [], "/alerts?region=north"
    while path:
        answer = browser.get(path).text
        found += re.findall(r'<td class="words name" data-sort="([^"]+)"', answer)
        onward = re.search(r'href="([^"]+)">Next page', answer)
        path = unescape(onward[1]) if onward else ""
    assert found == ["a day late", *(f"store {store}: nine times its usual Sunday" for store in "123")]


def test_alerts_come_worst_first_and_can_be_picked(as_user: Users) -> None:
    browser = as_user("viewer", "north")
    told = text_of(browser.get("/alerts"))
    assert told.index("a day late") < told.index("nine times its usual Sunday")
    assert "a day late" not in text_of(browser.get("/alerts?severity=warning"))
    assert "No such alerts" in text_of(browser.get("/alerts?severity=info"))


def test_models_stand_beside_one_another_and_beside_what_came_true(as_user: Users) -> None:
    answer = as_user("viewer", "north").get("/models")
    told = text_of(answer)
    assert told.index("tsb champion") < told.index("naive numpy")
    assert 'aria-label="Error (WAPE) by model. tsb, champion: 30.0%' in answer.text
    assert 'aria-label="tsb: actual against predicted units, 6 forecasts"' in answer.text
    assert 'aria-label="Units by week: 120 sold in all, 114 predicted"' in answer.text
    own = as_user("viewer", "north/2").get("/models").text
    assert 'aria-label="Units by week: 40 sold in all, 38 predicted"' in own
    assert "moving average" in text_of(as_user("viewer", "north").get("/models?panel=product"))


def test_the_newest_decisions_on_champions_are_shown_whatever_they_are_for(as_user: Users) -> None:
    """Of a dozen days, each with a decision on the mean and one on the median."""
    told = as_user("viewer", "north").get("/models").text.partition("Decisions, the newest first")[2]
    found = re.findall(r'<th scope="row" data-sort="([^"]+)">[^<]+</th><td>(\w+)</td>', told)
    days = [str(DAY - timedelta(days=ago)) for ago in range(5) for _ in range(2)]
    assert ([day for day, _ in found], sorted({purpose for _, purpose in found[:2]})) == (days, ["mean", "median"])


def test_the_quality_page_adds_up(as_user: Users) -> None:
    told = text_of(as_user("viewer", "north").get("/quality"))
    assert "sales 10 7 2 1 0 0 1" in told
    assert "negative price sales 2" in told
    assert "product 31.0% 2.0% 4 30.0% 100" in told
    assert "Quantity, PSI 0.02" in told


def test_what_if_shows_the_order_beside_the_published_one(as_user: Users) -> None:
    browser = as_user("viewer", "north")
    path = "/what-if?region=north&store_id=1&product_id=p1"
    asked = browser.get(path)
    assert re.search(r'value="2017-08-14" checked', asked.text), "the promotion that is planned"
    assert "p10 to p90" in asked.text
    assert "as supposed" not in drawn_in(asked)
    other = text_of(browser.get(f"{path}&asked=true&promoted=2017-08-14&on_hand=500&service=99&lead_days=2"))
    assert re.search(r"Order of today, units \d+ 0 -\d+", other)
    assert "Aug 14, 2017 11.1 5.55 11.1 16.6 22.2" in other, "a row of the weeks in numbers"


def test_what_if_without_the_planned_promotion_draws_a_second_fan(tmp_path: Path) -> None:
    """The champion of this lake knows promotions."""
    with running(write_trained(tmp_path / "lake"), tmp_path / "served", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "ada", "viewer", "north", password=PASSWORD)
        browser, path = Browser(client, "ada"), "/what-if?region=north&store_id=1&product_id=p1&asked=true"
        answer = browser.get(path)
        assert not re.search(r'name="promoted" value="[^"]+" checked', answer.text)
        assert "p10 to p90, as supposed" in drawn_in(answer)
        expected = re.search(r"Expected units, 4 weeks (\S+) (\S+) -(\S+)", text_of(answer))
        assert float(expected[1]) > float(expected[2]), "less is sold without it"
        assert "as supposed" not in drawn_in(browser.get(f"{path}&promoted=2017-08-14"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("price=-1", "price: found -1", id="a price below nothing"),
        pytest.param("price=100", "nothing is known beyond", id="a price beyond all that were"),
        pytest.param("service=100", "service level", id="a service that nobody can promise"),
        pytest.param("lead_days=2.5", "lead_days", id="half a day"),
        pytest.param("promoted=2017-08-15", "Monday", id="a day within a week"),
        pytest.param("promoted=2018-08-13", "wanted one ahead", id="a week that is not forecast"),
    ],
)
def test_what_cannot_be_supposed_is_said_on_the_page(as_user: Users, query: str, said: str) -> None:
    path = f"/what-if?region=north&store_id=1&product_id=p1&asked=true&{query}"
    answer = as_user("viewer", "north").get(path)
    assert answer.status_code in (409, 422)
    assert said in answer.text
    assert "data-problem" not in answer.text, "the form is still there"


def fields_of(text: str) -> dict[str, str]:
    """What the form of the settings holds as it is shown."""
    found = {name: unescape(value) for name, value in re.findall(r'name="([a-z_]+[.]\w+)"[^>]* value="([^"]*)"', text)}
    found |= {name: unescape(value) for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)<', text)}
    for name, options in re.findall(r'<select name="(kind[.]\w+)"[^>]*>(.*?)</select>', text):
        found[name] = re.search(r'value="(\w+)" selected', options)[1]
    return {**found, "version": re.search(r'name="version" value="([^"]+)"', text)[1]}


def test_what_a_planner_sets_on_the_page_is_what_the_next_plan_reads(client: TestClient, as_user: Users) -> None:
    browser, path = as_user("planner", "south"), "/settings?region=south"
    fields = fields_of(browser.get(path).text)
    assert (fields["level.AX"], fields["kind.AX"], fields["inventory.lead_days"]) == ("98", "fill_rate", "7")
    changed = {**fields, "level.AX": "99.5", "inventory.lead_days": "4", "inventory.packs": "a = 2 = 6\r\np1 = 12\r\n"}
    assert browser.post(path, changed).headers["location"] == "/settings?region=south&saved=true"
    found = config.load(CONFIG, [f"adjustments={service_of(client).configs['south'].adjustments}"]).inventory
    assert (found.targets["AX"].level, found.lead_days, found.packs) == (0.995, 4, {"a = 2": 6, "p1": 12})
    after = browser.get(path).text
    assert "the configuration has 7: go back" in unescape(after)
    assert after.count('name="reset"') == 3
    again = browser.post(path, {**fields_of(after), "reset": "inventory.lead_days"})
    assert again.status_code == 303
    assert fields_of(browser.get(path).text)["inventory.lead_days"] == "7"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        pytest.param("level.AX", "100", "inventory.targets.AX.level: found 1", id="a level that nobody can promise"),
        pytest.param("inventory.lead_days", "soon", "Lead time, days: found 'soon'", id="no number"),
        pytest.param("inventory.packs", "twelve", "Packs: found 'twelve'", id="no line"),
        pytest.param("inventory.review_days", "2.5", "inventory.review_days: found 2.5", id="half a day"),
        pytest.param("reset", "inventory.decisions", "reset: found inventory.decisions", id="what is no planner's"),
        pytest.param("version", "old", "others have changed them since", id="settings that have changed since"),
    ],
)
def test_a_setting_that_is_none_is_said_and_what_was_written_stays(
    as_user: Users, field: str, value: str, said: str
) -> None:
    browser, path = as_user("planner", "north"), "/settings?region=north"
    answer = browser.post(path, {**fields_of(browser.get(path).text), field: value})
    assert answer.status_code in (409, 422)
    assert said in unescape(answer.text)
    assert field == "reset" or f'value="{value}"' in answer.text or f">{value}<" in answer.text
    assert 'name="reset"' not in browser.get(path).text


@pytest.mark.parametrize(
    ("language", "written", "found", "shown"),
    [
        pytest.param("de-DE", "v1 = 1.000", 1000, "v1 = 1000", id="thousands of a German"),
        pytest.param("de-DE", "v1 = 1,5", 1.5, "v1 = 1,5", id="a German's one and a half"),
        pytest.param("de-DE", "v1 = 1.5", None, "wanted a number such as 1000 or 0,5", id="neither of a German's"),
        pytest.param("es-MX", "v1 = 1,000", 1000, "v1 = 1000", id="thousands of a Mexican"),
        pytest.param("en-GB", "v1 = 1.5", 1.5, "v1 = 1.5", id="an Englishwoman's one and a half"),
        pytest.param("en-GB", "v1 = 1_000", None, "wanted a number such as 1000 or 0.5", id="a programmer's"),
    ],
)
def test_amounts_in_a_list_are_read_and_shown_as_the_reader_writes_numbers(
    client: TestClient, as_user: Users, language: str, written: str, found: float | None, shown: str
) -> None:
    browser, path, key = as_user("planner", "south"), "/settings?region=south", "inventory.vendor_minima"
    told = {"accept-language": language}
    answer = browser.post(path, {**fields_of(browser.get(path, **told).text), key: written}, **told)
    own = read_adjustments(service_of(client).configs["south"].adjustments)
    if found is None:
        assert (answer.status_code, shown in answer.text, key in own) == (422, True, False)
        return
    assert own[key] == {"v1": found}
    fields = fields_of(browser.get(path, **told).text)
    assert fields[key] == shown
    assert browser.post(path, {**fields, "reset": key}, **told).status_code == 303


def test_the_form_holds_the_packs_of_all_products(as_user: Users) -> None:
    browser, path = as_user("planner", "south"), "/settings?region=south"
    packs = "\r\n".join(f"product {number:05} = 12" for number in range(4000))
    assert browser.post(path, {**fields_of(browser.get(path).text), "inventory.packs": packs}).status_code == 303
    told = text_of(browser.get("/audit"))
    assert re.search(r"inventory.packs.product 00000: . → 12; ", told)
    assert re.search(r"; and 3,98\d more", told)
    again = {**fields_of(browser.get(path).text), "reset": "inventory.packs"}
    assert browser.post(path, again).status_code == 303


def test_who_has_been_overtaken_is_refused_until_the_settings_are_read_anew(as_user: Users) -> None:
    first, second, path = as_user("planner", "north"), as_user("admin", "north"), "/settings?region=north"
    fields, stale = fields_of(first.get(path).text), fields_of(second.get(path).text)
    assert first.post(path, {**fields, "inventory.lead_days": "4"}).status_code == 303
    stale["inventory.packs"] = "p1 = 12"
    for _ in range(2):
        refused = second.post(path, stale)
        assert (refused.status_code, "Read them anew" in refused.text) == (409, True)
        stale = fields_of(refused.text)
        assert stale["inventory.packs"] == "p1 = 12", "what was written stays"
    fresh = fields_of(second.get(path).text)
    assert fresh["inventory.lead_days"] == "4"
    assert second.post(path, {**fresh, "inventory.packs": "p1 = 12"}).status_code == 303
    again = fields_of(first.get(path).text)
    assert (again["inventory.lead_days"], again["inventory.packs"]) == ("4", "p1 = 12")
    for key in ("inventory.lead_days", "inventory.packs"):
        assert first.post(path, {**fields_of(first.get(path).text), "reset": key}).status_code == 303


def test_where_one_fill_rate_is_kept_for_all_the_page_says_that_it_stands_over_classes(
    lake: Path, tmp_path: Path
) -> None:
    with running(lake, tmp_path, "inventory.fill_rate=0.975", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "planner", "planner", "north", password=PASSWORD)
        browser, path = Browser(client, "planner"), "/settings?region=north"
        page = browser.get(path)
        assert "one fill rate, 97.5%, for all products together" in text_of(page)
        fields = fields_of(page.text)
        refused = browser.post(path, {**fields, "level.AX": "90"})
        assert (refused.status_code, "inventory.fill_rate, 0.975, stands over them" in refused.text) == (422, True)
        # What a browser sends: no field of what is disabled.
        sent = {name: value for name, value in fields.items() if not name.startswith(("level", "kind"))}
        assert browser.post(path, {**sent, "inventory.lead_days": "4"}).status_code == 303


def test_a_viewer_reads_the_settings_alone(as_user: Users) -> None:
    told = as_user("viewer", "north").get("/settings").text
    assert '<fieldset class="stack" disabled>' in told
    assert "Keep</button>" not in told


def change_user(browser: Browser, page: str, name: str, role: str, *grants: str) -> object:
    """Send the form of a user as the page holds it, filled in so."""
    version = re.search(f'name="name" value="{name}"><input type="hidden" name="version" value="([^"]+)"', page)[1]
    fields = {"name": name, "role": role, "grants": "\r\n".join(grants), "version": version}
    return browser.post("/users/change", fields)


def test_an_admin_lets_in_changes_and_shuts(client: TestClient, as_user: Users) -> None:
    browser = as_user("admin", "north")
    made = browser.post("/users", {"name": "grace", "role": "viewer", "grants": "north/1\nnorth/2"})
    link = re.search(r"/welcome#([^<]+)</code>", made.text)[1]
    chosen = client.post("/welcome", data={"link": link, "password": PASSWORD, "again": PASSWORD})
    assert chosen.headers["location"] == "/sign-in?chosen=true"
    grace = Browser(client, "grace")
    assert "Store 1" in text_of(grace.get("/stores"))
    assert change_user(browser, browser.get("/users").text, "grace", "planner", "north/3").status_code == 303
    assert grace.get("/stores").status_code == 303, "a role that changes ends the session"
    assert browser.post("/users/shut", {"name": "grace"}).status_code == 303
    assert "grace planner shut north/3" in text_of(browser.get("/users"))
    assert client.post("/sign-in", data={"name": "grace", "password": PASSWORD}).status_code == 401
    assert browser.post("/users/open", {"name": "grace"}).status_code == 303
    assert "/welcome#" in browser.post("/users/link", {"name": "grace"}).text


def test_what_another_admin_has_taken_from_a_user_is_not_given_back_by_an_older_page(
    client: TestClient, as_user: Users
) -> None:
    add(client, "joan", "planner", "north/1", "north/2", password=PASSWORD)
    one, other, joan = as_user("admin", "north"), as_user("admin", "*"), Browser(client, "joan")
    shown = one.get("/users").text
    assert change_user(other, shown, "joan", "planner", "north/1").status_code == 303
    refused = change_user(one, shown, "joan", "viewer", "north/1", "north/2")
    assert (refused.status_code, "others have changed it since: planner of north/1;" in refused.text) == (409, True)
    assert "joan planner north/1 New link" in " ".join(re.sub("<[^>]+>", " ", refused.text).split())
    assert joan.get("/stores").status_code == 200, "the role is the same: the session goes on"
    assert change_user(one, refused.text, "joan", "viewer", "north/1", "north/2").status_code == 303
    assert joan.get("/stores").status_code == 303, "another role ends it"


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        pytest.param({"grants": "south"}, 403, "not yours to give", id="what the admin does not reach"),
        pytest.param({"grants": "North!"}, 422, "wanted a region", id="what is no region"),
        pytest.param({"name": " "}, 422, "name: found &#39;&#39;; wanted one<", id="no name"),
    ],
)
def test_who_may_not_be_let_in_is_said_on_the_page(
    as_user: Users, fields: dict[str, str], status: int, said: str
) -> None:
    asked = {"name": "linus", "role": "viewer", "grants": "north", **fields}
    answer = as_user("admin", "north").post("/users", asked)
    assert (answer.status_code, said in answer.text) == (status, True)


def test_a_token_is_shown_once_and_can_be_revoked(client: TestClient, as_user: Users) -> None:
    browser = as_user("planner", "north")
    form = {"label": "nightly <export>", "days": "30", "seen": "0"}
    made = browser.post("/account/tokens", form)
    again = browser.post("/account/tokens", form)
    assert (again.status_code, "a token was made since" in again.text) == (409, True), "the page was loaded again"
    assert again.text.count("Revoke nightly") == 1
    token = re.search(r"<code>(shelfcast_([^_]+)_[^<]+)</code>", made.text)
    headers = {"authorization": f"Bearer {token[1]}", "accept": "application/json"}
    assert client.get("/v1/session", headers=headers).status_code == 200
    assert token[1] not in browser.get("/account").text
    assert "nightly &lt;export&gt;" in browser.get("/account").text
    assert browser.post(f"/account/tokens/{token[2]}/revoke").status_code == 303
    assert client.get("/v1/session", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("language", "day", "number"),
    [
        pytest.param("de-DE,de;q=0.9", "06.08.2017", "11,1", id="German"),
        pytest.param("en-GB", "6 Aug 2017", "11.1", id="British"),
        pytest.param("es-MX", "6 ago 2017", "11.1", id="Mexican, unlike Spanish"),
        pytest.param("ru-RU,en;q=0.5", "6 авг. 2017", "11,1", id="Russian"),
        pytest.param("en-XX", "Aug 6, 2017", "11.1", id="of a country that nobody knows"),
        pytest.param("xx, *;q=0.5", "Aug 6, 2017", "11.1", id="nobody's"),
    ],
)
def test_days_and_numbers_are_those_of_the_reader_s_country(
    as_user: Users, language: str, day: str, number: str
) -> None:
    headers = {"accept-language": language}
    told = text_of(as_user("viewer", "north").get("/product?store_id=1&product_id=p1&region=north", **headers))
    assert day in told
    assert f"Expected next week {number} " in told


def test_pages_are_under_the_path_of_the_proxy(lake: Path, tmp_path: Path) -> None:
    address = f"{ADDRESS}/shop"
    with running(lake, tmp_path, f"serving.public_url={address}", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "ada", "admin", "*", password=PASSWORD)
        assert client.get("/shop/orders").headers["location"] == "/shop/sign-in?next=%2Forders"
        assert client.get("/shop", headers={"host": "elsewhere.test"}).headers["location"] == "/shop/sign-in?next=%2F"
        assert client.get("/shop/orders/", headers={"host": "elsewhere.test"}).status_code == 404
        form = client.get("/shop/sign-in").text
        answer = client.post("/shop/sign-in", data={"name": "ada", "password": PASSWORD, "next": "/orders"})
        assert answer.headers["location"] == "/shop/orders"
        assert "Path=/shop;" in answer.headers["set-cookie"]
        paths = ("/shop/", "/shop/orders", "/shop/what-if", "/shop/users", "/shop/models", "/shop/account")
        for text in (form, *(client.get(path).text for path in paths)):
            addresses = re.findall(r'(?:href|src|action|formaction)="([^"]*)"', text)
            assert addresses
            assert [found for found in addresses if not found.startswith(("/shop/", "#"))] == []
        assert client.get(re.search(r'href="([^"]+style.css[^"]*)"', form)[1]).status_code == 200


@pytest.mark.parametrize("path", [pytest.param("orders", id="of a page"), pytest.param("v1", id="of all of the API")])
def test_a_path_of_the_proxy_that_is_that_of_a_page_is_refused(lake: Path, tmp_path: Path, path: str) -> None:
    with (
        pytest.raises(ConfigError, match=f"serving.public_url: found path /{path}"),
        running(lake, tmp_path, f"serving.public_url={ADDRESS}/{path}", install=install_pages),
    ):
        pass


def test_the_document_of_the_api_tells_of_no_page(client: TestClient) -> None:
    assert {path for path in client.get("/openapi.json").json()["paths"] if not path.startswith("/v1/")} == {
        "/health", "/ready", "/metrics",
    }  # fmt: skip


def test_pages_ask_nobody_else_for_anything_and_hold_no_script_of_their_own(as_user: Users) -> None:
    browser = as_user("admin", "*")
    for path in (
        "/",
        "/store?store_id=1",
        "/product?store_id=1&product_id=p1",
        "/models",
        "/users",
        "/audit",
        "/quality",
    ):
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}region=north")
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|<style|https?://(?!shelf\.test)", answer.text)


def test_htmx_may_neither_evaluate_anything_nor_ask_another_site(as_user: Users) -> None:
    for path in ("/", "/orders", "/transfers", "/store?store_id=1", "/product?store_id=1&product_id=p1"):
        config = json.loads(
            re.search("name=\"htmx-config\" content='([^']+)'", as_user("planner", "north").get(path).text)[1]
        )
        unsafe = ("allowEval", "allowScriptTags", "historyEnabled", "includeIndicatorStyles")
        assert {name: config[name] for name in unsafe} == dict.fromkeys(unsafe, False)
        assert config["selfRequestsOnly"] is True


def test_a_file_of_the_pages_is_kept_for_as_long_as_it_is_the_same(client: TestClient) -> None:
    address = re.search(r'href="([^"]+style.css\?v=[^"]+)"', client.get("/sign-in").text)[1]
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/style.css?v=old").headers["cache-control"] == "no-cache"
    assert client.get("/static/..%2fguard.py").status_code == 404


def test_where_nothing_is_published_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "indexes of lake").mkdir()
    with running(tmp_path / "lake", tmp_path / "served", install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        add(client, "ada", "admin", "*", password=PASSWORD)
        answer = client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, follow_redirects=True)
        assert answer.status_code == 503
        assert "Nothing to show yet" in answer.text
        assert client.get("/users").status_code == 200
        browser = Browser(client, "ada")
        assert re.search('action="/sign-out" method="post"><input type="hidden" name="csrf"', browser.get("/").text)
        assert browser.post("/sign-out").headers["location"] == "/sign-in"


def test_an_error_of_ours_is_told_with_the_number_of_the_request(
    as_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shelfcast.web.pages import overview

    monkeypatch.setattr(overview, "summary", lambda *_: 1 / 0)
    answer = as_user("viewer", "north").get("/")
    assert answer.status_code == 500
    assert f"request {answer.headers['x-request-id']}" in answer.text
    assert "ZeroDivisionError" not in answer.text


def test_programs_are_answered_as_before(client: TestClient) -> None:
    for path, accept in (("/nothing", "application/json"), ("/v1/stores", "text/html"), ("/orders", "*/*")):
        answer = client.get(path, headers={"accept": accept})
        assert answer.status_code in (401, 404)
        assert answer.headers["content-type"] == "application/problem+json"
