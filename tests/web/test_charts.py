from datetime import date, timedelta
from math import isclose

import numpy as np
import pytest

from shelfcast.api.rows.models import LeaderboardRow
from shelfcast.api.rows.plan import OrderRow
from shelfcast.api.rows.series import ForecastWeek, HistoryRow, SoldWeek
from shelfcast.web.charts.contest import errors_chart, pairs_chart, weeks_chart
from shelfcast.web.charts.description import Bubbles, Chart, Lines, Series
from shelfcast.web.charts.outlook import Outlook, outlook_chart, summed
from shelfcast.web.charts.stock import days_chart, left_over
from shelfcast.web.charts.ticks import decade_ticks, monday_ticks, week_ticks
from shelfcast.web.localized import Localized

MONDAY = date(2017, 8, 7)
SUNDAY = MONDAY - timedelta(days=1)
ENGLISH, GERMAN = Localized("en"), Localized("de")


def week(number: int, mean: float = 7.0, **quantiles: float | None) -> ForecastWeek:
    known = {"p10": 0.5 * mean, "p50": mean, "p90": 1.5 * mean, "p98": 2 * mean, **quantiles}
    return ForecastWeek(week=MONDAY + timedelta(weeks=number), step=number + 1, mean=mean, dispersion=None, **known)


def order(quantity: float, days: int) -> OrderRow:
    row = dict.fromkeys(("vendor_id", "is_due", "cost", "stock_out", "stock_out_after", "days_of_supply", "decision"))
    named = {"order_id": "o", "store_id": "1", "product_id": "p", "status": "suggested"}
    return OrderRow(**row, **named, need_by=MONDAY, quantity=quantity, expected_on=MONDAY + timedelta(days=days - 1))


def scored(model: str, wape: float | None, champion: str | None = None) -> LeaderboardRow:
    row = dict.fromkeys(LeaderboardRow.model_fields)
    return LeaderboardRow.model_construct(**{**row, "model": model, "wape": wape, "champion": champion})


def series(chart: Chart) -> dict[str, Series]:
    assert isinstance(chart.drawing, Lines)
    return {one.name: one for one in chart.drawing.series}


def table(chart: Chart) -> list[tuple[str, ...]]:
    return [(row.header[0], *(shown for shown, _ in row.cells)) for row in chart.numbers.rows]


@pytest.mark.parametrize(
    ("today", "expected", "left"),
    [
        pytest.param(SUNDAY, None, [3, 2, 1, 0, 0, 0, 0, 0], id="until nothing is left"),
        pytest.param(SUNDAY, order(6, 2), [3, 2, 7, 6, 5, 4, 3, 2], id="with what comes on day two"),
        pytest.param(SUNDAY, order(6, 5), [3, 2, 1, 0, 0, 6, 5, 4], id="with what comes too late"),
        pytest.param(MONDAY + timedelta(days=3), None, [3, 2, 1, 0], id="from within the week on"),
    ],
)  # fmt: skip
def test_stock_is_left_as_demand_is_expected(today: date, expected: OrderRow | None, left: list[float]) -> None:
    found = left_over(3.0, today, [week(0)], expected)
    assert [units for _, units in found] == left
    assert found[0][0] == today
    assert found[-1][0] == MONDAY + timedelta(days=6)


def test_what_series_sold_adds_up_by_week() -> None:
    def sold(*units: float) -> HistoryRow:
        rest = {"recovered_quantity": None, "revenue": None, "discount": None, "unit_price": None}
        weeks = [SoldWeek(week=MONDAY + timedelta(weeks=n), quantity=of, **rest) for n, of in enumerate(units) if of]
        return HistoryRow(level="product", store_id="1", product_id="p", category_id="c", weeks=weeks)

    weeks = [MONDAY, MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=2)]
    assert summed([sold(1, 0, 2), sold(3, 4)]) == list(zip(weeks, [4.0, 4.0, 2.0], strict=True))


