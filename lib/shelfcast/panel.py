"""The panel: many series on one complete grid of periods, as the models read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Of a series: feature -> a value a week, from the first one on.
Conditions = Mapping[str, Sequence[float | None]]
# What a feature is named for: a value of the target week that is known ahead, or the last one that was known.
PLANNED, RECENT = "planned_", "recent_"


@dataclass(frozen=True)
class Panel:
    """`n` series over `T` consecutive periods.

    ids: `n` rows of strings: store_id, item_id (a product or a category) and any static attribute.
    periods: shape (T,), datetime64[D], the first day of each period.
    y: shape (n, T), units sold; NaN where the demand is not known (before the first sale, store closed).
    season: periods in a season: 52 for a year of weeks, 13 for a quarter.
    covariates: name -> shape (n, T + h), known in advance for the `h` periods after the last one.
    past: name -> shape (n, T + h), known of a period once it is over.
    """

    ids: pd.DataFrame
    periods: NDArray[np.datetime64]
    y: FloatArray
    season: int
    covariates: Mapping[str, FloatArray] = field(default_factory=dict)
    past: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def until(self, cutoff: int) -> "Panel":
        """The panel as it was known after its first `cutoff` periods; planned covariates stay."""
        return replace(self, periods=self.periods[:cutoff], y=self.y[:, :cutoff])

    def take(self, rows: NDArray[np.int64]) -> "Panel":
        """The panel of the series at `rows`."""
        ids, y = self.ids.iloc[rows].reset_index(drop=True), self.y[rows]
        covariates, past = (
            {name: values[rows] for name, values in told.items()} for told in (self.covariates, self.past)
        )
        return replace(self, ids=ids, y=y, covariates=covariates, past=past)


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
    `conditions`, where it is there: feature -> a value a week, in the first row of a series.
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
    planned, past = as_covariates(rows[starts].get("conditions", []), dense.shape)
    ids = rows.loc[starts, keys].reset_index(drop=True)
    return Panel(ids, axis.periods, y, axis.season, {"promoted": promoted, **planned}, past)


def as_covariates(
    conditions: Iterable[Conditions | None], shape: tuple[int, ...]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """What goes on in the weeks of each series, as `covariates` and `past` of a panel of that shape. conditions: of a
    series feature -> a value a week."""
    told = [dict(each) if each is not None else {} for each in conditions]
    planned: dict[str, FloatArray] = {}
    past: dict[str, FloatArray] = {}
    for feature in sorted({name for each in told for name in each}):
        values = np.full(shape, np.nan)
        for row, each in enumerate(told):
            weeks = np.asarray(each.get(feature, []), dtype=np.float64)[: shape[1]]
            values[row, : len(weeks)] = weeks
        into = planned if feature.startswith(PLANNED) else past
        into[feature.removeprefix(PLANNED).removeprefix(RECENT)] = values
    return planned, past
