"""What the tables say of a bucket of products, in numbers."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.panel import FloatArray


class Calendar(NamedTuple):
    """The days that are known, from a Monday on: first (that Monday), last, and the last day of each block, ascending,
    the last of all among them."""

    first: date
    last: date
    ends: tuple[date, ...]

    def number(self, day: date) -> int:
        return (day - self.first).days


@dataclass(frozen=True)
class Told:
    """What the tables say of a bucket, in numbers: series and store from 0, days from the calendar's first.

    pairs: store_id, item_id of each series. series: series, store, item. sold: series, day, units (as demand counts
    them). moves: series, day, received, taken. counts: series, day, on_hand. open_days: shape (stores, days), 1 where
    the store was open and its file came.
    """

    pairs: pd.DataFrame
    series: pd.DataFrame
    sold: pd.DataFrame
    moves: pd.DataFrame
    counts: pd.DataFrame
    open_days: FloatArray

    def until(self, end: int) -> "Told":
        """What was known at the closing of the day `end`: a count of the next opening is one of this closing."""
        return Told(
            self.pairs,
            self.series,
            self.sold[self.sold["day"] <= end],
            self.moves[self.moves["day"] <= end],
            self.counts[self.counts["day"] <= end + 1],
            self.open_days[:, : end + 1],
        )


def read_rows(rows: pd.DataFrame, calendar: Calendar) -> Told:
    """rows: store_id, item_id, day, kind, quantity in any order. kind: sold (units of demand), taken (units off the
    shelf, returns negative), received, counted (on hand as `day` opens), closed (item_id null)."""
    rows = rows.assign(day=(pd.to_datetime(rows["day"]) - pd.Timestamp(calendar.first)).dt.days)
    rows = rows[rows["day"] >= 0]
    stores = np.sort(rows["store_id"].unique())
    goods = rows[rows["kind"] != "closed"]
    pairs = goods[["store_id", "item_id"]].drop_duplicates().sort_values(["store_id", "item_id"], ignore_index=True)
    series = pd.DataFrame(
        {
            "series": np.arange(len(pairs)),
            "store": np.searchsorted(stores, pairs["store_id"]),
            "item": np.unique(pairs["item_id"].to_numpy(dtype=str), return_inverse=True)[1],
        }
    )
    goods = goods.merge(pairs.assign(series=series["series"]), on=["store_id", "item_id"])
    by_day = goods.pivot_table("quantity", ["series", "day"], "kind", aggfunc="sum").reset_index()
    by_day = by_day.reindex(columns=["series", "day", "sold", "taken", "received", "counted"])
    moved = by_day[by_day[["taken", "received"]].notna().any(axis=1)]
    return Told(
        pairs,
        series,
        by_day.loc[by_day["sold"] > 0, ["series", "day", "sold"]].rename(columns={"sold": "units"}),
        moved[["series", "day", "taken", "received"]].fillna(0.0),
        by_day.loc[by_day["counted"].notna(), ["series", "day", "counted"]].rename(columns={"counted": "on_hand"}),
        _open_days(rows[rows["kind"] == "closed"], stores, calendar),
    )


def _open_days(closed: pd.DataFrame, stores: NDArray[np.str_], calendar: Calendar) -> FloatArray:
    days = calendar.number(calendar.last) + 1
    is_open = np.ones((len(stores), days))
    inside = closed[closed["day"] < days]
    is_open[np.searchsorted(stores, inside["store_id"]), inside["day"].to_numpy(dtype=np.int64)] = 0.0
    return is_open
