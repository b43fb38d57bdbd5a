"""The networks of the reference panels: their settings, and how they are trained in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from reference_backtest import HORIZON

from shelfcast.models.mlp.forecaster import Forecaster, encode, network_inputs
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import Design, make_network
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import Panel
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe, train

IDENTITIES = ("store_id", "item_id")
BATCH = 512


@dataclass(frozen=True)
class Plan:
    """choose: cutoffs that the settings were chosen at. origins: cutoffs whose windows begin after those have ended.
    share: of the windows, to learn from."""

    choose: tuple[int, ...]
    origins: tuple[int, ...]
    first_origin: int
    share: float
    design: Design
    recipe: Recipe


_DESIGN = Design("mlp", HORIZON, (), units=64, blocks=1, dropout=0.1, calendar=False)
_RECIPE = Recipe("adam", epochs=10, learning_rate=0.002, warmup=0.5, weight_decay=1e-4, patience=99, seed=0)
PLANS = {
    "departments": Plan(
        (12, 20),
        (29, 34, 39, 44),
        4,
        1.0,
        replace(_DESIGN, dropout=0.3),
        replace(_RECIPE, epochs=3, learning_rate=0.001),
    ),
    "categories": Plan((12, 20), (29, 34, 39, 44), 4, 0.5, replace(_DESIGN, dropout=0.2), replace(_RECIPE, epochs=6)),
    "walmart": Plan((95, 103, 111), (119, 127, 135), 57, 1.0, _DESIGN, _RECIPE),
}
# From 11 November to 30 December 2011: Thanksgiving and Christmas, of which one year is known.
HOLIDAYS = replace(PLANS["walmart"], choose=(76, 84), origins=(92,))
TEST_PLANS = {name: (plan,) for name, plan in PLANS.items()} | {"walmart": (HOLIDAYS, PLANS["walmart"])}


class InMemory:
    """All windows at hand, in batches."""

    def __init__(self, windows: Batch, seed: int) -> None:
        self.windows, self.seed, self.total = windows, seed, len(windows.weight)
        self.empty = map_batch(lambda values: values[:0], windows)

    def training(self, epoch: int) -> Iterable[Batch]:
        order = np.random.default_rng((self.seed, epoch)).permutation(self.total)
        for start in range(0, self.total, BATCH):
            rows = order[start : start + BATCH]
            yield map_batch(lambda values, rows=rows: values[rows], self.windows)

    def validation(self) -> Iterable[Batch]:
        return ()


def training_windows(known: Panel, words: dict[str, list[str]], plan: Plan, seed: int) -> Batch:
    draw, parts = np.random.default_rng(seed), []
    codes = encode(known.ids, words)
    for origin in range(plan.first_origin, known.y.shape[1]):
        made = make_windows(known, origin, HORIZON)
        drawn = np.flatnonzero(draw.random(len(made)) < plan.share)
        batch = Batch(network_inputs(made, codes[made.series]), made.y, made.scale)
        parts.append(map_batch(lambda values, drawn=drawn: values[drawn], batch))
    inputs = {name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs}
    scale = np.concatenate([part.weight for part in parts])
    return Batch(inputs, np.concatenate([part.y for part in parts]), scale / scale.mean())


def fit(known: Panel, plan: Plan, seed: int, named: bool = True) -> Forecaster:
    """named: the network learns what is particular to a store or an item; else all are unknown to it."""
    words = {name: sorted(known.ids[name].unique()) if named else [] for name in IDENTITIES}
    design = replace(plan.design, sizes=tuple(len(found) + 1 for found in words.values()))
    network = make_network(design, seed)
    data = InMemory(training_windows(known, words, plan, seed), seed)
    train(network, loss_sums, data, replace(plan.recipe, seed=seed), Alone())
    return Forecaster(design, network, words, bool((known.y >= 0).all()), "US")


def plan_at(name: str, cutoff: int) -> Plan:
    """The first plan of a panel whose windows of choice end before the window after `cutoff` begins; else its last."""
    of_panel = TEST_PLANS[name]
    fitting = [plan for plan in of_panel if max(plan.choose) + HORIZON <= cutoff]
    return fitting[-1] if fitting else of_panel[-1]
