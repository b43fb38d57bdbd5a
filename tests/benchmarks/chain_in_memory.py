"""A generated chain as a replay reads it, made in memory: what sold and was lost, orders, lead times and forecasts.

The same as the jobs from ingest to replay make of the chain's files, without the dirt: an ensemble of the
package's models, weighed on the window of the first cutoff, forecasts 13 weeks from each later one.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np
import pandas as pd
from best_policies import TrueDays
from classes_in_memory import abc, xyz
from scores import combine

from shelfcast.features import make_examples, share_of
from shelfcast.generator.calibration import calibrated, measure
from shelfcast.generator.chain import Chain, load_chain
from shelfcast.generator.world import WARM_UP, Course, World, course, draw_world
from shelfcast.history import selling_weeks
from shelfcast.inventory.classes import Borders
from shelfcast.metrics import rmse
from shelfcast.models import forecast
from shelfcast.models.encoder import fit_encoder
from shelfcast.models.ensemble import select_weights
from shelfcast.models.sklearn_models import fit, predict
from shelfcast.panel import FloatArray, Panel

CUTOFFS, HORIZON, COUNTED, FILL = (78, 91, 104, 117), 13, 26, 4
LEAST_WEEKS, EXAMPLES, LEAD_PRIOR = 8, 40_000, 5.0
STATISTICAL = ("moving_average", "tsb", "exponential_smoothing", "croston")
SIZE = {"weeks": 130, "stores": 10, "products": 100, "vendors": 10, "assortment": 0.6, "block_products": 50}
# As many a week that a store lists a product as in the file, so that its classes keep their shape.
ROWS = 92_000
BOOSTING = "hist_gradient_boosting"


class InMemory(NamedTuple):
    """rows: a series each, as replayer.py reads them; weeks: Mondays; first: the first replayed week; ensemble: what
    its members weigh; level_variance, lasting_variance: of its forecasts until then; truth: of the days that are
    replayed."""

    rows: pd.DataFrame
    weeks: tuple[date, ...]
    first: int
    ensemble: dict[str, float]
    level_variance: float
    lasting_variance: float
    truth: TrueDays


def small_bench(seed: int) -> Chain:
    """conf/chains/bench.yaml with 10 stores and 100 products, in the shares of classes of conf/chains/tiny.yaml."""
    tiny, bench = load_chain("tiny", ROWS, seed), load_chain("bench")
    told = {"first_day": bench.first_day, "replenishment": bench.replenishment, "surprises": bench.surprises}
    return tiny.model_copy(update={**SIZE, **told})


def make(chain: Chain) -> InMemory:
    world = calibrated(draw_world(chain), lambda one: reduce(add, [measure(one, n) for n in range(chain.blocks)]))
    seen = course(world, world.products)
    weeks = tuple(chain.first_day + timedelta(weeks=week) for week in range(chain.weeks))
    first = chain.weeks - COUNTED - FILL
    panel = _panel(seen, weeks)
    kept = np.flatnonzero(selling_weeks(panel.y)[:, CUTOFFS[1] - 1] >= LEAST_WEEKS)
    panel = panel.take(kept)
    weights = _weights(panel)
    made = {
        cutoff: combine({name: forecasts(name, panel, cutoff) for name in weights}, weights) for cutoff in CUTOFFS[1:]
    }
    rows = panel.ids.assign(bucket=0, **_supply(world, seen, first, kept), **_demand(seen, weeks, kept))
    entries = [
        [{"cutoff": weeks[cutoff - 1], "step": step + 1, "y_hat": y_hat}
         for cutoff, means in made.items() for step, y_hat in enumerate(means[row])]
        for row in range(len(kept))
    ]  # fmt: skip
    rows = rows.rename(columns={"item_id": "product_id"}).assign(forecasts=entries)
    rows["class"] = _classes(rows, seen, first, kept)
    order = np.lexsort([rows["store_id"], rows["product_id"]])
    truth = TrueDays(seen.mean[7 * first :][:, kept[order]], *(seen.pairs[name].to_numpy()[kept[order]]
                     for name in ("visit", "dispersion")))  # fmt: skip
    since = panel.y[:, CUTOFFS[1] : first], made[CUTOFFS[1]]
    variances = _shared(*since, (1,)), _shared(*since, range(3, first - CUTOFFS[1]))
    return InMemory(rows.iloc[order].reset_index(drop=True), weeks, first, weights, *variances, truth)


def _shared(came: FloatArray, means: FloatArray, apart: Iterable[int]) -> float:
    """As shelfcast.inventory.level measures it, by pairs of weeks so far apart."""
    means = np.maximum(means[:, : came.shape[1]], 1e-9)
    error = came - means
    shared = whole = 0.0
    for weeks in apart:
        root = np.sqrt(means[:, weeks:] * means[:, :-weeks])
        shared += (error[:, weeks:] * error[:, :-weeks] / root).sum()
        whole += root.sum()
    return float(np.clip(shared / whole, 0.0, 1.0))


def _panel(seen: Course, weeks: Sequence[date]) -> Panel:
    weekly = seen.sold.reshape(len(weeks), 7, -1).sum(axis=1).T.astype(np.float64)
    y = np.where(np.cumsum(weekly, axis=1) > 0, weekly, np.nan)
    product = seen.pairs["product"].to_numpy()
    ids = {
        "store_id": seen.pairs["store"],
        "item_id": product,
        "category_id": seen.products["classification"].to_numpy()[product],
    }
    named = pd.DataFrame({name: np.asarray(values).astype(str) for name, values in ids.items()})
    return Panel(named, np.array(weeks, dtype="datetime64[D]"), y, 52)


def forecasts(model: str, panel: Panel, cutoff: int) -> FloatArray:
    """Means of the weeks after `cutoff`, shape (n, HORIZON)."""
    known = panel.until(cutoff)
    if model != BOOSTING:
        return np.nan_to_num(forecast(model, known, HORIZON).values)
    origins = range(26, cutoff)
    every = len(panel) * sum(min(HORIZON, cutoff - origin) for origin in origins)
    examples = make_examples(known, origins, HORIZON, share_of(EXAMPLES, every), 27)
    fitted = fit(BOOSTING, examples, fit_encoder(examples), 27)
    return predict(fitted, make_examples(known, [cutoff], HORIZON)).reshape(len(panel), HORIZON)


def _weights(panel: Panel) -> dict[str, float]:
    """Of the members of the ensemble for the mean, by the window behind the first cutoff."""
    came = panel.y[:, CUTOFFS[0] : CUTOFFS[0] + HORIZON]
    tried = {name: forecasts(name, panel, CUTOFFS[0]) for name in (*STATISTICAL, BOOSTING)}
    return select_weights(came, tried, rmse)


def _supply(world: World, seen: Course, first: int, kept: np.ndarray) -> dict[str, object]:
    """Costs, lead times, the first count and the orders, of what was known before the first replayed week."""
    product = seen.pairs["product"].to_numpy()[kept]
    orders = pd.DataFrame(seen.flow.orders)
    orders["day"] -= WARM_UP
    orders = orders[(orders["day"] < 7 * first) & (orders["day"] + orders["lead"] >= 0)]
    begin = world.chain.first_day
    ordered = {pair: [{"day": begin + timedelta(days=int(day)), "quantity": float(units)}
                      for day, units in zip(of["day"], of["quantity"], strict=True)]
               for pair, of in orders.groupby("pair")}  # fmt: skip
    leads = _lead_times(world, seen, orders[orders["day"] + orders["lead"] < 7 * first])
    return {
        "unit_cost": seen.products["purchase_price"].to_numpy()[product] * 1.0075 / 100,
        "price": seen.products["price"].to_numpy()[product] / 100,
        "pack": seen.products["pack"].to_numpy()[product].astype(np.float64),
        "counted_on": begin - timedelta(days=1),
        "counted": seen.opening[kept].astype(np.float64),
        "ordered": [ordered.get(pair) for pair in kept],
        "shown_review": 7,
        "lead_days": [leads[pair][0] for pair in kept],
        "lead_chances": [leads[pair][1] for pair in kept],
    }


def _lead_times(world: World, seen: Course, received: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each pair, as lead_times.py makes them: a store's shrunk to its vendor's."""
    vendor, store = seen.products["vendor"].to_numpy()[seen.pairs["product"]], seen.pairs["store"].to_numpy()
    known = received.assign(vendor=vendor[received["pair"]], store=store[received["pair"]])
    known = known[["vendor", "store", "day", "lead"]].drop_duplicates()
    most = int(known["lead"].max()) + 1
    shape = (len(world.vendors), world.chain.stores, most)
    counts = np.zeros(shape)
    np.add.at(counts, (known["vendor"], known["store"], known["lead"]), 1)
    whole = counts.sum(axis=1)
    shared = whole / np.maximum(whole.sum(axis=1, keepdims=True), 1)
    chances = (counts + LEAD_PRIOR * shared[:, None, :]) / (counts.sum(axis=2, keepdims=True) + LEAD_PRIOR)
    found = []
    for one, other in zip(vendor, store, strict=True):
        days = np.flatnonzero(chances[one, other] > 0)
        found.append((days, np.cumsum(chances[one, other][days]) / chances[one, other].sum()))
    return found


