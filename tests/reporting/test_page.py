import re
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from report_builders import Page, empty_report, frame, leaderboard, model, report
from shelfcast.reporting.data import COLUMNS, Headline, ReportData
from shelfcast.reporting.page import render, render_index

SECTIONS = {
    "summary": "At a glance",
    "insights": "Insights",
    "quality": "Data quality",
    "alerts": "Alerts",
    "demand": "Demand over time",
    "classes": "Kinds of demand",
    "leaderboard": "Leaderboard",
    "errors": "Where the errors are",
    "tuning": "Tuning",
    "calibration": "Accuracy and calibration",
    "forecasts": "The next weeks",
    "plan": "Orders",
    "replay": "The plan replayed",
    "study": "The study's protocol",
    "provenance": "How it was made",
}
HOSTILE = '<script>alert("1")</script> & \' <img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(report()))


# Where nothing was tuned, planned, replayed or looked for, there is nothing to say of it.
SOMETIMES = ("tuning", "insights", "plan", "replay")
ALWAYS = {anchor: title for anchor, title in SECTIONS.items() if anchor not in SOMETIMES}


@pytest.mark.parametrize(
    ("data", "sections"),
    [pytest.param(report(), SECTIONS, id="full"), pytest.param(empty_report(), ALWAYS, id="empty")],
)
def test_has_every_section_under_its_heading_and_in_the_navigation(data: ReportData, sections: dict[str, str]) -> None:
    page = Page(render(data))
    assert [found["id"] for found in page.all("section")] == list(sections)
    assert [link["href"] for link in page.all("a")][1:] == [f"#{anchor}" for anchor in sections]
    assert all(page.text.count(title) >= 2 for title in sections.values())


def test_asks_nothing_of_a_network() -> None:
    html = render(report())
    page = Page(html)
    assert "http" not in html.lower()
    assert "@import" not in html
    assert "url(" not in html
    loads = [
        value
        for _, attributes in page.elements
        for key, value in attributes.items()
        if key in ("src", "srcset", "data")
    ]
    assert loads == []
    assert all(str(link["href"]).startswith("#") for link in page.all("a"))
    assert page.all("link") == []


@pytest.mark.parametrize("data", [pytest.param(report(HOSTILE), id="names"), pytest.param(empty_report(), id="empty")])
def test_every_element_is_closed_and_named_once(data: ReportData) -> None:
    page = Page(render(data))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert page.is_balanced
    assert page.open == []
    assert len(ids) == len(set(ids))


def test_a_hostile_name_stays_text_everywhere() -> None:
    data = report(
        HOSTILE,
        store_errors=frame("store_errors", (HOSTILE, 12.0, 1.5, 0.4)),
        refusals=frame("refusals", (HOSTILE, HOSTILE, 9)),
        leaderboard=leaderboard(model(HOSTILE, 0.3, champion="median", family=HOSTILE)),
        provenance=replace(report().provenance, run_id=HOSTILE, settings={HOSTILE: HOSTILE}, tables={HOSTILE: 1}),
    )
    page = Page(render(data))
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert page.text.count('alert("1")') >= 10


def test_the_same_data_make_the_same_page() -> None:
    assert render(report()) == render(report())


def test_an_empty_report_says_of_each_part_why_it_is_empty() -> None:
    page = Page(render(empty_report()))
    assert page.all("figure") == []
    assert page.text.count("has not run") >= 4
    assert "No model has been scored yet" in page.text
    assert "nan" not in page.text


@pytest.mark.parametrize("name", COLUMNS)
def test_any_one_part_may_be_missing(name: str) -> None:
    page = Page(render(replace(report(), **{name: getattr(empty_report(), name)})))
    assert page.is_balanced


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("1,469,307", id="counts-with-commas"),
        pytest.param("33.7 % of demand", id="errors-as-shares-of-demand"),
        pytest.param("20 % less than naive", id="the-champion-against-the-yardstick"),
        pytest.param("231 k units in the next 8 weeks", id="units-of-the-horizon"),
        pytest.param("2 min 13 s", id="seconds-as-minutes"),
        pytest.param("+1.2 points", id="differences-of-shares-in-points"),
        pytest.param("99.999 %", id="a-share-that-is-nearly-all-is-not-rounded-to-all"),
        pytest.param("12.1 k units for €36 k", id="revenue-in-the-currency"),
        pytest.param("31 Dec 2017", id="dates-in-words"),
    ],
)
def test_numbers_come_with_their_units(page: Page, words: str) -> None:
    assert words in page.text


