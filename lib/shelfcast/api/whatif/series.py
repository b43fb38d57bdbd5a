"""A series as the champion reads it, from the index, with what is supposed instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shelfcast.api.index.conditions import conditions_of
from shelfcast.api.index.packed import as_date, unpack
from shelfcast.api.index.parts import FORECAST_WEEKS, PANEL_WEEKS, SOLD_WEEKS
from shelfcast.api.index.reading import Index, Row
from shelfcast.panel import FloatArray, Panel, as_covariates
from shelfcast.weeks import WEEK, whole_weeks

_ELSEWHERE = "(elsewhere)"
_EPOCH = np.datetime64("1970-01-01")


@dataclass(frozen=True)
class Published:
    """What is published of a series. weeks: a row a week ahead, columns FORECAST_WEEKS. price: the last one known."""

    store_id: str
    product_id: str
    category_id: str
    weeks: FloatArray
    price: float | None

    @property
    def first_week(self) -> date:
        return date(1970, 1, 1) + timedelta(days=int(self.weeks[0, 0]))

    @property
    def mean(self) -> FloatArray:
        return self.weeks[:, FORECAST_WEEKS.index("mean")]


def published(index: Index, store_id: str, product_id: str) -> Published | None:
    """The product's forecast in the store; None where none is published."""
    query = "select category_id, weeks from forecasts where level = 'product' and store_id = ? and item_id = ?"
    rows = index.rows(query, (store_id, product_id))
    if not rows:
        return None
    sold = index.rows(query.replace("forecasts", "history"), (store_id, product_id))
    prices = unpack(sold[0]["weeks"], len(SOLD_WEEKS))[:, SOLD_WEEKS.index("unit_price")] if sold else np.empty(0)
    known = prices[~np.isnan(prices)]
    weeks = unpack(rows[0]["weeks"], len(FORECAST_WEEKS))
    return Published(store_id, product_id, rows[0]["category_id"], weeks, float(known[-1]) if len(known) else None)


def panel_of(index: Index, series: Published, season: int) -> Panel:
    """The series, and in a second one what all other stores sold of its item: what they have in common is learned of
    their sum. Of a series that no model was fitted for, its sales."""
    weeks = _weeks(index, series)
    horizon = len(series.weeks)
    rows = index.rows("select store_id, weeks from panel where item_id = ?", (series.product_id,))
    packed = {row["store_id"]: row["weeks"] for row in rows}
    mine = packed.pop(series.store_id, None)
    if mine is None:
        own = _from_sales(index, series, weeks, horizon)
    else:
        own = _dense(unpack(mine, len(PANEL_WEEKS)), weeks, horizon)
    elsewhere = np.nan_to_num(unpack(b"".join(packed.values()), len(PANEL_WEEKS)))
    others, _ = _dense(elsewhere, weeks, horizon)
    quantity = np.where(np.cumsum(np.nan_to_num(own[0]) > 0) > 0, own[0], np.nan)
    named = {"store_id": [series.store_id, _ELSEWHERE], "item_id": series.product_id, "category_id": series.category_id}
    promoted = np.stack([own[1], np.zeros(len(weeks) + horizon)])
    planned, past = as_covariates([conditions_of(index, series.store_id), None], promoted.shape)
    periods, y = np.array(weeks, dtype="datetime64[D]"), np.stack([quantity, others])
    return Panel(pd.DataFrame(named), periods, y, season, {"promoted": promoted, **planned}, past)


def supposing(panel: Panel, history: Mapping[date, float], promoted: Mapping[date, float]) -> Panel:
    """The panel with other sales of the first series in some of its weeks, and other promotions in weeks ahead."""
    y, plan = panel.y.copy(), panel.covariates["promoted"].copy()
    for week, quantity in history.items():
        y[0, _place(panel, week)] = quantity
    for week, share in promoted.items():
        plan[0, _place(panel, week)] = share
    return replace(panel, y=y, covariates={**panel.covariates, "promoted": plan})


def stack(panels: Sequence[Panel]) -> Panel:
    """The series of all panels, of the same weeks, in one that a model reads at once. What one sold of an item does not
    count as sold in another: the item is named by the panel's number too."""
    ids = {name: np.concatenate([panel.ids[name].to_numpy(dtype=str) for panel in panels]) for name in panels[0].ids}
    numbers = np.repeat(np.arange(len(panels)), [len(panel) for panel in panels])
    ids["item_id"] = np.array([f"{item}/{number}" for item, number in zip(ids["item_id"], numbers, strict=True)])
    covariates, past = (
        {name: np.concatenate([told[name] for told in each]) for name in each[0]}
        for each in ([panel.covariates for panel in panels], [panel.past for panel in panels])
    )
    y = np.concatenate([panel.y for panel in panels])
    return replace(panels[0], ids=pd.DataFrame(ids), y=y, covariates=covariates, past=past)


def _place(panel: Panel, week: date) -> int:
    return int((np.datetime64(week) - panel.periods[0]).astype(int) // 7)


def _weeks(index: Index, series: Published) -> list[date]:
    (row,) = index.rows("select min(first_sold_on) as first from stores")
    first = date.fromisoformat(row["first"]) if row["first"] else series.first_week - WEEK
    return whole_weeks(first, series.first_week - timedelta(days=1))


def _dense(weeks: FloatArray, axis: list[date], horizon: int) -> tuple[FloatArray, FloatArray]:
    """Quantities of the weeks known, and the promotions of these and the weeks ahead; as panel.densify does it. Rows of
    one week add up."""
    at = (weeks[:, 0].astype(np.int64) - (np.datetime64(axis[0]) - _EPOCH).astype(int)) // 7
    inside = (at >= 0) & (at < len(axis) + horizon)
    quantity, promoted = np.zeros(len(axis) + horizon), np.zeros(len(axis) + horizon)
    np.add.at(quantity, at[inside], weeks[inside, 1])
    np.add.at(promoted, at[inside], weeks[inside, 2])
    return quantity[: len(axis)], promoted


def _from_sales(index: Index, series: Published, axis: list[date], horizon: int) -> tuple[FloatArray, FloatArray]:
    query = "select weeks from history where level = 'product' and store_id = ? and item_id = ?"
    rows: list[Row] = index.rows(query, (series.store_id, series.product_id))
    if not rows:
        return np.zeros(len(axis)), np.zeros(len(axis) + horizon)
    sold = unpack(rows[0]["weeks"], len(SOLD_WEEKS))
    recovered = sold[:, SOLD_WEEKS.index("recovered_quantity")]
    wanted = np.where(np.isnan(recovered), sold[:, SOLD_WEEKS.index("quantity")], recovered)
    return _dense(np.stack([sold[:, 0], wanted, np.zeros(len(sold))], axis=1), axis, horizon)


def promotions_ahead(index: Index, series: Published) -> list[date]:
    """The weeks ahead in which a promotion is planned for the series."""
    query, pair = "select weeks from panel where store_id = ? and item_id = ?", (series.store_id, series.product_id)
    rows = index.rows(query, pair)
    weeks = unpack(rows[0]["weeks"], len(PANEL_WEEKS)) if rows else np.empty((0, len(PANEL_WEEKS)))
    ahead = weeks[(weeks[:, PANEL_WEEKS.index("promoted")] > 0) & (weeks[:, 0] >= series.weeks[0, 0])]
    return [as_date(day) for day in sorted(ahead[:, 0])]
