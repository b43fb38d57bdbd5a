"""What counts, receipts and sales tell of a shelf: the days on which it was empty, and those on which it ran out.

Frames of a bucket: `series` and `store` are numbers, `day` counts from the first day. Empty shelves, not days x series,
are what is kept: a shelf changes where something moves.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

# Units by which books may be off and still agree: sums of floats.
_TOLERANCE = 1e-6


class Books(NamedTuple):
    """What is known of the shelves of counted stores.

    held: series, first, last: the days between counts on which the books of a series hold: the balance is never below
    0 and meets the next count. empty: series, first, last: days that began without stock and received none. ran_out:
    series, day: what was there that day was sold to the last unit.
    """

    held: pd.DataFrame
    empty: pd.DataFrame
    ran_out: pd.DataFrame


def keep_books(series: pd.DataFrame, counts: pd.DataFrame, moves: pd.DataFrame, last_day: int) -> Books:
    """series: series, store, a row each. counts: series, day (the first whose movements are not in the count), on_hand;
    a count covers its store: what it does not list was not there. moves: series, day, received, taken (sold less
    returned), a row a day.
    """
    opened = _intervals(series, counts, last_day)
    rows = _in_order(opened, moves, series)
    by_interval = rows.groupby(["series", "since"], sort=False)
    rows["balance"] = by_interval["change"].cumsum()
    rows["next"] = by_interval["day"].shift(-1)
    held = _held(opened, rows)
    kept = rows.merge(held[["series", "since", "until"]], on=["series", "since"])
    is_empty = kept["balance"] <= _TOLERANCE
    # A count is of the opening: its own day is empty too, unless something moves on it.
    first = kept["day"] + kept["is_move"]
    last = kept["next"].fillna(kept["until"] + 1).astype(np.int64) - 1
    empty = pd.DataFrame({"series": kept["series"], "first": first, "last": last})[is_empty & (first <= last)]
    ran_out = kept.loc[is_empty & (kept["taken"] > 0), ["series", "day"]]
    named = held[["series", "since", "until"]].set_axis(["series", "first", "last"], axis=1)
    return Books(named, empty.reset_index(drop=True), ran_out.reset_index(drop=True))


def _intervals(series: pd.DataFrame, counts: pd.DataFrame, last_day: int) -> pd.DataFrame:
    """A row for each series and count of its store: since, until, on_hand, and next_count, units (NaN at the last)."""
    placed = counts.merge(series, on="series")
    dates = placed[["store", "day"]].drop_duplicates().sort_values(["store", "day"]).rename(columns={"day": "since"})
    dates["until"] = dates.groupby("store")["since"].shift(-1).fillna(last_day + 1).astype(np.int64) - 1
    summed = counts.groupby(["series", "day"], as_index=False).agg({"on_hand": "sum"}).rename(columns={"day": "since"})
    opened = series.merge(dates, on="store").merge(summed, how="left", on=["series", "since"])
    opened = opened.fillna({"on_hand": 0.0}).sort_values(["series", "since"], ignore_index=True)
    opened["next_count"] = opened.groupby("series")["on_hand"].shift(-1)
    return opened[opened["since"] <= last_day]


def _in_order(opened: pd.DataFrame, moves: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """Counts and movements of each series in the order of days: series, since, day, change, taken, is_move (0 or 1)."""
    dates = opened[["store", "since"]].drop_duplicates().sort_values("since")
    placed = moves.merge(series, on="series").sort_values("day", kind="stable")
    placed = pd.merge_asof(placed, dates, left_on="day", right_on="since", by="store").dropna(subset="since")
    placed = placed.assign(change=placed["received"] - placed["taken"], is_move=1)
    begun = opened.assign(day=opened["since"], change=opened["on_hand"], taken=0.0, is_move=0)
    columns = ["series", "since", "day", "change", "taken", "is_move"]
    rows = pd.concat([begun[columns], placed[columns].astype(begun.dtypes[columns])])
    return rows.sort_values(["series", "since", "day", "is_move"], ignore_index=True)


def _held(opened: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The intervals whose books hold. Where they do not, something was lost, found or never written down, and nobody
    knows when."""
    by_interval = rows.groupby(["series", "since"])["balance"].agg(["min", "last"]).reset_index()
    told = opened.merge(by_interval, on=["series", "since"])
    meets = told["next_count"].isna() | ((told["last"] - told["next_count"]).abs() <= _TOLERANCE)
    return told[meets & (told["min"] >= -_TOLERANCE)]
