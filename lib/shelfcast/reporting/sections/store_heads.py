"""Stores with a head of their own: how many, and what it brought them on weeks that no choice had seen."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.metrics import Interval, bootstrap_of_sums
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Figure
from shelfcast.reporting.charts.intervals import differences
from shelfcast.reporting.charts.svg import WIDE, both_widths
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.leaderboard import PANELS

_SEED = 0
# Drawn with replacement, fewer stores are too much alike to tell how far chance reaches.
_LEAST_STORES = 5


class _Measured(NamedTuple):
    """Of one network on one panel: stores that tried a head, those that keep it, and what it saved of the loss in all
    that tried, in those that keep it, and of the WAPE of the median in these, in shares of demand."""

    name: str
    tried: int
    kept: int
    of_all: Interval
    of_kept: Interval
    wape: Interval


def store_heads(data: ReportData) -> list[Block]:
    """Nothing where no store has tried a head."""
    networks = data.store_heads.groupby(["panel", "model"])
    measured = [_measure(str(panel), str(model), rows) for (panel, model), rows in networks]
    if not measured:
        return []
    lead, rows = " ".join(_sentence(one) for one in measured), _rows(measured)
    figures = [_figure(rows)] if rows else []
    return [Block(title="Stores with a head of their own", lead=lead, figures=figures)]


def _figure(rows: list[tuple[str, Interval]]) -> Figure:
    chart = both_widths(lambda width: differences(width, rows, formats.signed_share, "Loss saved"), WIDE)
    caption = "The share of the network's loss that the stores' heads saved; the bar is the 95 % interval over stores."
    return Figure("Loss saved after the last cutoff", chart, caption)


def _measure(panel: str, model: str, rows: pd.DataFrame) -> _Measured:
    kept = rows[rows["kept"].astype(bool)]
    return _Measured(
        f"{PANELS[panel]}, {formats.words(model)}",
        len(rows),
        len(kept),
        _saved(rows, "loss", "base_loss"),
        _saved(kept, "loss", "base_loss"),
        _saved(kept, "error", "units"),
    )


def _saved(rows: pd.DataFrame, what: str, whole: str) -> Interval:
    if rows.empty:
        return Interval(np.nan, np.nan, np.nan)
    base, head, of = (rows[name].to_numpy(dtype=np.float64) for name in (f"base_{what}", f"head_{what}", whole))
    found = bootstrap_of_sums(base, head, of, _SEED)
    return found if len(rows) >= _LEAST_STORES else Interval(found.difference, np.nan, np.nan)


def _rows(measured: list[_Measured]) -> list[tuple[str, Interval]]:
    rows = [(f"{one.name}: the {one.kept:,} kept", one.of_kept) for one in measured]
    rows += [(f"{one.name}: all {one.tried:,} tried", one.of_all) for one in measured]
    return [(name, interval) for name, interval in rows if not np.isnan(interval.lower)]


def _sentence(one: _Measured) -> str:
    stores = formats.count(one.tried)
    if not one.kept:
        return f"{one.name}: none of {stores} stores keeps a head of its own; none won beyond chance."
    share, low, high = map(formats.signed_share, one.of_kept)
    reach = f"{low} to {high}" if one.kept >= _LEAST_STORES else "too few stores for an interval"
    return (
        f"{one.name}: {formats.count(one.kept)} of {stores} stores keep a head of their own, which won beyond chance "
        f"at the earlier cutoffs. On the weeks since, which no choice has seen, it saves them {share} of the network's "
        f"loss ({reach}), and {formats.points(one.wape.difference)} of WAPE."
    )
