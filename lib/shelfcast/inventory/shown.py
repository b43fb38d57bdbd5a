"""The policies by which shelves were kept, as the orders of the past show them."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.panel import FloatArray

# Fewer orders do not show a policy.
_LEAST_ORDERS = 3
# An order or two of another kind, or a day's sales that were booked late, are no policy.
_RELIABLE = 0.9
_RECENT_DAYS = 182


class Shown(NamedTuple):
    """The policy that orders of the past show: reorder point and order-up-to level in units, shape (n,), and days from
    one review to the next, shape (n,)."""

    reorder_point: FloatArray
    order_up_to: FloatArray
    review: FloatArray


def shown_policy(rows: pd.DataFrame, past: FloatArray, first_day: date) -> Shown:
    """What the orders before the end of `past` (units sold, shape (days, n), from `first_day`) show.

    At an order the position (count + orders - sales since) is at or below s, and with the order at S. Where too few
    orders show it, it is as many days of the series' own sales as in the others.

    rows: counted_on, counted, ordered, shown_review.
    """
    levels = np.array([_levels(row, past[:, at], first_day) for at, row in enumerate(rows.itertuples(index=False))])
    daily = np.maximum(past[-_RECENT_DAYS:].mean(axis=0), 1e-9)
    point, quantity = levels[:, 0], levels[:, 1] - levels[:, 0]
    known = ~np.isnan(point)
    filled = [
        np.where(known, units, np.ceil(daily * np.median(units[known] / daily[known])) if known.any() else 0.0)
        for units in (point, quantity)
    ]
    return Shown(filled[0], filled[0] + np.maximum(filled[1], 1.0), rows["shown_review"].to_numpy(dtype=np.float64))


def _levels(row: object, sold: FloatArray, first_day: date) -> tuple[float, float]:
    orders = getattr(row, "ordered", None)
    if orders is None or len(orders) < _LEAST_ORDERS:
        return np.nan, np.nan
    # What sold between a count and `first_day` is not known: of orders in between what they brought counts alone.
    start = max((row.counted_on - first_day).days + 1, 0)  # type: ignore[attr-defined]
    days = np.array([(entry["day"] - first_day).days for entry in orders])
    units = np.array([entry["quantity"] for entry in orders], dtype=np.float64)
    seen = (days >= start) & (days < len(sold))
    if seen.sum() < _LEAST_ORDERS:
        return np.nan, np.nan
    sales = np.cumsum(np.concatenate([[0.0], sold[start:]]))
    before = row.counted + np.cumsum(units) - units  # type: ignore[attr-defined]
    position = before[seen] - sales[days[seen] - start + 1]
    return float(np.quantile(position, _RELIABLE)), float(np.median(position + units[seen]))
