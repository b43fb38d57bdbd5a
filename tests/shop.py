"""A small shop of three products with its forecast, purchases and counts, for plans."""

from datetime import date, timedelta
from typing import Any

from builders import sale
from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning import supply
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.table import Table

SUNDAY = date(2016, 11, 27)
Row = dict[str, Any]


def day(number: int) -> date:
    return SUNDAY + timedelta(days=number)


def forecasts(product: str, weekly: float, **changes: Any) -> list[Row]:
    row = {"region": "tiny", "forecast_date": SUNDAY, "level": "product", "store_id": "1", "item_id": product}
    row |= {"category_id": "2", "mean": weekly, "p10": 0.4 * weekly, "p50": weekly, "p90": 1.6 * weekly, **changes}
    return [{**row, "p98": 2.0 * weekly, "step": step, "week": day(7 * step - 6)} for step in range(1, 5)]


def demands(period: str, product: str, units: float, *days: int) -> list[Row]:
    row = {"region": "tiny", "level": "product", "store_id": "1", "item_id": product, "category_id": "2"}
    return [{**row, period: day(number), "quantity": units, "revenue": 10 * units} for number in days]


def purchases(product: str) -> list[Row]:
    """Orders every week that took five days, in boxes of six."""
    row = {"region": "tiny", "vendor_id": "v1", "store_id": "1", "product_id": product, "purchase_price": 5.0}
    starts = range(-100, -8, 7)
    return [{**row, "po_number": f"{n}", "ordered_on": day(n), "received_on": day(n + 5), "known_from": day(n),
             "quantity": 6.0 * (1 + (n % 2))} for n in starts]  # fmt: skip


PRODUCTS = {"fast": 70.0, "slow": 7.0, "full": 14.0}
MONDAYS, DAYS = range(-83, 0, 7), range(-83, 1)
DAILY = [row for name, weekly in PRODUCTS.items() for row in demands("day", name, weekly / 7, *DAYS)]
WEEKLY = [row for name, weekly in PRODUCTS.items() for row in demands("week", name, weekly, *MONDAYS)]
COUNT = {"region": "tiny", "store_id": "1", "counted_on": day(-2), "moment": "closing", "known_from": day(-2)}
FORECASTS = [row for name, weekly in PRODUCTS.items() for row in forecasts(name, weekly)]
FORECASTS += [*forecasts("(not listed yet)", 3.0, level="unlisted"), *forecasts("2", 91.0, level="category")]
LAKE: list[tuple[Table, list[Row]]] = [
    (schemas.FORECASTS, FORECASTS),
    (schemas.DEMAND["daily"], DAILY),
    (schemas.DEMAND["weekly"], WEEKLY),
    (schemas.SALES, [sale(2.0, region="tiny", store_id="1", product_id="fast", sold_on=day(n)) for n in (-1, 1)]),
    (schemas.BACKTESTS, []),
    (INPUT_ALERTS, []),
    (CHAMPIONS, [{"region": "tiny", "panel": "product", "purpose": "mean", "model": "tsb", "as_of": SUNDAY}]),
    (supply.PURCHASES, [row for name in PRODUCTS for row in purchases(name)]),
    (
        supply.INVOICES,
        [{"region": "tiny", "vendor_id": "v1", "dollars": 100.0, "freight": 1.0, "known_from": day(-30)}],
    ),
    (supply.PRICES, []),
    (
        supply.STOCK,
        [{**COUNT, "product_id": name, "on_hand": units} for name, units in (("fast", 30.0), ("full", 900.0))],
    ),
]
