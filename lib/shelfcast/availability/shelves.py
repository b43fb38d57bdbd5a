"""The shelves of a bucket of products: when each product was absent or off the list, and what was wanted meanwhile.

Everything is judged as it was known at the end of each block of days (`Calendar.ends`: the cutoffs of the backtest, and
the last day): what is said of a day rests on nothing after its block.
"""

import numpy as np
import pandas as pd

from shelfcast.availability.absence import Absence, Rules, judge
from shelfcast.availability.recovery import Shelves, recover
from shelfcast.availability.rows import Calendar, Told, read_rows
from shelfcast.availability.tables import DELISTED, OUT_OF_STOCK


def find_spells(rows: pd.DataFrame, calendar: Calendar, rules: Rules) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The spells of a bucket's series and what each day of them lost. rows: as `read_rows`.

    Spells: store_id, item_id, first_day, last_day, state (OUT_OF_STOCK, DELISTED), is_stated, probability, units
    (lost). Days: store_id, item_id, day, is_stated, probability, units (> 0).
    """
    told = read_rows(rows, calendar)
    days, delisted, begun = [], [], 0
    for end in map(calendar.number, calendar.ends):
        known = told.until(end)
        absence = judge(known, end, rules)
        days.append(_recovered(known, absence, end, begun))
        delisted.append(_off_the_list(absence, end, begun))
        begun = end + 1
    by_day = pd.concat(days, ignore_index=True)
    spells = pd.concat([_joined(by_day), _joined(pd.concat(delisted))], ignore_index=True)
    lost = by_day[by_day["units"] > 0]
    return _named(spells, told, calendar), _named(
        lost[["series", "day", "is_stated", "probability", "units"]], told, calendar
    )


def _recovered(told: Told, absence: Absence, end: int, begun: int) -> pd.DataFrame:
    """The days out of stock from `begun` on: series, first, last (the day), day, units, state, is_stated,
    probability."""
    store, item = told.series["store"].to_numpy(), told.series["item"].to_numpy()
    weeks = end // 7 + 1
    open_days = np.pad(told.open_days, ((0, 0), (0, 7 * weeks - end - 1))).reshape(-1, weeks, 7)
    shelves = Shelves(
        store,
        item,
        open_days,
        absence.begins,
        absence.ends,
        told.sold,
        absence.absent[["series", "day", "weight"]],
        absence.ran_out[["series", "day", "units", "weight"]],
    )
    lost = recover(shelves)
    columns = ["series", "day", "is_stated"]
    basis = pd.concat([absence.absent[columns], absence.ran_out[columns]]).groupby(["series", "day"], as_index=False)
    found = lost.merge(basis["is_stated"].max(), on=["series", "day"])
    found = found[found["day"] >= begun].rename(columns={"chance": "probability"})
    return found.assign(first=found["day"], last=found["day"], state=OUT_OF_STOCK)


def _off_the_list(absence: Absence, end: int, begun: int) -> pd.DataFrame:
    series = np.flatnonzero(absence.ends < end)
    first = np.maximum(absence.ends[series] + 1, begun)
    spells = pd.DataFrame({"series": series, "first": first, "last": end, "probability": absence.delisted[series]})
    return spells.assign(state=DELISTED, is_stated=False, units=0.0)


def _joined(spells: pd.DataFrame) -> pd.DataFrame:
    """Spells of one kind that follow on one another as one: series, first, last, state, is_stated, units, probability:
    that of the surest of them."""
    keys = ["series", "state", "is_stated"]
    ordered = spells.sort_values([*keys, "first"], ignore_index=True)
    before = ordered.groupby(keys)["last"].shift(1)
    ordered["number"] = (~(ordered["first"] == before + 1)).cumsum()
    joined = ordered.groupby("number", as_index=False).agg(
        {**dict.fromkeys([*keys, "first"], "first"), "last": "last", "probability": "max", "units": "sum"}
    )
    return joined.drop(columns="number")


def _named(rows: pd.DataFrame, told: Told, calendar: Calendar) -> pd.DataFrame:
    """The rows with stores, items and dates in the place of numbers."""
    start = np.datetime64(calendar.first, "D")
    pairs = told.pairs.iloc[rows["series"].to_numpy()].reset_index(drop=True)
    days = {f"{name}_day" if name != "day" else name: name for name in ("first", "last", "day") if name in rows}
    dated = {name: (start + rows[source].to_numpy(dtype=np.int64)).astype(object) for name, source in days.items()}
    others = rows.drop(columns=["series", *days.values()]).reset_index(drop=True)
    return pairs.assign(**dated).join(others)
