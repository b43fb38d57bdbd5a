"""The lake of small shops with forecasts, purchases and counts, for plans."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from builders import sale
from shelfcast import schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning import supply
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.table import Table

SUNDAY = date(2016, 11, 27)
Row = dict[str, Any]
Series = tuple[str, str]
_MONDAYS, _DAYS = range(-83, 0, 7), range(-83, 1)
_COUNT = {"region": "tiny", "counted_on": SUNDAY - timedelta(2), "moment": "closing"}


def day(number: int) -> date:
    return SUNDAY + timedelta(days=number)


def lake_of(weekly: Mapping[Series, float], counted: Mapping[Series, float]) -> list[tuple[Table, list[Row]]]:
    """The tables that a plan reads, and their rows. weekly: what each store sells of a product a week, and is forecast
    to sell; counted: the units on its shelf two days before the Sunday, of what has ended where it sells none."""
    series = [(store, product, units) for (store, product), units in weekly.items()]
    forecasts = [row for one in series for row in _forecasts(*one)]
    forecasts += _forecasts("1", "(not listed yet)", 3.0, level="unlisted")
    forecasts += _forecasts("1", "2", 91.0, level="category")
    return [
        (schemas.FORECASTS, forecasts),
        (schemas.DEMAND["daily"], [row for one in series for row in _demands("day", *one, 1 / 7, _DAYS)]),
        (schemas.DEMAND["weekly"], [row for one in series for row in _demands("week", *one, 1.0, _MONDAYS)]),
        (schemas.SALES, [sale(2.0, region="tiny", store_id="1", product_id="fast", sold_on=day(n)) for n in (-1, 1)]),
        (schemas.BACKTESTS, []),
        (INPUT_ALERTS, []),
        (AVAILABILITY, []),
        (schemas.SERIES, [_series(*pair, "listed" if pair in weekly else "ended") for pair in {**weekly, **counted}]),
        (CHAMPIONS, [{"region": "tiny", "panel": "product", "purpose": "mean", "model": "tsb", "as_of": SUNDAY}]),
        (supply.PURCHASES, [row for product in {name: 0 for _, name in weekly} for row in _purchases(product)]),
        (
            supply.INVOICES,
            [{"region": "tiny", "vendor_id": "v1", "dollars": 100.0, "freight": 1.0, "known_from": day(-30)}],
        ),
        (supply.PRICES, []),
        (
            supply.STOCK,
            [{**_COUNT, "store_id": store, "product_id": name, "on_hand": units, "known_from": day(-2)}
             for (store, name), units in counted.items()],
        ),
    ]  # fmt: skip


def _forecasts(store: str, product: str, weekly: float, **changes: Any) -> list[Row]:
    row = {"region": "tiny", "forecast_date": SUNDAY, "level": "product", "store_id": store, "item_id": product}
    spread = {"p10": 0.4 * weekly, "p50": weekly, "p90": 1.6 * weekly, "p98": 2.0 * weekly}
    row |= {"category_id": "2", "mean": weekly, **spread, **changes}
    return [{**row, "step": step, "week": day(7 * step - 6)} for step in range(1, 5)]


def _demands(period: str, store: str, product: str, weekly: float, share: float, days: Iterable[int]) -> list[Row]:
    row = {"region": "tiny", "level": "product", "store_id": store, "item_id": product, "category_id": "2"}
    units = weekly * share
    return [{**row, period: day(number), "quantity": units, "revenue": 10 * units} for number in days]


def _series(store: str, product: str, state: str) -> Row:
    row = {"region": "tiny", "level": "product", "store_id": store, "item_id": product, "category_id": "2"}
    return {**row, "demand_class": "smooth", "state": state}


def _purchases(product: str) -> list[Row]:
    """Orders every week that took five days, in boxes of six."""
    row = {"region": "tiny", "vendor_id": "v1", "store_id": "1", "product_id": product, "purchase_price": 5.0}
    starts = range(-100, -8, 7)
    return [{**row, "po_number": f"{n}", "ordered_on": day(n), "received_on": day(n + 5), "known_from": day(n),
             "quantity": 6.0 * (1 + (n % 2))} for n in starts]  # fmt: skip