def _demand(seen: Course, weeks: Sequence[date], kept: np.ndarray) -> dict[str, object]:
    """What sold and what was lost, arrays of (day, quantity); no week is unknown."""
    days = [weeks[0] + timedelta(days=day) for day in range(7 * len(weeks))]

    def entries(units: np.ndarray) -> list[list[dict[str, object]]]:
        return [[{"day": days[day], "quantity": float(units[day, pair])} for day in np.flatnonzero(units[:, pair])]
                for pair in kept]  # fmt: skip

    return {"sold": entries(seen.sold), "lost": entries(seen.wanted - seen.sold), "unknown": None}


def _classes(rows: pd.DataFrame, seen: Course, first: int, kept: np.ndarray) -> list[str]:
    weekly = seen.sold[7 * (first - 52) : 7 * first, kept].reshape(52, 7, -1).sum(axis=1)
    variation = np.divide(
        weekly.std(axis=0), weekly.mean(axis=0), out=np.full(len(kept), np.nan), where=weekly.any(axis=0)
    )
    value = weekly.sum(axis=0) * rows["price"].to_numpy()
    letters = np.empty(len(kept), dtype=object)
    for of in rows.groupby("store_id").indices.values():
        letters[of] = abc(value[of], Borders())
    return [f"{one}{other}" for one, other in zip(letters, xyz(variation, Borders()), strict=True)]
