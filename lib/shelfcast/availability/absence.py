"""Which products were not there to be bought, as far as counts state it or silence tells, at the end of a day."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.availability import silence, stock
from shelfcast.availability.rows import Told
from shelfcast.availability.sums import IntArray, sums_of
from shelfcast.panel import FloatArray

# The share of its days on which a series must sell: the rate of what sells more rarely changes more than it tells.
_LEAST_SHARE = 0.5
# Days of a product's silence in all stores below which it says nothing: holidays, bad weather.
_LEAST_SILENCE = 7


class Rules(NamedTuple):
    """As in settings.hidden_demand."""

    min_probability: float
    absent_share: float
    delisted_days: int


class Absence(NamedTuple):
    """What is known of each series: begins, ends: its first and last listed day, begins > ends where it has none yet;
    delisted: the probability that it was taken off the list after `ends`, NaN where it was not.

    absent: series, day, weight, probability, is_stated. ran_out: series, day, units, weight, is_stated.
    """

    begins: IntArray
    ends: IntArray
    delisted: FloatArray
    absent: pd.DataFrame
    ran_out: pd.DataFrame


class _Sales(NamedTuple):
    """Of each series: its first and last selling day and how many there are; the first and last of its product in any
    store. `end + 1` and -1 stand for none."""

    first: IntArray
    last: IntArray
    days: FloatArray
    product_first: IntArray
    product_last: IntArray


def judge(told: Told, end: int, rules: Rules) -> Absence:
    """What is known at the closing of the day `end`. told: until that day."""
    books = stock.keep_books(told.series[["series", "store"]], told.counts, told.moves, end)
    sales = _sales(told, end)
    begins = _begins(told, sales, end)
    ends, delisted = _delisted(told, books, sales, begins, end, rules)
    gaps = _improbable_gaps(told, books, sales, begins, ends, end, rules)
    stated = books.empty.assign(weight=1.0, probability=1.0, is_stated=True)
    absent = _listed_and_open(told, _each_day(pd.concat([stated, gaps])), begins, ends)
    ran_out = pd.concat(
        [
            books.ran_out.assign(weight=1.0, is_stated=True),
            pd.DataFrame({"series": gaps["series"], "day": gaps["first"] - 1, "weight": gaps["probability"]}).assign(
                is_stated=False
            ),
        ]
    )
    ran_out = ran_out.merge(told.sold, on=["series", "day"])
    return Absence(begins, ends, delisted, absent, ran_out[["series", "day", "units", "weight", "is_stated"]])


def _sales(told: Told, end: int) -> _Sales:
    n, item = len(told.series), told.series["item"].to_numpy()
    by_series = told.sold.groupby("series")["day"].agg(["min", "max", "count"]).reindex(range(n))
    first = by_series["min"].fillna(end + 1).to_numpy(dtype=np.int64)
    last = by_series["max"].fillna(-1).to_numpy(dtype=np.int64)
    of_product = pd.DataFrame({"item": item, "first": first, "last": last}).groupby("item")
    return _Sales(
        first,
        last,
        by_series["count"].fillna(0).to_numpy(dtype=np.float64),
        of_product["first"].transform("min").to_numpy(),
        of_product["last"].transform("max").to_numpy(),
    )


def _begins(told: Told, sales: _Sales, end: int) -> IntArray:
    """A series begins with its first sale, or before it: with the count that lists it, or with its first receipt once
    its product sells anywhere: a new one lies in the back until its day."""
    received = _first_day(told.moves[told.moves["received"] > 0], len(told.series), end)
    counted = _first_day(told.counts, len(told.series), end)
    return np.minimum(np.minimum(sales.first, counted), np.maximum(received, sales.product_first))


def _first_day(rows: pd.DataFrame, n: int, end: int) -> IntArray:
    return rows.groupby("series")["day"].min().reindex(range(n)).fillna(end + 1).to_numpy(dtype=np.int64)


def _days_there(told: Told, empty: pd.DataFrame, first: IntArray, last: IntArray) -> FloatArray:
    """Open days of each series from `first` to `last` on which its shelf is not known to be empty."""
    until = np.pad(told.open_days.cumsum(axis=1), ((0, 0), (1, 0)))
    store, rows = told.series["store"].to_numpy(), empty["series"].to_numpy()
    is_open = until[store, np.maximum(last + 1, first)] - until[store, first]
    begun, over = np.maximum(empty["first"], first[rows]), np.minimum(empty["last"], last[rows]) + 1
    gone = until[store[rows], np.maximum(begun, over)] - until[store[rows], begun]
    return np.asarray(np.maximum(is_open - sums_of(rows, gone, len(store)), 0.0))


def _delisted(
    told: Told, books: stock.Books, sales: _Sales, begins: IntArray, end: int, rules: Rules
) -> tuple[IntArray, FloatArray]:
    """The last listed day of each series, and the probability that it was taken off the list after it.

    A product is off the list where all stores that have it are silent, one of a store where that store is for
    `delisted_days`, each longer than chance allows; and where an empty shelf is not filled again for so long.
    """
    last_day = np.full(len(begins), end)
    known = _days_there(told, books.empty, np.minimum(begins, end + 1), sales.last)
    ends, probability = last_day.copy(), np.full(len(begins), np.nan)
    item, has_sold = told.series["item"].to_numpy(), sales.last >= 0

    def off_after(last: IntArray, chance: FloatArray, least_days: int) -> None:
        found = has_sold & (chance >= rules.min_probability) & (end - last >= least_days) & (last < ends)
        ends[found], probability[found] = last[found], chance[found]

    silent = _days_there(told, books.empty, sales.product_last + 1, last_day)
    of_product = np.where(has_sold, silence.log_chance_of_silence(sales.days, known, silent), 0.0)
    everywhere = sums_of(item, of_product, len(item))[item]
    off_after(sales.product_last, silence.probability_of_absence(everywhere, rules.absent_share), _LEAST_SILENCE)
    silent = _days_there(told, books.empty, sales.last + 1, last_day)
    own = silence.log_chance_of_silence(sales.days, known, silent)
    off_after(sales.last, silence.probability_of_absence(own, rules.absent_share), rules.delisted_days + 1)
    last, chance = _never_filled(books.empty, len(begins), end, rules.delisted_days)
    found = last < ends
    ends[found], probability[found] = last[found], chance
    return ends, probability


def _never_filled(empty: pd.DataFrame, n: int, end: int, delisted_days: int) -> tuple[IntArray, float]:
    """The day up to which an empty shelf is taken to wait for goods, `end` where it is not empty so long; and the share
    of shelves empty for so long that were not filled again."""
    long = empty[empty["last"] - empty["first"] >= delisted_days]
    waiting = long[long["last"] == end]
    last = np.full(n, end)
    last[waiting["series"]] = waiting["first"] + delisted_days - 1
    return last, len(waiting) / max(len(long), 1)


def _improbable_gaps(
    told: Told, books: stock.Books, sales: _Sales, begins: IntArray, ends: IntArray, end: int, rules: Rules
) -> pd.DataFrame:
    """Runs without a sale that are too long for the series' own rate, where no books are kept: series, first, last,
    weight (of a day of it: the product is back for a while before it sells), probability, is_stated."""
    gaps = _without_books(silence.find_gaps(told.sold, end), books.held)
    row, store = gaps["series"].to_numpy(), told.series["store"].to_numpy()
    gaps = gaps[gaps["first"] <= ends[row]]
    row = gaps["series"].to_numpy()
    until = np.pad(told.open_days.cumsum(axis=1), ((0, 0), (1, 0)))
    silent = until[store[row], gaps["last"] + 1] - until[store[row], gaps["first"]]
    known = _days_there(told, books.empty, np.minimum(begins, end + 1), sales.last)
    inside = np.where(gaps["is_open"], 0.0, silent)
    selling, probability = sales.days[row], np.zeros(len(gaps))
    for _ in range(2):
        # The rate is that of the days on which the product was there: less the other gaps, by what is known of them.
        there = known - sums_of(row, probability * inside, len(known))
        days = np.maximum(there[row] - (1 - probability) * inside, selling)
        chance = silence.log_chance_of_silence(selling, days, silent)
        probability = silence.probability_of_absence(chance, rules.absent_share)
    wait = (days - selling) / selling
    weight = probability * (1 - np.minimum(wait / np.maximum(silent, 1.0), 1.0))
    found = gaps.drop(columns="is_open").assign(weight=weight, probability=probability, is_stated=False)
    sells_daily = selling >= _LEAST_SHARE * days
    sure: pd.DataFrame = found[sells_daily & (found["probability"] >= rules.min_probability)]
    return sure


def _without_books(gaps: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Where books are kept a silent day is a day of no demand, or an empty shelf that they tell of."""
    placed = pd.merge_asof(
        gaps.sort_values(["first", "series"]),
        held.rename(columns={"first": "since", "last": "until"}).sort_values("since"),
        left_on="first",
        right_on="since",
        by="series",
    )
    is_kept = placed["until"] >= placed["first"]
    found: pd.DataFrame = placed.loc[~is_kept, gaps.columns].sort_values(["series", "first"])
    return found


def _each_day(spells: pd.DataFrame) -> pd.DataFrame:
    """A row for each day of each spell: series, day, weight, probability, is_stated."""
    length = (spells["last"] - spells["first"] + 1).to_numpy()
    row = np.repeat(np.arange(len(spells)), length)
    days = spells[["series", "weight", "probability", "is_stated"]].iloc[row]
    start = np.repeat(spells["first"].to_numpy(), length)
    step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return days.assign(day=start + step).reset_index(drop=True)


def _listed_and_open(told: Told, days: pd.DataFrame, begins: IntArray, ends: IntArray) -> pd.DataFrame:
    series, day = days["series"].to_numpy(), days["day"].to_numpy()
    store = told.series["store"].to_numpy()
    inside = (day >= begins[series]) & (day <= ends[series]) & (told.open_days[store[series], day] > 0)
    found: pd.DataFrame = days[inside]
    return found