def test_a_week_without_a_sale_is_one_of_the_weeks_so_far() -> None:
    sold = [(MONDAY - timedelta(weeks=3), 5.0), (MONDAY - timedelta(weeks=1), 3.0)]
    assert [units for _, units in Outlook(sold, [week(0)]).past()] == [5.0, 0.0, 3.0]


def test_an_outlook_is_what_sold_then_a_fan_in_the_reader_s_numbers() -> None:
    chart = outlook_chart("A", Outlook([(MONDAY - timedelta(weeks=1), 1234.0)], [week(0, 7.5, p98=None)]), GERMAN)
    found = series(chart)
    assert {name: (one.values, one.told) for name, one in found.items()} == {
        "sold": ([1234.0, None], ["1.234", ""]),
        "expected": ([None, 7.5], ["", "7,5"]),
        "p98": ([None, None], ["", "\u2013"]),
        "p10 to p90": ([None, 11.25], ["", "3,75 to 11,2"]),
    }
    assert found["p10 to p90"].low == [None, 3.75]
    assert [name for name, one in found.items() if one.dashed] == ["p98"]
    assert chart.drawing.titles == ["31.07.2017", "07.08.2017"]
    assert "expected 7,5 in the first and 7,5 in the last" in chart.words
    assert table(chart) == [
        ("31.07.2017", "1.234", "", "", "", "", ""),
        ("07.08.2017", "", "7,5", "3,75", "7,5", "11,2", "\u2013"),
    ]


def test_what_is_supposed_is_a_second_fan_beside_the_published() -> None:
    chart = outlook_chart("A", Outlook([], [week(0)], [week(0, 9.0)]), ENGLISH)
    tones = {name: one.tone for name, one in series(chart).items()}
    assert tones == {
        "sold": "ink",
        "expected, as published": "accent",
        "p98, as published": "accent",
        "p10 to p90, as published": "accent",
        "expected, as supposed": "other",
        "p98, as supposed": "other",
        "p10 to p90, as supposed": "other",
    }
    assert table(chart) == [("Aug 7, 2017", "", "7", "3.5", "10.5", "9", "4.5", "13.5")]
    assert chart.words.endswith("; as supposed 9 and 9")


def test_a_product_that_never_sold_has_a_forecast_all_the_same() -> None:
    chart = outlook_chart("A", Outlook([], [week(0, mean=0.0), week(1, mean=0.0)]), ENGLISH)
    assert series(chart)["expected"].told == ["0", "0"]
    assert series(chart)["sold"].values == [None, None]


def test_stock_is_drawn_without_and_with_the_order_beside_the_levels() -> None:
    without, ordered = [(SUNDAY, 3.0), (MONDAY, 0.0)], [(SUNDAY, 3.0), (MONDAY, 6.0)]
    chart = days_chart(without, ordered, 4.0, 9.0, ENGLISH)
    assert {name: one.values for name, one in series(chart).items()} == {
        "left, at expected demand": [3.0, 0.0],
        "with the suggested order": [3.0, 6.0],
    }
    assert [(level.label, level.value) for level in chart.drawing.levels] == [
        ("order-up-to level 9", 9.0),
        ("reorder point 4", 4.0),
    ]
    assert chart.words == (
        "Stock position of 3 units at expected demand: nothing is left on Aug 7, 2017 without an order, 6 left at the "
        "end with it; order-up-to level 9, reorder point 4"
    )
    assert table(chart) == [("Aug 6, 2017", "3", "3"), ("Aug 7, 2017", "0", "6")]


def test_stock_without_an_order_is_one_line() -> None:
    chart = days_chart([(SUNDAY, 3.0), (MONDAY, 1.0)], [], 4.0, 9.0, ENGLISH)
    assert list(series(chart)) == ["left, at expected demand"]
    assert table(chart) == [("Aug 6, 2017", "3"), ("Aug 7, 2017", "1")]


