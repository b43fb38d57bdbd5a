"""A bucket of series replayed under every rule, parameter and seed: sums over its series out, by class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from shelfcast.inventory.lot_size import economic_order_quantity, rounded_order
from shelfcast.inventory.planner import lead_times_of
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import IntArray, LeadTimes
from shelfcast.inventory.replay import Shop, replay, score, weekly_levels
from shelfcast.inventory.rules import RULES, Known
from shelfcast.inventory.shelves import Outcome
from shelfcast.panel import FloatArray
from shelfcast.panels import by_bucket

SUMS = ("series", "series_days", "wanted", "served", "short_days", "stock_days", "stock_value_days", "holding",
        "ordering", "lost_margin")  # fmt: skip
COLUMNS = "rule string, parameter double, seed int, class string, " + ", ".join(f"{name} double" for name in SUMS)
_YEAR = 365.0
_AT_A_TIME = 2000
# Units by which a series' weekdays are shrunk.
_PRIOR = 50.0


@dataclass(frozen=True)
class Replayer:
    """What is replayed, and how. weeks: Mondays of the whole history. cutoffs: weeks known at each forecast, oldest
    first; the weeks after the first are held out. parameters: rule -> those it is swept by. season: weeks. warm_up:
    weeks that are run and not counted."""

    weeks: tuple[date, ...]
    cutoffs: tuple[int, ...]
    season: int
    review: int
    warm_up: int
    seeds: int
    parameters: Mapping[str, tuple[float, ...]]
    order_cost: float
    holding_rate: float
    max_cover_days: int
    samples: int
    seed: int

    def replay(self, series: DataFrame, buckets: int) -> DataFrame:
        """series: bucket, store_id, product_id, class, lead_days, lead_chances, unit_cost, price, pack; sold: array of
        (day, quantity), true demand; forecasts: array of (cutoff, step, y_hat). Columns: COLUMNS."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return self.replay_bucket(rows)

        return by_bucket(series, buckets).applyInPandas(of_bucket, COLUMNS)

    def replay_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.sort_values(["product_id", "store_id"], ignore_index=True)
        bucket = int(rows["bucket"].iloc[0])
        slices = [rows.iloc[at : at + _AT_A_TIME].reset_index(drop=True) for at in range(0, len(rows), _AT_A_TIME)]
        found = [row for part, of_part in enumerate(slices) for row in self._replay(of_part, (bucket, part))]
        return pd.DataFrame(found).groupby(["rule", "parameter", "seed", "class"], as_index=False).sum()

    def _replay(self, rows: pd.DataFrame, place: tuple[int, int]) -> Iterator[dict[str, object]]:
        demand = self.dense(rows)
        ahead = self._weeks_ahead(rows)
        leads = lead_times_of(rows, np.full(len(rows), 7 * ahead - self.review))
        weeks = self._known(rows, demand, leads, ahead, place)
        held_out = demand[7 * self.cutoffs[0] :]
        shops = [self._shop(rows, held_out, leads, (*place, seed)) for seed in range(self.seeds)]
        for rule, parameters in self.parameters.items():
            for parameter in parameters:
                levels = weekly_levels(RULES[rule], parameter, weeks)
                for seed, shop in enumerate(shops):
                    named = {"rule": rule, "parameter": parameter, "seed": seed}
                    yield from self._scores(rows, replay(shop, levels, self.warm_up), len(held_out), named)

    def _scores(
        self, rows: pd.DataFrame, outcome: Outcome, days: int, named: dict[str, object]
    ) -> Iterator[dict[str, object]]:
        cost = rows["unit_cost"].to_numpy(dtype=np.float64)
        margin = np.maximum(rows["price"].to_numpy(dtype=np.float64) - cost, 0.0)
        counted = days - 7 * self.warm_up
        for name in sorted(set(rows["class"])):
            of = (rows["class"] == name).to_numpy()
            part = Outcome(*[values[of] for values in outcome])
            yield (
                named | {"class": name} | score(part, counted, cost[of], margin[of], self.order_cost, self.holding_rate)
            )

    def dense(self, rows: pd.DataFrame) -> FloatArray:
        """Demand in units, shape (days, n), zero where nothing was wanted."""
        demand = np.zeros((7 * len(self.weeks), len(rows)))
        for column, sold in enumerate(rows["sold"]):
            days = np.array([(entry["day"] - self.weeks[0]).days for entry in sold], dtype=np.int64)
            inside = (days >= 0) & (days < len(demand))
            units = np.array([entry["quantity"] for entry in sold], dtype=np.float64)
            np.add.at(demand[:, column], days[inside], units[inside])
        return demand

    def _weeks_ahead(self, rows: pd.DataFrame) -> int:
        """Weeks that the longest lead time and a review reach into."""
        longest = max(int(days[-1]) for days in rows["lead_days"])
        return -(-(longest + self.review) // 7)

    def _known(
        self, rows: pd.DataFrame, demand: FloatArray, leads: LeadTimes, ahead: int, place: tuple[int, int]
    ) -> list[Known]:
        """What is known before each held-out week: all demand until then, and the newest forecast."""
        past = demand[: 7 * self.cutoffs[0]]
        quantity = self._order_quantity(rows, past[-7 * self.season :].mean(axis=0))
        draws = Draws.make(self.samples, ahead, 0.0, self.seed)
        rng = np.random.default_rng([self.seed, *place])
        profile = weekday_shares(past)
        made = self._forecasts(rows)
        return [
            Known(demand[: 7 * week], self._means(made, week, ahead), profile, leads, self.review, quantity,
                  self.season, draws, rng)
            for week in range(self.cutoffs[0], len(self.weeks))
        ]  # fmt: skip

    def _forecasts(self, rows: pd.DataFrame) -> dict[int, FloatArray]:
        """Cutoff -> means of the weeks after it, shape (n, steps)."""
        at = {self.weeks[cutoff - 1]: cutoff for cutoff in self.cutoffs}
        steps = max(entry["step"] for entries in rows["forecasts"] for entry in entries)
        made = {cutoff: np.zeros((len(rows), steps)) for cutoff in self.cutoffs}
        for row, entries in enumerate(rows["forecasts"]):
            for entry in entries:
                made[at[entry["cutoff"]]][row, entry["step"] - 1] = entry["y_hat"]
        return made

    def _means(self, made: dict[int, FloatArray], week: int, ahead: int) -> FloatArray:
        """The means of the weeks from `week` on; beyond the last step they stay as they are there."""
        cutoff = max(cutoff for cutoff in self.cutoffs if cutoff <= week)
        steps = np.minimum(np.arange(week - cutoff, week - cutoff + ahead), made[cutoff].shape[1] - 1)
        return made[cutoff][:, steps]

    def _order_quantity(self, rows: pd.DataFrame, daily: FloatArray) -> FloatArray:
        holding = self.holding_rate * rows["unit_cost"].to_numpy(dtype=np.float64)
        economic = economic_order_quantity(self.order_cost, holding, daily * _YEAR)
        capped = np.minimum(economic, daily * self.max_cover_days)
        return rounded_order(np.maximum(np.rint(capped), 1.0), rows["pack"], 0.0)

    def _shop(self, rows: pd.DataFrame, demand: FloatArray, leads: LeadTimes, place: tuple[int, ...]) -> Shop:
        rng = np.random.default_rng([self.seed, *place])
        days: IntArray = leads.draw(rng.random(len(demand))).T
        pack = rows["pack"].to_numpy(dtype=np.float64)
        return Shop(demand, np.ascontiguousarray(days), pack, np.zeros(len(rows)))


def weekday_shares(past: FloatArray) -> FloatArray:
    """What Monday to Sunday have of a week's demand, shape (n, 7): a series' own, shrunk to that of all."""
    own = past.reshape(-1, 7, past.shape[1]).sum(axis=0).T
    pooled = own.sum(axis=0) / max(own.sum(), 1e-9) if own.sum() > 0 else np.full(7, 1 / 7)
    return np.asarray((own + _PRIOR * pooled) / (own.sum(axis=1, keepdims=True) + _PRIOR))
