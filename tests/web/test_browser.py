"""The pages in a real browser: Chromium, without a window. Pictures of them go to the folder that the environment
variable SHELFCAST_PICTURES names."""

import os
from collections.abc import Callable

import pytest

from api.conftest import PASSWORD
from api.lake import AHEAD, DAY, order_id
from shelfcast.api.access.accounts import add_user, make_link
from shelfcast.api.access.principal import Grant, Role
from shelfcast.api.decisions import add_decision
from shelfcast.api.service import Service
from web.windows import LOOKS, Open, Window, user

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: wanted the packages of `make setup`")

PAIR = "region=north&store_id=1&product_id=p1"
PAGES = {
    "overview": "/?region=north",
    "orders": "/orders?region=north&which=all",
    "transfers": "/transfers?region=north&which=all",
    "stores": "/stores?region=north",
    "store": "/store?region=north&store_id=1",
    "products": "/products?region=north",
    "product": f"/product?{PAIR}",
    "product in all stores": "/product?region=north&product_id=p1",
    "what if": f"/what-if?{PAIR}&asked=true&on_hand=60&service=95&lead_days=3",
    "what if, no product": "/what-if?region=north",
    "alerts": "/alerts?region=north",
    "no alerts": "/alerts?region=north&severity=info",
    "models": "/models?region=north",
    "quality": "/quality?region=north",
    "settings": "/settings?region=north",
    "users": "/users?region=north",
    "audit": "/audit?region=north",
    "account": "/account?region=north",
    "not there": "/product?region=north&product_id=p9",
}


def test_a_planner_finds_a_store_reads_its_forecast_and_approves_an_order(open_window: Open, service: Service) -> None:
    window = open_window()
    name = user(service, "planner", "north/2", "north/3")
    window.sign_in(name)
    page = window.page
    page.get_by_role("link", name="Stores").click()
    page.get_by_label("Number holds").fill("2")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Store 2").click()
    assert page.get_by_role("img", name="Store 2: units sold by week, then the forecast of 4 weeks").is_visible()
    page.get_by_role("link", name="Brand of p1").first.click()
    page.get_by_role("button", name="Approve p1, store 2").click()
    row = page.locator(f"#row-{order_id('north', '2', 'p1')}")
    row.get_by_text(f"36 units by {name}").wait_for()
    assert page.url.endswith("product_id=p1"), "the row is changed in its place"
    refused = page.goto("/store?region=north&store_id=1")
    assert refused.status == 403
    assert page.get_by_role("alert").inner_text() == "store 1 of region north: not yours"
    page.goto("/audit?region=north")
    deed = page.get_by_role("row").filter(has_text=name)
    assert "approved" in deed.first.inner_text()
    assert order_id("north", "2", "p1") in deed.first.inner_text()


def test_an_order_is_amended_by_keyboard_alone(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "north"))
    page = window.page
    page.goto("/orders?region=north&store_id=3&which=all")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    row = page.locator(f"#row-{order_id('north', '3', 'p2')}")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("24")
    page.keyboard.press("Enter")
    row.get_by_text("24 units by").wait_for()
    assert "24 units" in page.locator("#status").inner_text(), "who does not see it hears it"
    focused = "document.activeElement.closest('[data-row]')?.id"
    assert page.evaluate(focused) == f"row-{order_id('north', '3', 'p2')}", "the place is kept"


def test_a_quantity_that_the_server_refuses_is_said_in_the_row(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "north"))
    page = window.page
    page.goto("/orders?region=north&store_id=3&which=all")
    row = page.locator(f"#row-{order_id('north', '3', 'p/4 ü')}")
    row.locator("summary").click()
    row.get_by_label("Units").evaluate("input => { input.type = 'text'; input.value = '-5'; }")
    row.get_by_role("button", name="Amend").click()
    assert "quantity" in row.get_by_role("alert").inner_text()


def test_an_order_is_rejected_in_its_place_by_keyboard_and_can_be_changed_again(
    open_window: Open, service: Service
) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "south"))
    page = window.page
    page.goto("/orders?region=south&which=all")
    page.evaluate("window.isFirst = true")
    row = page.locator(f"#row-{order_id('south', '9', 'p1')}")
    row.get_by_role("button", name="Reject p1, store 9", exact=True).focus()
    page.keyboard.press("Enter")
    row.get_by_text("rejected").wait_for()
    row.locator("summary").press("Enter")
    row.get_by_role("button", name="Approve p1, store 9 as suggested").press("Enter")
    row.get_by_text("approved").wait_for()
    assert page.evaluate("window.isFirst"), "the page is the same"


