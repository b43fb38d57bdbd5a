"""A bucket of series replayed under every rule, parameter and seed: sums over its series out, by class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.inventory.levels import least_for_cycle_service
from shelfcast.inventory.lot_size import economic_order_quantity, whole_order_quantity
from shelfcast.inventory.made import Means, level_of, made_of, means_of
from shelfcast.inventory.planner import hidden_weeks, lead_times_of
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import IntArray, LeadTimes
from shelfcast.inventory.replay import Shop, replay, score
from shelfcast.inventory.rules import RECENT_WEEKS, RULES, Known, Pair, simulated
from shelfcast.inventory.shelves import Outcome
from shelfcast.inventory.shown import shown_policy
from shelfcast.inventory.variation import recent_dispersion
from shelfcast.panel import FloatArray
from shelfcast.panels import by_bucket

SUMS = ("series", "series_days", "wanted", "served", "short_days", "stock_days", "stock_value_days", "holding",
        "ordering", "lost_margin")  # fmt: skip
_SUMS = ", ".join(f"{name} double" for name in SUMS)
COLUMNS = f"rule string, parameter double, seed int, class string, {_SUMS}"
TUNED_COLUMNS = "cover double, gap double, cost double"
CALIBRATION_COLUMNS = "class string, level double, rows double, at_most double, below double"
CALIBRATED = (0.9, 0.95, 0.98)
_YEAR = 365.0
# Days: what takes longer to come is nothing that a shelf is kept by.
LONGEST = 84
_AT_A_TIME = 2000
# Units by which a series' weekdays are shrunk.
_PRIOR = 50.0


@dataclass(frozen=True)
class Replayer:
    """What is replayed, and how. weeks: Mondays of the whole history. cutoffs: weeks known at each forecast, oldest
    first. first: the first week that is replayed, in weeks known before it; warm_up: weeks that are run and not
    counted. parameters: rule -> those it is swept by; gaps: the days from minimum to maximum that min/max is given, by
    cover. season: weeks. level_variance, lasting_variance: of the factor that neighbouring weeks ahead share, and that
    all do."""

    weeks: tuple[date, ...]
    cutoffs: tuple[int, ...]
    first: int
    warm_up: int
    season: int
    review: int
    seeds: int
    parameters: Mapping[str, tuple[float, ...]]
    gaps: Mapping[float, float]
    order_cost: float
    holding_rate: float
    max_cover_days: int
    samples: int
    level_variance: float
    lasting_variance: float
    seed: int

    def replay(self, series: DataFrame, buckets: int) -> DataFrame:
        """series: bucket, store_id, product_id, class, lead_days, lead_chances, unit_cost, price, pack; sold, lost:
        arrays of (day, quantity); unknown: of weeks; forecasts: of (cutoff, step, y_hat); counted_on, counted, ordered,
        shown_review as history.py makes them. Columns: COLUMNS."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return self.replay_bucket(rows)

        return by_bucket(series, buckets).applyInPandas(of_bucket, COLUMNS)

    def replay_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = [row for part, place in _parts(rows) for row in self._replay(part, place)]
        return pd.DataFrame(found).groupby(["rule", "parameter", "seed", "class"], as_index=False).sum()

    def tune(self, series: DataFrame, buckets: int, gaps: Sequence[float]) -> DataFrame:
        """What min/max would have cost in money in the weeks before the first that is replayed, for each of its covers
        and of `gaps`: cover, gap, cost."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return self.tune_bucket(rows, gaps)

        costs = by_bucket(series, buckets).applyInPandas(of_bucket, TUNED_COLUMNS)
        return costs.groupBy("cover", "gap").agg(F.sum("cost").alias("cost"))

    def tune_bucket(self, rows: pd.DataFrame, gaps: Sequence[float]) -> pd.DataFrame:
        found = [row for part, place in _parts(rows) for row in self._tune(part, gaps, place)]
        return pd.DataFrame(found).groupby(["cover", "gap"], as_index=False).sum()

    def _tune(self, rows: pd.DataFrame, gaps: Sequence[float], place: tuple[int, int]) -> Iterator[dict[str, float]]:
        """Demand is what sold: more nobody knew."""
        before = replace(self, weeks=self.weeks[: self.first], first=max(self.first - RECENT_WEEKS, RECENT_WEEKS))
        sold = before.dense(rows["sold"])
        leads = lead_times_of(rows, np.full(len(rows), LONGEST))
        shop = before.shop(rows, sold[7 * before.first :], leads, (*place, 0))
        known = before.known(rows, sold, leads, {0: np.zeros((len(rows), 1))}, place)
        for gap in gaps:
            weeks = [week._replace(gaps=dict.fromkeys(self.parameters["min_max"], gap)) for week in known]
            for cover, levels in _by_parameter("min_max", self.parameters["min_max"], weeks):
                outcome = replay(shop, levels, self.warm_up)
                days = len(shop.demand) - 7 * self.warm_up
                sums = score(outcome, days, *_money(rows), self.order_cost, self.holding_rate)
                yield {"cover": cover, "gap": gap, "cost": sums["holding"] + sums["ordering"] + sums["lost_margin"]}

    def calibrate(self, series: DataFrame, buckets: int) -> DataFrame:
        """How demand over a drawn lead time and a review period compares with what the plan simulates of it before each
        replayed week: by class and level, rows, and those at or below the quantile, and below."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return self.calibrate_bucket(rows)

        return by_bucket(series, buckets).applyInPandas(of_bucket, CALIBRATION_COLUMNS)

    def calibrate_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = [one for part, place in _parts(rows) for one in self._calibrate(part, place)]
        return pd.concat(found, ignore_index=True).groupby(["class", "level"], as_index=False).sum()

    def _calibrate(self, rows: pd.DataFrame, place: tuple[int, int]) -> Iterator[pd.DataFrame]:
        sold, lost = self.dense(rows["sold"]), self.dense(rows["lost"])
        leads = lead_times_of(rows, np.full(len(rows), LONGEST))
        so_far = np.pad(np.cumsum(sold + lost, axis=0), ((1, 0), (0, 0)))
        lasts = (
            leads.draw(np.random.default_rng([self.seed, *place]).random((len(rows), len(self.weeks)))) + self.review
        )
        row = np.arange(len(rows))
        for week, known in enumerate(
            self.known(rows, sold, leads, made_of(rows, self.weeks, self.cutoffs), place), self.first
        ):
            end = 7 * week + lasts[:, week]
            whole = end < len(so_far)
            came = so_far[np.minimum(end, len(so_far) - 1), row] - so_far[7 * week]
            protected = np.sort(simulated(known).protected, axis=1)
            for level in CALIBRATED:
                stated = least_for_cycle_service(protected, np.full(len(rows), level))
                shares = {"at_most": (came <= stated) * 1.0, "below": (came < stated) * 1.0}
                yield pd.DataFrame({"class": rows["class"], "level": level, "rows": 1.0, **shares})[whole]

    def _replay(self, rows: pd.DataFrame, place: tuple[int, int]) -> Iterator[dict[str, object]]:
        sold, lost = self.dense(rows["sold"]), self.dense(rows["lost"])
        leads = lead_times_of(rows, np.full(len(rows), LONGEST))
        weeks = self.known(rows, sold, leads, made_of(rows, self.weeks, self.cutoffs), place)
        wanted = (sold + lost)[7 * self.first :]
        shops = [self.shop(rows, wanted, leads, (*place, seed)) for seed in range(self.seeds)]
        for rule, parameters in self.parameters.items():
            for parameter, levels in _by_parameter(rule, parameters, weeks):
                for seed, shop in enumerate(shops):
                    named = {"rule": rule, "parameter": parameter, "seed": seed}
                    yield from self._scores(rows, replay(shop, levels, self.warm_up), len(wanted), named)

    def _scores(
        self, rows: pd.DataFrame, outcome: Outcome, days: int, named: dict[str, object]
    ) -> Iterator[dict[str, object]]:
        cost, margin = _money(rows)
        counted = days - 7 * self.warm_up
        for name in sorted(set(rows["class"])):
            of = (rows["class"] == name).to_numpy()
            part = Outcome(*[values[of] for values in outcome])
            yield (
                named | {"class": name} | score(part, counted, cost[of], margin[of], self.order_cost, self.holding_rate)
            )

    def dense(self, series: "pd.Series[Any]") -> FloatArray:
        """Units, shape (days, n), of arrays of (day, quantity); zero on other days."""
        demand = np.zeros((7 * len(self.weeks), len(series)))
        for column, entries in enumerate(series):
            days = np.array([(entry["day"] - self.weeks[0]).days for entry in entries], dtype=np.int64)
            inside = (days >= 0) & (days < len(demand))
            units = np.array([entry["quantity"] for entry in entries], dtype=np.float64)
            np.add.at(demand[:, column], days[inside], units[inside])
        return demand

    def known(
        self, rows: pd.DataFrame, sold: FloatArray, leads: LeadTimes, made: Means, place: tuple[int, int]
    ) -> list[Known]:
        """What is known before each replayed week: all sales until then, and the newest forecast, at the level of what
        has sold since. made: cutoff -> means of the weeks after it, shape (n, steps)."""
        past = sold[: 7 * self.first]
        ahead = -(-(int(leads.days.max()) + self.review) // 7)
        quantity = self.order_quantity(rows, past[-7 * self.season :].mean(axis=0))
        (_, margin), holding, pack = _money(rows), self.holding(rows), rows["pack"].to_numpy(dtype=np.float64)
        draws = Draws.make(self.samples, ahead, self.level_variance, self.seed)
        rng = np.random.default_rng([self.seed, *place])
        hidden = hidden_weeks(rows["unknown"], self.weeks[0], len(self.weeks))
        profile, shown = weekday_shares(past), shown_policy(rows, past, self.weeks[0])
        weekly = np.where(hidden, np.nan, sold.reshape(-1, 7, len(rows)).sum(axis=1)).T

        def before(week: int) -> Known:
            dispersion = recent_dispersion(sold[: 7 * week], hidden[:week])
            level = level_of(made, weekly[:, :week], dispersion, self.lasting_variance)
            means = means_of(made, week, ahead) * level[:, None]
            return Known(sold[: 7 * week], means, profile, dispersion, leads, self.review, quantity, pack, holding,
                         margin, self.order_cost, self.max_cover_days, self.season, draws, rng, self.gaps,
                         shown)  # fmt: skip

        return [before(week) for week in range(self.first, len(self.weeks))]

    def order_quantity(self, rows: pd.DataFrame, daily: FloatArray) -> FloatArray:
        economic = economic_order_quantity(self.order_cost, self.holding(rows), daily)
        return whole_order_quantity(economic, daily, self.max_cover_days, rows["pack"])

    def holding(self, rows: pd.DataFrame) -> FloatArray:
        """Money a unit and day."""
        return rows["unit_cost"].to_numpy(dtype=np.float64) * self.holding_rate / _YEAR

    def shop(self, rows: pd.DataFrame, demand: FloatArray, leads: LeadTimes, place: tuple[int, ...]) -> Shop:
        rng = np.random.default_rng([self.seed, *place])
        days: IntArray = leads.draw(rng.random((len(rows), len(demand)))).T
        pack = rows["pack"].to_numpy(dtype=np.float64)
        return Shop(demand, np.ascontiguousarray(days), pack, np.zeros(len(rows)))


def _parts(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, tuple[int, int]]]:
    """So many series at a time as memory holds, with their place."""
    rows = rows.sort_values(["product_id", "store_id"], ignore_index=True)
    bucket = int(rows["bucket"].iloc[0])
    for part, at in enumerate(range(0, len(rows), _AT_A_TIME)):
        yield rows.iloc[at : at + _AT_A_TIME].reset_index(drop=True), (bucket, part)


def _by_parameter(
    rule: str, parameters: Sequence[float], weeks: Sequence[Known]
) -> Iterator[tuple[float, Sequence[Pair]]]:
    """Each parameter with the levels of each week."""
    found = [RULES[rule](known, parameters) for known in weeks]
    return zip(parameters, zip(*found, strict=True), strict=True)


def _money(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Cost and margin of a unit."""
    cost = rows["unit_cost"].to_numpy(dtype=np.float64)
    return cost, np.maximum(rows["price"].to_numpy(dtype=np.float64) - cost, 0.0)


def weekday_shares(past: FloatArray) -> FloatArray:
    """What Monday to Sunday have of a week's demand, shape (n, 7): a series' own, shrunk to that of all."""
    own = past.reshape(-1, 7, past.shape[1]).sum(axis=0).T
    pooled = own.sum(axis=0) / max(own.sum(), 1e-9) if own.sum() > 0 else np.full(7, 1 / 7)
    return np.asarray((own + _PRIOR * pooled) / (own.sum(axis=1, keepdims=True) + _PRIOR))
