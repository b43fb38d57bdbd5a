"""The panel: many series on one complete grid of periods, as the models read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """`n` series over `T` consecutive periods.

    ids: `n` rows of strings: store_id, item_id (a product or a category) and any static attribute.
    periods: shape (T,), datetime64[D], the first day of each period.
    y: shape (n, T), units sold; NaN where the demand is not known (before the first sale, store closed).
    season: periods in a season: 52 for a year of weeks, 13 for a quarter.
    covariates: name -> shape (n, T + h), known in advance for the `h` periods after the last one.
    """

    ids: pd.DataFrame
    periods: NDArray[np.datetime64]
    y: FloatArray
    season: int
    covariates: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def until(self, cutoff: int) -> "Panel":
        """The panel as it was known after its first `cutoff` periods; planned covariates stay."""
        return replace(self, periods=self.periods[:cutoff], y=self.y[:, :cutoff])

    def take(self, rows: NDArray[np.int64]) -> "Panel":
        """The panel of the series at `rows`."""
        covariates = {name: values[rows] for name, values in self.covariates.items()}
        return replace(self, ids=self.ids.iloc[rows].reset_index(drop=True), y=self.y[rows], covariates=covariates)


@dataclass(frozen=True)
class Axis:
    """How sparse rows become a panel: its whole weeks, the weeks ahead, and where a series begins.

    from_first_sale: demand is not known before a series' first sale; else every series is zero-filled from the first
    week.
    """

    weeks: tuple[date, ...]
    season: int
    horizon: int
    from_first_sale: bool

    @property
    def periods(self) -> NDArray[np.datetime64]:
        return np.array(self.weeks, dtype="datetime64[D]")


def densify(rows: pd.DataFrame, axis: Axis) -> Panel:
    """The panel of sparse weekly rows: zero where there is none.

    rows: store_id, item_id, category_id, week, quantity, promoted; a row is a week of demand, one of which nothing is
    known (quantity NaN), or a planned promotion without a sale (quantity 0), which may lie up to `horizon` weeks beyond
    the last week.
    Series come sorted by store and item, so that a fit does not depend on the order of the rows.
    """
    keys = ["store_id", "item_id", "category_id"]
    rows = rows.sort_values([*keys, "week"], ignore_index=True)
    starts = ~rows.duplicated(keys)
    series = np.cumsum(starts.to_numpy()) - 1
    at = (rows["week"].to_numpy().astype("datetime64[D]") - axis.periods[0]).astype(int) // 7
    inside = (at >= 0) & (at < len(axis.weeks) + axis.horizon)
    dense = np.zeros((int(starts.sum()), len(axis.weeks) + axis.horizon))
    promoted = np.zeros_like(dense)
    dense[series[inside], at[inside]] = rows["quantity"].to_numpy()[inside]
    promoted[series[inside], at[inside]] = rows["promoted"].to_numpy()[inside]
    y = dense[:, : len(axis.weeks)]
    if axis.from_first_sale:
        y = np.where(np.cumsum(y > 0, axis=1) > 0, y, np.nan)
    return Panel(rows.loc[starts, keys].reset_index(drop=True), axis.periods, y, axis.season, {"promoted": promoted})
