import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report_builders import Page
from shelfcast.reporting import formats
from shelfcast.reporting.charts import grids, lines, points, strips, trials
from shelfcast.reporting.charts.svg import Canvas, Scale, both_widths, log_ticks, month_axis, tag, ticks

MONDAY = date(2017, 1, 2)


def weeks(*values: float) -> list[tuple[date, float]]:
    return [(MONDAY + timedelta(weeks=i), value) for i, value in enumerate(values)]


def test_an_element_escapes_its_attributes_and_words() -> None:
    assert tag("text", 'a & "b" <c>', data_tip='"><script>', x=1.04, class_=None) == (
        '<text data-tip="&#34;&gt;&lt;script&gt;" x="1">a &amp; &#34;b&#34; &lt;c&gt;</text>'
    )


@given(st.floats(0, 1e6), st.floats(0.001, 1e6), st.integers(3, 8))
def test_ticks_are_evenly_spaced_and_reach_past_the_highest(low: float, span: float, about: int) -> None:
    at = ticks(low, low + span, about)
    assert at[0] >= low - span * 1e-6
    assert at[-1] >= (low + span) * (1 - 1e-6)
    assert len(at) <= about + 2
    steps = [after - before for before, after in pairwise(at)]
    assert steps == pytest.approx(steps[:1] * len(steps), rel=1e-3)


def test_ticks_of_a_single_value_are_that_value() -> None:
    assert ticks(3, 3, 5) == [3]


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert log_ticks(0.5, 1200) == [1, 10, 100, 1000]


@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4), st.booleans())
def test_a_scale_takes_the_ends_of_its_domain_to_those_of_its_range(low: float, high: float, log: bool) -> None:
    scale = Scale((low, high), (10, 200), log)
    assert scale(high) == pytest.approx(200 if high > low else 105)
    assert scale(low) == pytest.approx(10 if high > low else 105)


def test_months_are_thinned_to_the_room_and_january_has_its_year() -> None:
    axis = month_axis(
        Canvas(340, 200), Scale((MONDAY.toordinal(), MONDAY.toordinal() + 400), (52, 324)), MONDAY, date(2018, 2, 6)
    )
    assert Page(axis).text.split() == ["Jan", "2017", "May", "Sep", "Jan", "2018"]


def test_a_chart_is_drawn_for_screens_and_for_phones() -> None:
    page = Page(both_widths(lambda width: Canvas(width, 100).draw("both"), 500))
    assert [svg["viewbox"] for svg in page.all("svg")] == ["0 0 500 100", "0 0 340 100"]


def test_each_week_tells_its_number_under_the_pointer() -> None:
    page = Page(lines.over_time(500, weeks(1000, 24000), formats.compact, "Units"))
    tips = [rect["data-tip"] for rect in page.all("rect")]
    assert tips == ["week of 2 Jan 2017: 1,000", "week of 9 Jan 2017: 24\u202fk"]
    assert page.all("svg")[0]["aria-label"] == (
        "Units by week, lowest 1,000 in the week of 2 Jan 2017, highest 24\u202fk in the week of 9 Jan 2017"
    )


@pytest.mark.parametrize("values", [pytest.param([0, 0], id="nothing-sold"), pytest.param([5], id="a-single-week")])
def test_a_short_or_silent_series_can_be_drawn(values: list[float]) -> None:
    for chart in (
        lines.over_time(500, weeks(*values), formats.amount, "Units"),
        lines.sparkline(weeks(*values), formats.amount, "X"),
    ):
        assert "nan" not in chart
        assert Page(chart).is_balanced


def test_a_fan_shows_what_was_sold_then_median_and_band() -> None:
    future = [(MONDAY + timedelta(weeks=2), 1.0, 2.0, 4.0), (MONDAY + timedelta(weeks=3), 1.0, 2.0, 5.0)]
    page = Page(lines.fan(500, lines.Fan(weeks(3, 4), future), formats.amount, "EGGS"))
    assert [str(path["class"]) for path in page.all("path")] == ["band", "line line-ink", "line line-accent"]
    assert page.all("rect")[-1]["data-tip"] == "week of 23 Jan 2017: p50 2, p10 to p90 1 to 5"


def test_names_at_the_end_of_curves_do_not_overlap_and_the_champion_is_drawn_last() -> None:
    curves = [
        ("best", True, [(1, 0.30), (2, 0.31)]),
        ("next", False, [(1, 0.30), (2, 0.311)]),
        ("far", False, [(1, 0.5), (2, 0.6)]),
    ]
    page = Page(lines.by_step(1040, curves, formats.share))
    names = [float(str(text["y"])) for text in page.all("text") if "name" in str(text["class"])]
    assert all(later - earlier >= 14 for earlier, later in pairwise(names))
    assert [g["class"] for g in page.all("g") if "curve" in str(g.get("class"))] == ["curve", "curve", "curve champion"]


def test_fuller_cells_are_stronger_and_say_what_they_hold() -> None:
    cells = [grids.Cell(1, 2, 1, 2, 1, "one"), grids.Cell(2, 4, 2, 4, 100, "a hundred")]
    page = Page(grids.cell_grid(500, cells, grids.Plane("x", "y", "all", diagonal=True)))
    weak, strong = page.all("rect")
    assert float(str(weak["fill-opacity"])) < float(str(strong["fill-opacity"])) == 1
    assert (weak["data-tip"], strong["data-tip"]) == ("one", "a hundred")
    assert [line["class"] for line in page.all("line")][-1] == "diagonal"