def test_charts_and_tables_can_be_read_aloud(page: Page) -> None:
    charts = [svg for svg in page.all("svg") if svg.get("aria-hidden") != "true"]
    assert len(charts) >= 10
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in charts)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def rows_of(page_html: str, kind: str) -> list[str]:
    return re.findall(rf'<tr class="{kind}">(.*?)</tr>', page_html, re.DOTALL)


def test_marks_the_champion_greys_the_all_zero_forecast_and_says_who_lacked_history() -> None:
    html = render(report())
    (champion,) = rows_of(html, "champion")
    zero, no_history = rows_of(html, "quiet")
    assert "tsb" in champion
    assert "champion</span>" in champion
    assert "zero" in zero
    assert "not enough history: 52 weeks twice" in no_history


def test_ranks_models_by_error_and_puts_those_without_one_last() -> None:
    board = leaderboard(
        model("worse", 0.5), model("none", None, status="failed", detail="singular"), model("better", 0.4)
    )
    text = Page(render(report(leaderboard=board))).text
    assert text.index("better") < text.index("worse") < text.index("failed: singular")


def test_names_what_a_model_is_the_champion_for() -> None:
    board = leaderboard(
        model("ridge", 0.5, champion="mean"), model("blend", 0.4, champion="median", members="tsb, naive")
    )
    text = Page(render(report(leaderboard=board))).text
    assert "champion for the mean" in text
    assert "champion for the median" in text
    assert "tsb, naive" in text


def test_a_search_is_told_with_its_best_trial_and_the_errors_of_the_failed(page: Page) -> None:
    assert "3 trials, drawn by tree-structured Parzen estimators" in page.text
    assert "1 failed. The best is trial 2, with a validation loss of 0.840." in page.text
    assert "ValueError: no number" in page.text
    tips = [str(dot.get("data-tip")) for dot in page.all("circle")]
    assert "trial 2: loss 0.840 (units 16, dropout 0.1)" in tips
    # Dropout was the same in all trials: it has no axis.
    assert any("3 trials by units, validation loss" in str(svg.get("aria-label")) for svg in page.all("svg"))
    assert not any(label.startswith("dropout: ") for label in page.words)


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param(report().trials.iloc[:1], id="one-alone"),
        pytest.param(report().trials.iloc[1:2], id="none-finished"),
        pytest.param(report().trials.iloc[[0, 0]], id="all-the-same"),
    ],
)
def test_a_search_of_few_trials_can_be_shown(trials: pd.DataFrame) -> None:
    page = Page(render(report(trials=trials)))
    assert page.is_balanced
    assert "nan" not in page.text


def test_each_finding_is_a_sentence_with_its_figure_set_off(page: Page) -> None:
    assert "6 findings that someone can act on" in page.text
    for figure, sentence in (
        ("4.2 %", "12 of 300 products bring 80 % of the revenue."),
        ("9.24 days", "Vendor 4425 takes 9.2 days on average."),
        ("€28", "Product p1 earned nothing."),
    ):
        assert page.words[page.words.index(sentence) - 1].replace("\u202f", " ") == figure
    assert "The source counts no stock." in page.text


def test_insights_are_drawn_and_told_in_tables(page: Page) -> None:
    labels = [str(svg.get("aria-label")) for svg in page.all("svg")]
    (curve,) = {label for label in labels if label.startswith("revenue against products")}
    # Class A are 12 of 50,550 products, with 800 of 1,000.
    assert "A: 0.0\u202f% of products, 80.0\u202f% of revenue" in curve
    assert [label for label in labels if label.startswith("1: kind 1: 6 of 12 drawn")]
    assert [label for label in labels if label.startswith("The last year's weeks")]
    assert {label for label in labels if "Vendor 4425: 9.24\u202fd, 4\u202fd to 15\u202fd" in label}
    assert "Products by class" in page.text
    assert "The first products to go" in page.text


def test_alerts_are_told_by_severity_with_what_they_hold_back(page: Page) -> None:
    assert "12 critical, 1 info. 1 of them hold sales back: nothing learns from these" in page.text
    assert "Alerts, the worst first; 11 more alike in monitoring/alerts" in page.text
    assert page.text.index("10.2 times its usual Sunday") < page.text.index("price, last 4 weeks: PSI 0.12")
    assert "Population stability index. price: 0.169; category mix: 0.000" in {
        chart["aria-label"] for chart in page.all("svg") if "aria-label" in chart
    }


def test_no_alerts_are_said_in_one_sentence() -> None:
    text = Page(render(report(alerts=frame("alerts")))).text
    assert "no check has found anything" in text


def test_nothing_refused_is_said_in_one_sentence() -> None:
    counts = frame("row_counts", ("sales", 100, 100, 0, 0, 0, 0, 0))
    assert "All 100 rows received are clean." in Page(render(report(row_counts=counts))).text


