"""What vendors, stores and moves say, in sentences: small frames in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from shelfcast.insights.findings import Finding, Money, count, is_known, share, things


def lead_times(found: pd.DataFrame) -> Iterator[Finding]:
    """found: rows of insights/vendors, the longest mean first."""
    for row in found.to_dict("records"):
        name, mean, late = str(row["vendor_id"]), float(row["mean_days"]), int(row["p90"])
        earlier = late - int(mean + 0.5)
        ask = f"plan with {late} days, {earlier} beyond the average" if earlier > 0 else "its average can be relied on"
        text = (
            f"Vendor {name} takes {mean:.1f} days on average, over {things(row['orders'], 'order')}, and nine orders "
            f"in ten are there within {late}: {ask}."
        )
        yield Finding("vendor_lead_times", name, mean, "days", text)


def variability(found: pd.DataFrame) -> Iterator[Finding]:
    """found: rows of insights/vendors, the largest coefficient of variation first."""
    for row in found.to_dict("records"):
        name = str(row["vendor_id"])
        text = (
            f"The lead time of vendor {name} varies by {share(row['variation'])} of its mean: one order in ten comes "
            f"within {things(row['p10'], 'day')}, one in ten takes {row['p90']} or more. Agree on a day of delivery, "
            f"or keep safety stock of its {things(row['products'], 'product')}."
        )
        yield Finding("vendor_variability", name, 100 * float(row["variation"]), "% of the mean", text)


def freight(found: pd.DataFrame, average: float) -> Iterator[Finding]:
    """found: rows of insights/vendors with a share, the largest first; average: over the vendors that have one."""
    if found.empty:
        yield Finding("vendor_freight", None, None, None, "No invoice tells of freight.")
    for row in found.to_dict("records"):
        name, own = str(row["vendor_id"]), float(row["freight_share"])
        ask = "order from it in larger lots" if own > average else "nothing is to be done"
        text = (
            f"Freight adds {own:.2%} to the price of vendor {name}, where vendors add {average:.2%} on average: {ask}."
        )
        yield Finding("vendor_freight", name, 100 * own, "% of the price", text.replace("%", " %"))


def store_errors(found: pd.DataFrame, horizon: int, stores: int) -> Iterator[Finding]:
    """found: rows of insights/stores, the most units missed first; stores: how many were measured."""
    if found.empty:
        yield Finding("store_errors", None, None, None, "The backtest has measured no store yet.")
    for place, row in enumerate(found.to_dict("records"), start=1):
        name, wape, bias = str(row["store_id"]), float(row["wape"]), float(row["bias"])
        rank = "most" if place == 1 else f"{_ordinal(place)} most"
        text = (
            f"The forecast of store {name} was off by {count(row['missed'])} units in {horizon} weeks, the "
            f"{rank} of {things(stores, 'store')}, which is {share(wape)} of its demand: {_asks(bias)}."
        )
        yield Finding("store_errors", name, 100 * wape, "% of demand", text)


def store_bias(found: pd.DataFrame, horizon: int) -> Iterator[Finding]:
    """found: rows of insights/stores, the largest sum of errors first."""
    if found.empty:
        yield Finding("store_bias", None, None, None, "The backtest has measured no store that it was wrong of.")
    for row in found.to_dict("records"):
        name, bias = str(row["store_id"]), float(row["bias"])
        how, ask = ("high", "trim its orders") if bias > 0 else ("low", "watch its shelves")
        text = (
            f"Store {name} was forecast {share(abs(bias))} too {how}, {count(abs(bias) * row['units'])} units in "
            f"{horizon} weeks: {ask} until the next forecast."
        )
        yield Finding("store_bias", name, 100 * bias, "% of demand", text)


def store_excess(found: pd.DataFrame, money: Money) -> Iterator[Finding]:
    """found: rows of insights/stores with an excess, the dearest first."""
    if found.empty:
        yield Finding("store_excess", None, 0.0, "units", "No store holds more than it needs.")
    for row in found.to_dict("records"):
        name, units = str(row["store_id"]), float(row["excess"])
        text = (
            f"Store {name} holds {things(units, 'unit')} of {things(row['excess_products'], 'product')} beyond what it "
            f"needs{_worth(row['excess_value'], money)}: order none of them there for now."
        )
        yield Finding("store_excess", name, units, "units", text)


def transfers(found: pd.DataFrame, totals: Mapping[str, Any], money: Money) -> Iterator[Finding]:
    """found: from_store, to_store, products, quantity, value, the dearest first; totals: quantity and value of all."""
    if found.empty:
        yield Finding("transfers", None, 0.0, "units", "No store has what another lacks: nothing is to be moved.")
        return
    units, worth = float(totals["quantity"]), _worth(totals["value"], money)
    text = f"{things(units, 'unit')}{worth} lie in one store and are needed in another: move before you order."
    yield Finding("transfers", None, units, "units", text)
    for row in found.to_dict("records"):
        source, target, moved = str(row["from_store"]), str(row["to_store"]), float(row["quantity"])
        text = (
            f"Move {things(moved, 'unit')} of {things(row['products'], 'product')} from store {source} to store "
            f"{target}{_worth(row['value'], money)}."
        )
        yield Finding("transfers", f"{source} to {target}", moved, "units", text)


def _asks(bias: float) -> str:
    """Of a store that misses most; where it sold half of the forecast or less something else has happened."""
    if bias >= 1:
        return "it sold half of what was forecast or less, so see whether it is still open"
    return "keep its safety stock, and ask there what the data do not tell"


def _worth(value: object, money: Money) -> str:
    return f", worth {money(float(str(value)))} at cost" if is_known(value) else ""


def _ordinal(place: int) -> str:
    """2 -> "2nd"."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"