def test_calibration_says_stated_and_observed() -> None:
    page = Page(grids.calibration(500, [("product", [(0.5, 0.52), (0.9, 0.88)])]))
    assert [dot.get("data-tip") for dot in page.all("circle")][:2] == [
        "product: stated 50\u202f%, observed 52.0\u202f%",
        "product: stated 90\u202f%, observed 88.0\u202f%",
    ]


NONE = float("nan")
TOLD = ["worse", "failed", "best"]


def _coordinates(losses: list[float]) -> list[trials.Coordinate]:
    rates = trials.Coordinate("learning rate", [0.001, 0.1, 0.01], formats.amount)
    return [rates, trials.Coordinate("loss", losses, formats.precise)]


def test_a_trial_is_a_line_through_its_coordinates_the_best_on_top_and_a_failed_one_without_a_loss() -> None:
    losses = [0.9, NONE, 0.8]
    page = Page(trials.parallel_coordinates(500, _coordinates(losses), losses, TOLD))
    drawn = [g for g in page.all("g") if "curve" in str(g.get("class"))]
    assert [(g["class"], g.get("opacity")) for g in drawn] == [
        ("curve failed", None),
        ("curve", "0.65"),
        ("curve champion", "1.00"),
    ]
    failed, worse, best = (str(path["d"]) for path in page.all("path"))
    assert (failed.count("L"), worse.count("L"), best.count("L")) == (0, 1, 1)
    # Rates a hundred times apart are read by their ratios: 0.01 lies half-way.
    assert best.startswith("M250 ")
    assert [dot["data-tip"] for dot in page.all("circle")] == ["failed", *["worse"] * 2, *["best"] * 2]


def test_trials_of_which_none_was_finished_are_drawn_too() -> None:
    losses = [NONE, NONE, NONE]
    page = Page(trials.parallel_coordinates(500, _coordinates([0.5] * 3)[:1], losses, TOLD))
    assert [g["class"] for g in page.all("g") if "curve" in str(g.get("class"))] == ["curve failed"] * 3


def test_the_best_so_far_only_falls_and_keeps_the_places_of_failed_trials() -> None:
    page = Page(trials.best_so_far(500, [0.9, NONE, 1.2, 0.8, 50.0], list("abcde"), formats.precise))
    (line,) = [str(path["d"]) for path in page.all("path")]
    points = [tuple(map(float, point[1:].split())) for point in re.findall(r"[ML][^ML]+", line)]
    assert all(later[1] >= earlier[1] for earlier, later in pairwise(points))
    assert points[-1][0] == 500 - 16
    dots = page.all("circle")
    assert [dot["data-tip"] for dot in dots] == ["a", "c", "d", "e"]
    places = [float(str(dot["cx"])) for dot in dots]
    assert places[1] - places[0] == pytest.approx(2 * (places[2] - places[1]), abs=0.2)
    # What is far beyond the others is drawn at the edge, and presses none of them together.
    assert float(str(dots[-1]["cy"])) == 20


@pytest.mark.parametrize(
    ("count", "at"), [pytest.param(2, ["0", "1"], id="few"), pytest.param(24, ["0", "5", "10", "15", "20"], id="many")]
)
def test_trials_are_counted_in_whole_numbers(count: int, at: list[str]) -> None:
    page = Page(trials.best_so_far(500, [1.0 + n for n in range(count)], ["x"] * count, formats.precise))
    axis = page.words[page.words.index("trial") - len(at) : page.words.index("trial")]
    assert axis == at


def test_a_week_that_sells_its_average_is_hardly_coloured_and_one_far_from_it_strongly() -> None:
    row = strips.Strip("FRUIT", list(zip([at for at, _ in weeks(1, 1, 1)], (1.0, 3.0, 0.2), strict=True)))
    page = Page(strips.strips(1040, [row], "Weeks"))
    cells = [(cell["class"], cell["fill-opacity"]) for cell in page.all("rect")]
    assert cells == [("above", "0.06"), ("above", "1.00"), ("below", "1.00")]
    assert "FRUIT: highest 3 times the average in the week of 9 Jan 2017" in str(page.all("svg")[0]["aria-label"])


@given(st.lists(st.tuples(st.floats(1e-3, 1e6), st.floats(1e-3, 1e3)), min_size=1, max_size=30))
def test_every_point_lies_inside_the_chart(places: list[tuple[float, float]]) -> None:
    everything = [points.Point(x, y, "words") for x, y in places]
    page = Page(points.among(everything[:3], everything, ("x", "y"), (0.5, 1.0), "name"))
    for dot in page.all("circle"):
        assert 38 <= float(str(dot["cx"])) <= 292
        assert 22 <= float(str(dot["cy"])) <= 176
    assert len(page.all("circle")) == min(3, len(places))


def test_a_curve_of_shares_names_its_marks() -> None:
    page = Page(points.shares(500, [(0, 0), (0.2, 0.8), (1, 1)], [("A", 0.2, 0.8)], ("products", "revenue")))
    assert "A: 20.0\u202f% of products, 80.0\u202f% of revenue" in str(page.all("svg")[0]["aria-label"])
    assert "A" in page.words
