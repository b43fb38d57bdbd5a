"""Shelves with known stock, as rows that the recovery reads."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from shelfcast.availability.absence import Rules
from shelfcast.availability.rows import Calendar

MONDAY = date(2017, 1, 2)
RULES = Rules(min_probability=0.9, absent_share=0.02, delisted_days=28)
Row = tuple[str, str, date, str, float]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def calendar(days: int, *cutoffs: int) -> Calendar:
    """So many days from MONDAY, with blocks that end with the days `cutoffs`."""
    return Calendar(MONDAY, day(days - 1), (*map(day, cutoffs), day(days - 1)))


def told(*rows: Row) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["store_id", "item_id", "day", "kind", "quantity"])
    return frame.assign(day=pd.to_datetime(frame["day"]))


def shop(
    seed: int = 1, days: int = 84, stores: int = 4, items: int = 3, mean: float = 2.0, with_stock: bool = True
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Poisson demand met from shelves that are filled up to a dozen every three weeks: what the tables tell of it, and
    the truth: wanted, sold, stock (as the day begins, with what came), arrays of shape (days, series), and `pairs`."""
    draw = np.random.default_rng(seed)
    pairs = [(f"s{store}", f"p{item}") for store in range(stores) for item in range(items)]
    wanted = draw.poisson(mean, (days, len(pairs)))
    sold, stock, there = np.zeros_like(wanted), np.zeros_like(wanted), np.full(len(pairs), 12)
    rows: list[Row] = [(*pair, MONDAY, "counted", 12.0) for pair in pairs if with_stock]
    for number in range(days):
        received = np.where((number + np.arange(len(pairs))) % 21 == 0, 36, 0) if number else np.zeros(len(pairs), int)
        stock[number] = there + received
        sold[number] = np.minimum(wanted[number], stock[number])
        there = stock[number] - sold[number]
        for n, pair in enumerate(pairs):
            kinds = {
                "sold": sold[number, n],
                **({"taken": sold[number, n], "received": received[n]} if with_stock else {}),
            }
            rows += [(*pair, day(number), kind, float(units)) for kind, units in kinds.items() if units]
    return told(*rows), {"wanted": wanted, "sold": sold, "stock": stock, "pairs": pairs}


def grid(days: pd.DataFrame, pairs: list[tuple[str, str]], length: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The units of rows (store_id, item_id, day, units), shape (days, series)."""
    found = np.zeros((length, len(pairs)))
    places = {pair: n for n, pair in enumerate(pairs)}
    for store, item, when, units in days[["store_id", "item_id", "day", "units"]].itertuples(index=False):
        found[(when - MONDAY).days, places[store, item]] += units
    return found
