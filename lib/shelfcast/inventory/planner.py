"""Target levels and needs of many series at once: a bucket of series in, a row of inventory/policies a series out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from shelfcast.inventory.levels import CYCLE_SERVICE, FILL_RATE, Levels, Needs, gap_of, levels_for
from shelfcast.inventory.lot_size import economic_order_quantity, rounded_order, whole_order_quantity
from shelfcast.inventory.pooling import Pool, worth_of
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, IntArray, LeadTimes, Protection, simulate
from shelfcast.inventory.safety_stock import deviation_over, stock_for_cycle_service, stock_for_fill_rate
from shelfcast.inventory.tables import POLICIES
from shelfcast.inventory.variation import VARIATION_WEEKS, dispersion_of
from shelfcast.panel import FloatArray
from shelfcast.panels import by_bucket
from shelfcast.table import column_names
from shelfcast.weeks import WEEK, monday

_YEAR = 365.0
# Simulated paths in memory at a time: some hundred megabytes, whatever a bucket holds.
_PATHS = 1_000_000
_HELD = ("region", "forecast_date", "forecast_age")
_COLUMNS = ", ".join(column for column in POLICIES.columns.split(", ") if column.split()[0] not in _HELD)


@dataclass(frozen=True)
class Planner:
    """What all series are planned by.

    as_of: orders are placed after its closing. first_week: Monday of the first forecast week. targets: class -> (kind,
    level). order_days: vendor -> days of the week on which it takes orders. packs, minima: product -> units. order_cost
    in money; holding_rate: share of a unit's cost a year. fill_rate: of all series that are planned together, in place
    of the targets.
    """

    as_of: date
    first_week: date
    targets: Mapping[str, tuple[str, float]]
    review_days: int
    order_days: Mapping[str, tuple[int, ...]]
    packs: Mapping[str, float]
    minima: Mapping[str, float]
    order_cost: float
    holding_rate: float
    max_cover_days: int
    overstock_days: int
    samples: int
    level_variance: float
    seed: int
    fill_rate: float | None = None

    def plan(self, series: DataFrame, buckets: int) -> DataFrame:
        """series: as inventory/series.py makes them, with `bucket`. Columns: those of inventory/policies but the
        region and dates."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return self.plan_bucket(rows)

        return by_bucket(series, buckets).applyInPandas(of_bucket, _COLUMNS)

    def plan_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.sort_values(["product_id", "store_id"], ignore_index=True)
        # What is usual is learned of the whole bucket.
        first = self.first_week - VARIATION_WEEKS * WEEK
        hidden = hidden_weeks(rows["unknown"], first, VARIATION_WEEKS)
        rows["dispersion"] = dispersion_of(np.where(hidden, np.nan, weeks_of(rows["recent"])))
        draws = Draws.make(self.samples, len(rows["means"].iloc[0]), self.level_variance, self.seed)
        rng = np.random.default_rng([self.seed, int(rows["bucket"].iloc[0])])
        size = max(_PATHS // self.samples, 1)
        parts = [self._plan(rows.iloc[at : at + size], draws, rng) for at in range(0, len(rows), size)]
        return pd.concat(parts, ignore_index=True)[column_names(_COLUMNS)]

    def _plan(self, rows: pd.DataFrame, draws: Draws, rng: np.random.Generator) -> pd.DataFrame:
        rows = self._with_rules(rows.reset_index(drop=True))
        ahead, review = self.days_ahead(rows), rows["review_days"].to_numpy()
        leads = lead_times_of(rows, ahead.mean.shape[1] - review)
        demand = simulate(ahead, leads, review, draws, rng)
        lead_days = leads.mean()
        daily = demand.protected.mean(axis=1) / np.maximum(lead_days + review, 1)
        quantity = self._order_quantity(rows, daily)
        needs = Needs.of(demand)
        rows, levels = self._with_levels(rows, needs, daily, quantity)
        planned = rows.assign(
            lead_days=lead_days,
            daily_mean=daily,
            order_quantity=quantity,
            normal_safety_stock=_normal_stock(rows, leads, daily, quantity),
            **levels._asdict(),
        )
        return self._with_needs(planned, demand, needs, levels)

    def _with_levels(
        self, rows: pd.DataFrame, needs: Needs, daily: FloatArray, quantity: FloatArray
    ) -> tuple[pd.DataFrame, Levels]:
        """The levels that keep the classes' targets; or one fill rate for all, of which each series has its own."""
        pack = rows["pack"].to_numpy()
        if self.fill_rate is None:
            is_fill_rate = (rows["target_kind"] == FILL_RATE).to_numpy()
            return rows, levels_for(needs, rows["target"].to_numpy(), is_fill_rate, quantity, pack)
        gap = gap_of(needs, quantity, pack)
        worth = worth_of(daily, rows["dispersion"].to_numpy() / 7)
        point, own = Pool(needs, daily, gap + needs.undershoot + (pack - 1) / 2, worth).keep(self.fill_rate)
        levels = Levels(point, point + gap, point - needs.needed.mean(axis=1))
        return rows.assign(target_kind=FILL_RATE, target=own), levels

    def _with_rules(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Adds what the settings say of each series: target, pack, minimum, review period, whether one may order."""
        days = [self.order_days.get(vendor, ()) for vendor in rows["vendor_id"]]
        pack = rows["product_id"].map(self.packs).astype(float).fillna(rows["pack"]).fillna(1.0)
        return rows.assign(
            target_kind=[self.targets[name][0] for name in rows["class"]],
            target=[self.targets[name][1] for name in rows["class"]],
            review_days=np.array([longest_gap(taken) or self.review_days for taken in days], dtype=np.int64),
            may_order=[not taken or self.as_of.isoweekday() in taken for taken in days],
            pack=pack,
            minimum=rows["product_id"].map(self.minima).astype(float).fillna(0.0),
        )

    def days_ahead(self, rows: pd.DataFrame) -> Ahead:
        """The demand of each day after `as_of` that the forecast covers."""
        means, profile = np.stack(rows["means"].to_list()), np.stack(rows["profile"].to_list())
        first = (self.as_of - self.first_week).days + 1
        return Ahead.of(means, profile, first, rows["dispersion"].to_numpy())

    def _order_quantity(self, rows: pd.DataFrame, daily: FloatArray) -> FloatArray:
        """The economic order quantity, at most what `max_cover_days` sell, in packs and minima; a review period's
        demand where no cost is known."""
        cost = rows["unit_cost"].to_numpy(dtype=np.float64, na_value=np.nan)
        holding = np.where(cost > 0, self.holding_rate * cost, np.nan)
        economic = economic_order_quantity(self.order_cost, holding, daily * _YEAR)
        wanted = np.where(np.isnan(economic), daily * rows["review_days"].to_numpy(), economic)
        return whole_order_quantity(wanted, daily, self.max_cover_days, rows["pack"], rows["minimum"])

    def _with_needs(self, rows: pd.DataFrame, demand: Protection, needs: Needs, levels: Levels) -> pd.DataFrame:
        """Adds what stock and open orders leave to be wished for; null where stock is not known."""
        on_hand, on_order, promised = (
            rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("on_hand", "on_order", "promised")
        )
        position = on_hand + on_order - promised
        is_known, daily = ~np.isnan(position), rows["daily_mean"].to_numpy()
        room = levels.order_up_to - position
        # The least order-up-to level is a unit: where nothing is expected to sell an empty shelf stays empty.
        is_due = (position <= levels.reorder_point) & rows["may_order"].to_numpy() & (room > 0) & (daily > 0)
        need = np.where(is_due, room, 0.0)
        # What sells from one order to the next: an order and the undershoot, or where that is more, a review period's.
        cycle = np.maximum(needs.between, levels.order_up_to - levels.reorder_point + needs.undershoot)
        after = position + rounded_order(room, rows["pack"], rows["minimum"])
        kept = np.maximum(levels.order_up_to, daily * self.overstock_days)

        def mean(of_paths: NDArray[Any]) -> FloatArray:
            return np.where(is_known, of_paths.mean(axis=1), np.nan)

        return rows.assign(
            position=position,
            need=np.where(is_known, need, np.nan),
            stock_out=mean(demand.lead > position[:, None]),
            missing_share=mean(np.maximum(demand.lead - position[:, None], 0)) / cycle,
            shortfall=mean(np.maximum(demand.protected - position[:, None], 0)),
            stock_out_after=mean(demand.protected > after[:, None]),
            days_of_supply=np.divide(position, daily, out=np.full_like(position, np.nan), where=daily > 0),
            surplus=np.floor(np.maximum(on_hand - promised - kept, 0.0)),
            need_by=self._need_by(np.where(room > 0, position - levels.safety_stock, np.nan), daily),
        )

    def _need_by(self, spare: FloatArray, daily: FloatArray) -> pd.Series:
        """The Monday of the week in which stock falls to the safety stock, tomorrow's at the earliest; None where there
        is no room for more. A day later the same need has the same week: both stock and the days until then are less.
        """
        days = np.divide(spare, daily, out=np.zeros_like(spare), where=daily > 0)
        weeks = [
            None if np.isnan(number) else monday(self.as_of + timedelta(days=1 + int(number)))
            for number in np.clip(days, 0, _YEAR)
        ]
        return pd.Series(weeks, dtype=object)


def weeks_of(recent: "pd.Series[Any]") -> FloatArray:
    """Units, shape (weeks, n), oldest first, of arrays of (ago, quantity); NaN before a series' first sale."""
    weekly = np.zeros((VARIATION_WEEKS, len(recent)))
    for column, entries in enumerate(recent):
        ago = np.array([entry["ago"] for entry in (() if entries is None else entries)], dtype=np.int64)
        units = [entry["quantity"] for entry in (() if entries is None else entries)]
        weekly[VARIATION_WEEKS - 1 - ago, column] = units
        weekly[: VARIATION_WEEKS - 1 - ago.max(initial=-1), column] = np.nan
    return weekly


def hidden_weeks(unknown: "pd.Series[Any]", first: date, count: int) -> NDArray[np.bool_]:
    """Whether nothing is known of a week, shape (count, n), from the Monday `first` on; unknown: arrays of weeks."""
    hidden = np.zeros((count, len(unknown)), dtype=np.bool_)
    for column, weeks in enumerate(unknown):
        places = np.array([(week - first) // WEEK for week in (() if weeks is None else weeks)], dtype=np.int64)
        hidden[places[(places >= 0) & (places < count)], column] = True
    return hidden


def lead_times_of(rows: pd.DataFrame, most: IntArray) -> LeadTimes:
    """The lead times of the series, none longer than `most` days: what lies beyond is not forecast."""
    width = max(map(len, rows["lead_days"]))
    days = np.stack([np.pad(np.asarray(kinds), (0, width - len(kinds)), mode="edge") for kinds in rows["lead_days"]])
    chances = np.stack(
        [np.pad(np.asarray(up_to), (0, width - len(up_to)), mode="edge") for up_to in rows["lead_chances"]]
    )
    return LeadTimes(np.minimum(days.astype(np.int64), most[:, None]), chances)


def longest_gap(weekdays: tuple[int, ...]) -> int:
    """Days from one order day to the next, at most; 0 where no days are named.

    >>> longest_gap((1, 4)), longest_gap((3,)), longest_gap(())
    (4, 7, 0)
    """
    days = sorted(weekdays)
    return max(((after - day - 1) % 7 + 1 for day, after in zip(days, [*days[1:], *days[:1]], strict=True)), default=0)


def _normal_stock(rows: pd.DataFrame, leads: LeadTimes, daily: FloatArray, quantity: FloatArray) -> FloatArray:
    """The safety stock in units that the normal formula gives for the same target, to compare with."""
    weekly = 7 * daily
    deviation = np.sqrt((weekly + weekly**2 / rows["dispersion"].to_numpy()) / 7)
    periods = leads.mean() + rows["review_days"].to_numpy()
    spread = deviation_over(periods, daily, deviation, leads.deviation())
    target = rows["target"].to_numpy()
    by_cycle = stock_for_cycle_service(target, spread)
    return np.where(rows["target_kind"] == CYCLE_SERVICE, by_cycle, stock_for_fill_rate(target, quantity, spread))