def test_an_order_that_is_not_as_it_was_shown_is_put_in_its_place_as_it_is(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "south"))
    page, number = window.page, order_id("south", "9", "p2")
    page.goto("/orders?region=south&which=all")
    row = page.locator(f"#row-{number}")
    order = {"order_id": number, "store_id": "9", "vendor_id": "v1", "product_id": "p2", "from_store": None}
    with service.database.begin() as connection:
        told = {**order, "need_by": str(AHEAD[0])}
        add_decision(connection, "south", told, "rejected", 36.0, "a colleague", "enough", DAY)
    row.get_by_role("button", name="Approve").press("Enter")
    row.get_by_text("36 units by a colleague: enough").wait_for()
    assert "rejected by a colleague since it was shown" in row.get_by_role("alert").inner_text()
    row.locator("summary").press("Enter")
    row.get_by_role("button", name="Approve p2, store 9 as suggested").press("Enter")
    row.get_by_text("approved").wait_for()
    assert row.get_by_role("alert").count() == 0


def held_back(page: object, pattern: str) -> Callable[[], object]:
    """Requests for such an address wait; the answer gives the first of them, once it has left the page, which says
    before that it waits."""
    held: list[object] = []
    page.route(pattern, lambda route: held.append(route))

    def first() -> object:
        for _ in range(500):
            if held:
                break
            page.wait_for_timeout(20)
        return held[0]

    return first


def test_the_buttons_of_a_row_wait_for_the_answer(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "north"))
    page = window.page
    page.goto("/orders?region=north&store_id=1&which=all")
    approval = held_back(page, "**/approve*")
    row = page.locator(f"#row-{order_id('north', '1', 'p2')}")
    row.get_by_role("button", name="Approve").click()
    row.get_by_role("button", name="Reject p2, store 1", exact=True).and_(page.locator(":disabled")).wait_for()
    approval().continue_()
    row.get_by_text("approved").wait_for()
    assert row.locator("summary").is_enabled()


def test_where_no_answer_comes_the_row_says_so(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "north"))
    page = window.page
    page.goto("/orders?region=north&store_id=2&which=all")
    approval = held_back(page, "**/approve*")
    row = page.locator(f"#row-{order_id('north', '2', 'p2')}")
    approve = row.get_by_role("button", name="Approve")
    approve.press("Enter")
    page.wait_for_function("document.activeElement === document.body")
    approval().abort()
    row.get_by_text("no answer: please try again").wait_for()
    assert approve.evaluate("button => button === document.activeElement"), "the place is kept"
    assert window.wrong
    window.wrong.clear()


def test_who_is_signed_out_meanwhile_is_asked_to_sign_in(open_window: Open, service: Service) -> None:
    window = open_window()
    window.sign_in(user(service, "planner", "north"))
    page = window.page
    page.goto("/orders?region=north&store_id=2&which=all")
    window.context.clear_cookies()
    page.get_by_role("button", name="Approve").first.click()
    page.get_by_role("heading", name="Sign in").wait_for()


def test_a_link_lets_somebody_choose_a_password(open_window: Open, service: Service) -> None:
    with service.database.begin() as connection:
        link = make_link(connection, add_user(connection, "newcomer", Role.VIEWER, [Grant("north")]), 1)
    window = open_window()
    page = window.page
    page.goto(f"/welcome#{link}")
    page.wait_for_function("location.hash === ''")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Choose").click()
    page.get_by_text("sign in with it").wait_for()
    window.sign_in("newcomer")
    assert page.get_by_role("heading", level=1).inner_text().startswith("North")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_whole_accessible_and_fits(open_window: Open, service: Service, look: str) -> None:
    window = open_window(look)
    check(window, "sign in", "/sign-in", look)
    check(window, "welcome", "/welcome", look)
    window.sign_in(user(service, "admin", "*"))
    for name, path in PAGES.items():
        check(window, name, path, look)


def check(window: Window, name: str, path: str, look: str) -> None:
    page = window.page
    assert page.goto(path).status == (404 if name == "not there" else 200), name
    for details in page.locator("details").all()[:1]:
        details.locator("summary").first.click()
    pictures = os.environ.get("SHELFCAST_PICTURES")
    if pictures:
        page.screenshot(path=f"{pictures}/{name.replace(',', '').replace(' ', '_')}-{look}.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name}: {wide} pixels too wide"
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (rule["id"], node["target"], node["failureSummary"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert serious == [], name