def test_days_out_of_stock_are_told_with_their_basis_and_what_they_lost(page: Page) -> None:
    assert "1,893 units are recovered" in page.text
    assert "Product out of stock stated 310 2,204 1,893 Store closed inferred 4 9 0" in page.text


def test_a_bar_ends_at_all_of_demand_however_large_the_error() -> None:
    board = leaderboard(model("silly", 3.2), model("good", 0.4))
    assert re.findall(r'inline-size:([\d.]+)%"', render(replace(empty_report(), leaderboard=board))) == [
        "40.0",
        "100.0",
    ]


def test_lost_rows_are_called_lost() -> None:
    counts = frame("row_counts", ("sales", 100, 90, 4, 1, 0, 0, 0))
    assert "5 rows are not accounted for" in Page(render(report(row_counts=counts))).text


def test_a_champion_worse_than_the_yardstick_is_said_to_be_so() -> None:
    headline = Headline(champion="tsb", champion_wape=0.5, benchmark="naive", benchmark_wape=0.4)
    assert "25 % more than naive" in Page(render(report(headline=headline))).text


def test_a_quantile_that_is_off_is_marked() -> None:
    html = render(report())
    assert re.search(r'class="num good"[^>]*>\s*\+1.2', html)
    assert re.search(r'class="num bad"[^>]*>\s*\u22128.0', html)


def test_a_quantile_that_past_forecasts_are_too_few_for_is_said_to_be_so() -> None:
    html = render(report())
    assert re.search(r'class="num bad"[^>]*>\s*16 of 49', html)
    assert re.search(r'class="num"[^>]*>\s*5,000 of 49', html)
    assert "nan" not in Page(html).text
    tips = [str(dot.get("data-tip")) for dot in Page(html).all("circle")]
    assert not [tip for tip in tips if tip.startswith("region: stated 98")]


@pytest.mark.parametrize("band", [pytest.param(("p90",), id="no-p90"), pytest.param(("p10", "p50", "p90"), id="none")])
def test_a_fan_is_drawn_as_far_as_its_quantiles_are_known(band: tuple[str, ...]) -> None:
    fans = report().fans.assign(**dict.fromkeys(band))
    page = Page(render(report(fans=fans)))
    assert page.is_balanced
    assert "nan" not in page.text


def test_stores_with_heads_of_their_own_are_counted_with_what_they_gain_on_later_weeks(page: Page) -> None:
    assert "6 of 12 stores keep a head of their own" in page.text
    assert "saves them +8.0 % of the network's loss (+7" in page.text
    assert "and +2.5 points of WAPE" in page.text
    (chart,) = {svg["aria-label"] for svg in page.all("svg") if str(svg.get("aria-label")).startswith("Loss saved")}
    assert "Store and category, mlp: the 6 kept: +8.0" in str(chart)
    assert "all 12 tried: +6.5" in str(chart)


def test_where_no_store_has_a_head_of_its_own_nothing_is_drawn_and_where_none_is_kept_that_is_said() -> None:
    assert "head of their own" not in Page(render(empty_report())).text
    tried = report().store_heads.assign(kept=False)
    text = Page(render(report(store_heads=tried))).text
    assert "none of 12 stores keeps a head of its own" in text
    assert "nan" not in text


@pytest.mark.parametrize("tried", [3, 12])
def test_what_heads_gain_in_very_few_stores_has_no_interval(tried: int) -> None:
    heads = report().store_heads.head(tried)
    page = Page(render(report(store_heads=heads.assign(kept=[True] * 3 + [False] * (tried - 3)))))
    assert "3 of" in page.text
    assert "(too few stores for an interval)" in page.text
    assert "nan" not in page.text
    charts = [str(svg["aria-label"]) for svg in page.all("svg") if str(svg.get("aria-label")).startswith("Loss saved")]
    assert bool(charts) == (tried == 12)
    assert not [label for label in charts if "the 3 kept" in label]


REGIONS = {
    "one, at once": (["north"], ["north/index.html"], True),
    "several, by a link each": (["north", "south_east"], ["north/index.html", "south_east/index.html"], False),
}


@pytest.mark.parametrize(("regions", "links", "at_once"), REGIONS.values(), ids=REGIONS)
def test_the_index_leads_to_each_region_s_page(regions: list[str], links: list[str], at_once: bool) -> None:
    page = Page(render_index(regions))
    assert [link["href"] for link in page.all("a")] == links
    assert [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "refresh"] == (
        [f"0; url={links[0]}"] if at_once else []
    )