def test_errors_are_bars_the_smallest_first_and_the_champion_marked() -> None:
    chart = errors_chart([scored("seasonal_naive", 0.5), scored("none", None), scored("tsb", 0.25, "mean")], ENGLISH)
    assert [(bar.label, bar.value, bar.marked) for bar in chart.drawing.bars] == [
        ("tsb, champion: 25.0%", 0.25, True),
        ("seasonal naive: 50.0%", 0.5, False),
    ]
    assert chart.words == "Error (WAPE) by model. tsb, champion: 25.0%; seasonal naive: 50.0%"
    assert table(chart) == [("tsb, champion", "25.0%"), ("seasonal naive", "50.0%")]


def test_where_no_model_has_a_score_there_is_no_chart_of_errors() -> None:
    assert errors_chart([scored("none", None)], ENGLISH) is None


def test_forecasts_are_counted_in_cells_and_what_is_next_to_nothing_lies_in_the_lowest() -> None:
    chart = pairs_chart("tsb", np.array([[20.0, 0.0], [20.0, 0.1], [19.0, 30.0]]), ENGLISH)
    drawing = chart.drawing
    assert isinstance(drawing, Bubbles)
    assert table(chart) == [("17.8 to 31.6", "0.316 to 0.562", "2"), ("17.8 to 31.6", "17.8 to 31.6", "1")]
    assert [(bubble.weight, bubble.told) for bubble in drawing.bubbles] == [
        (1.0, "2 forecasts: predicted 17.8 to 31.6, actual 0.316 to 0.562"),
        (0.5, "1 forecast: predicted 17.8 to 31.6, actual 17.8 to 31.6"),
    ]
    assert all(isclose(bubble.x, 10**1.375) for bubble in drawing.bubbles)
    assert (drawing.low, drawing.high) == (0.1, 100.0), "whole decades, the same on both axes"
    assert chart.words == "tsb: actual against predicted units, 3 forecasts"


def test_weeks_are_drawn_as_they_came_true_and_as_they_were_said() -> None:
    chart = weeks_chart("tsb", [(MONDAY, 3.0, 4.0), (MONDAY + timedelta(weeks=1), 5.0, 4.5)], ENGLISH)
    assert {name: one.values for name, one in series(chart).items()} == {"sold": [3.0, 5.0], "predicted": [4.0, 4.5]}
    assert chart.words == "Units by week: 8 sold in all, 8.5 predicted"
    assert table(chart) == [("Aug 7, 2017", "3", "4"), ("Aug 14, 2017", "5", "4.5")]


@pytest.mark.parametrize(
    ("first", "count", "labels"),
    [
        pytest.param(MONDAY, 3, ["Aug 7", "Aug 14", "Aug 21"], id="few weeks by their days"),
        pytest.param(MONDAY, 16, ["Aug 2017", "Sep", "Oct", "Nov"], id="the first month tells its year"),
        pytest.param(date(2017, 11, 13), 15, ["Dec 2017", "Jan 2018", "Feb"], id="January tells its own"),
    ],
)  # fmt: skip
def test_weeks_are_named_by_the_months_that_they_begin(first: date, count: int, labels: list[str]) -> None:
    weeks = [first + timedelta(weeks=n) for n in range(count)]
    assert [tick.label for tick in week_ticks(weeks, ENGLISH)] == labels


def test_days_are_named_by_their_mondays() -> None:
    days = [SUNDAY + timedelta(days=n) for n in range(10)]
    assert [(tick.at, tick.label) for tick in monday_ticks(days, GERMAN)] == [(1, "7. Aug."), (8, "14. Aug.")]


def test_a_logarithmic_axis_is_named_at_its_powers_of_ten() -> None:
    found = [(tick.at, tick.label) for tick in decade_ticks(0.1, 1000.0, GERMAN)]
    assert found == [(0.1, "0,1"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (1000.0, "1.000")]
