from datetime import date, timedelta

import pytest

from shelfcast.api.rows.plan import OrderRow
from shelfcast.api.rows.series import ForecastWeek, HistoryRow, SoldWeek
from shelfcast.web.charts.outlook import Outlook, draw_outlook, summed
from shelfcast.web.charts.stock import left_over
from shelfcast.web.localized import Localized

MONDAY = date(2017, 8, 7)
SUNDAY = MONDAY - timedelta(days=1)
ENGLISH = Localized("en")


def week(number: int, mean: float = 7.0, **quantiles: float | None) -> ForecastWeek:
    known = {"p10": 0.5 * mean, "p50": mean, "p90": 1.5 * mean, "p98": 2 * mean, **quantiles}
    return ForecastWeek(week=MONDAY + timedelta(weeks=number), step=number + 1, mean=mean, dispersion=None, **known)


def order(quantity: float, days: int) -> OrderRow:
    row = dict.fromkeys(("vendor_id", "is_due", "cost", "stock_out", "stock_out_after", "days_of_supply", "decision"))
    named = {"order_id": "o", "store_id": "1", "product_id": "p", "status": "suggested"}
    return OrderRow(**row, **named, need_by=MONDAY, quantity=quantity, expected_on=MONDAY + timedelta(days=days - 1))


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


def test_a_week_without_a_sale_is_drawn_as_none_and_a_quantile_nobody_knows_is_left_out() -> None:
    sold = [(MONDAY - timedelta(weeks=4), 5.0), (MONDAY - timedelta(weeks=2), 3.0)]
    drawn = str(draw_outlook("A", Outlook(sold, [week(0, p98=None), week(1, p98=None)]), ENGLISH))
    told = [f'data-tip="{ENGLISH.day(MONDAY - timedelta(weeks=ago))}: {units} sold"' for ago, units in
            ((4, 5), (3, 0), (2, 3), (1, 0))]  # fmt: skip
    assert all(words in drawn for words in told)
    assert "expected 7 in the first and 7 in the last" in drawn
    assert 'd="" class="line line-extreme"' in drawn


def test_a_week_without_a_sale_is_one_of_the_weeks_so_far() -> None:
    sold = [(MONDAY - timedelta(weeks=3), 5.0), (MONDAY - timedelta(weeks=1), 3.0)]
    assert [units for _, units in Outlook(sold, [week(0)]).past()] == [5.0, 0.0, 3.0]


def test_a_product_that_never_sold_has_a_forecast_all_the_same() -> None:
    drawn = str(draw_outlook("A", Outlook([], [week(0, mean=0.0), week(1, mean=0.0)]), ENGLISH))
    assert "NaN" not in drawn
    assert 'data-tip="Aug 7, 2017: expected 0, p10 to p90 0 to 0"' in drawn
