"""Charts as Chromium draws them."""

from collections.abc import Mapping

import pytest

from shelfcast.api.service import Service
from web.windows import Open, Window, user

PAIR = "region=north&store_id=1&product_id=p1"
PAGES = {"store": "/store?region=north&store_id=1", "product": f"/product?{PAIR}", "models": "/models?region=north"}
# What a chart is of: each set of data with its label, and how many pixels of the canvas are not empty.
DRAWN = """canvas => {
    const chart = Chart.getChart(canvas);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return {
        type: chart.config.type,
        sets: Object.fromEntries(chart.data.datasets.map(({ label, data }) => [label ?? "", [...data]])),
        levels: Object.values(chart.options.plugins.annotation?.annotations ?? {}).map(({ label }) => label?.content),
        ticks: chart.scales.x.ticks.map(({ label }) => label),
        inked: data.filter((value, place) => place % 4 === 3 && value).length,
    };
}"""
COLOURS = """() => [
    Chart.getChart(document.querySelector("canvas")).data.datasets[0].borderColor,
    getComputedStyle(document.documentElement).getPropertyValue("--ink"),
]"""


def opened(open_window: Open, service: Service, path: str, look: str = "light", **options: object) -> Window:
    window = open_window(look, **options)
    window.sign_in(user(service, "viewer", "north"))
    window.page.goto(path)
    return window


def drawn(window: Window) -> list[Mapping[str, object]]:
    return [canvas.evaluate(DRAWN) for canvas in window.page.locator("canvas").all()]


def test_a_product_s_sales_forecast_and_stock_are_drawn(open_window: Open, service: Service) -> None:
    outlook, stock = drawn(opened(open_window, service, PAGES["product"]))
    sold, expected, high = (outlook["sets"][name] for name in ("sold", "expected", "p10 to p90"))
    assert sold[-5:] == [13, None, None, None, None]
    assert expected[-5:] == [None, *[pytest.approx(11.1, abs=0.05)] * 4]
    assert high[-1] == pytest.approx(16.6, abs=0.05)
    assert outlook["ticks"][0] == "Sept 2016"
    assert list(stock["sets"]) == ["left, at expected demand", "with the suggested order"]
    assert stock["levels"] == ["order-up-to level 48", "reorder point 24"]
    assert min(outlook["inked"], stock["inked"]) > 2_000


def test_models_are_drawn_beside_one_another_and_beside_what_came_true(open_window: Open, service: Service) -> None:
    errors, pairs, weeks, *_ = drawn(opened(open_window, service, PAGES["models"]))
    assert (errors["type"], errors["sets"]) == ("bar", {"": [0.3, 0.5]})
    assert (pairs["type"], [bubble["weight"] for bubble in pairs["sets"][""]]) == ("scatter", [1])
    assert (weeks["type"], list(weeks["sets"])) == ("line", ["sold", "predicted"])
    assert min(errors["inked"], pairs["inked"], weeks["inked"]) > 2_000


@pytest.mark.parametrize("look", ["light", "phone"])
def test_a_week_is_told_under_the_pointer_in_the_reader_s_numbers(
    open_window: Open, service: Service, look: str
) -> None:
    page = opened(open_window, service, PAGES["store"], look, locale="de-DE").page
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.evaluate("""canvas => {
        const { x, y } = Chart.getChart(canvas).getDatasetMeta(1).data.at(-1);
        return { x: x - 1, y };
    }""")
    canvas.hover(position=place) if look == "light" else canvas.tap(position=place)
    tip = canvas.evaluate("canvas => { const { title, body, opacity } = Chart.getChart(canvas).tooltip;"
                          "return [opacity, title, body.flatMap(({ lines }) => lines)]; }")  # fmt: skip
    assert tip == [1, ["28.08.2017"], ["expected: 45", "p98: 90", "p10 to p90: 22,5 to 67,5"]]


def test_charts_change_with_the_colours_of_the_screen_and_of_paper(open_window: Open, service: Service) -> None:
    page = opened(open_window, service, PAGES["product"]).page
    light, told = page.evaluate(COLOURS)
    assert light == told
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor !== light", arg=light
    )
    dark, told = page.evaluate(COLOURS)
    assert dark == told
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(COLOURS)[0] == "#000000"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(COLOURS)[0] == dark


def test_without_scripts_a_chart_is_told_in_words_and_numbers(open_window: Open, service: Service) -> None:
    page = opened(open_window, service, PAGES["store"], java_script_enabled=False).page
    words = page.locator("figure noscript p")
    assert words.is_visible()
    assert words.inner_text().startswith("Store 1: units sold by week, then the forecast of 4 weeks from 7 Aug 2017")
    assert not page.locator("canvas").is_visible()
    page.locator("summary").first.press("Enter")
    assert page.get_by_role("row", name="28 Aug 2017 45 22.5 45 67.5 90").is_visible()


def test_the_numbers_of_a_chart_are_reached_by_keyboard(open_window: Open, service: Service) -> None:
    page = opened(open_window, service, PAGES["product"]).page
    summary = page.locator("figure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    table = page.get_by_role("region", name="Product p1 in store 1: units by week")
    assert table.evaluate("table => table === document.activeElement")
    assert table.get_by_role("rowheader").count() == 56
