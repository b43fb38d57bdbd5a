"""Transfer to another company: a network of one panel made Walmart's, beside one trained from scratch, on small shares
of Walmart's stores and of its weeks.

    python tests/benchmarks/transfer.py [--base chains|departments|categories] [--stores 3 5 12 45]
        [--weeks 26 39 52 135] [--draws 5] [--cutoff 135] [--out FILE.json]

Scored on the eight weeks after the cutoff, of all stores. Of a share of stores all weeks up to the cutoff are learned
from, of a share of weeks the last ones before it, of all stores. Both sides hold back the last eight of their weeks and
stop by the same rule, PATIENCE epochs without a better loss there. From scratch all windows are learned from, in a
transfer a draw of WINDOWS at most. Its settings were chosen at an earlier cutoff (`--cutoff 127`), of five stores and
of 39 weeks.
Seconds are the processor's, on one thread, of all that makes a network of the windows: less what the base took. The
interval is Student's, over the draws, 95 %.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from panel_networks import IDENTITIES, PLANS, InMemory, Plan, fit, training_windows
from reference_backtest import HORIZON, ahead
from reference_panels import PANELS, walmart
from scipy import stats

from shelfcast.generator.chain import Chain, load_chain
from shelfcast.generator.world import course, draw_world
from shelfcast.metrics import wape
from shelfcast.models.mlp.forecaster import Forecaster, encode, network_inputs
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import MIDDLE, Design, make_network
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import Panel
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Epoch, Recipe, train
from shelfcast.training.transfer import Passes, transfer

PATIENCE = 3
DESIGN = PLANS["walmart"].design
SCRATCH = Recipe("adam", epochs=40, learning_rate=0.002, warmup=0.5, weight_decay=1e-4, patience=PATIENCE, seed=0)
PASSES = Passes(
    adapters=1,
    frozen=replace(SCRATCH, epochs=3, learning_rate=0.001, warmup=0.0),
    tuning=replace(SCRATCH, epochs=0),
)
WINDOWS = 8192
# With two seasons known the first year is no origin: what it lacks no later one will lack.
SEASONS_KNOWN = 109
FIRST_ORIGIN = 57


@dataclass(frozen=True)
class Share:
    kind: Literal["stores", "weeks"]
    size: int

    def of(self, known: Panel, draw: int) -> tuple[Panel, Panel]:
        """What a company that is so small learns from, and what it reads when it forecasts all stores."""
        if self.kind == "weeks":
            last = replace(known, periods=known.periods[-self.size :], y=known.y[:, -self.size :])
            return last, last
        stores = np.random.default_rng(draw).permutation(np.unique(known.ids["store_id"]))[: self.size]
        return known.take(np.flatnonzero(known.ids["store_id"].isin(stores))), known


class Held(InMemory):
    """All windows at hand, and those of the weeks held back."""

    def __init__(self, windows: Batch, held: Batch, seed: int) -> None:
        super().__init__(windows, seed)
        self.held = held

    def validation(self) -> Iterable[Batch]:
        return [self.held]

    def sample(self, count: int, seed: int) -> "Held":
        rows = np.sort(np.random.default_rng(seed).permutation(self.total)[:count])
        return Held(map_batch(lambda values: values[rows], self.windows), self.held, seed)


def windows_of(learn: Panel, words: dict[str, list[str]], seed: int) -> Held:
    weeks = learn.y.shape[1]
    first = FIRST_ORIGIN if weeks >= SEASONS_KNOWN else weeks // 3
    plan = replace(PLANS["walmart"], first_origin=first)
    held = make_windows(learn, weeks - HORIZON, HORIZON)
    codes = encode(learn.ids, words)[held.series]
    batch = Batch(network_inputs(held, codes), held.y, held.scale / held.scale.mean())
    return Held(training_windows(learn.until(weeks - HORIZON), words, plan, seed), batch, seed)


def from_scratch(data: Held, wanted: Design, seed: int) -> tuple[Design, keras.Model, list[Epoch]]:
    network = make_network(wanted, seed)
    return wanted, network, train(network, loss_sums, data, replace(SCRATCH, seed=seed), Alone())


def transferred(base: Forecaster, data: Held, wanted: Design, seed: int) -> tuple[Design, keras.Model, list[Epoch]]:
    passes = replace(PASSES, frozen=replace(PASSES.frozen, seed=seed), tuning=replace(PASSES.tuning, seed=seed))
    return transfer(base, wanted, data.sample(WINDOWS, seed), passes, Alone())


def compare(base: Forecaster, panel: Panel, cutoff: int, share: Share, draw: int) -> dict[str, Any]:
    """One draw: WAPE of the median, seconds and epochs of either side."""
    learn, read = share.of(panel.until(cutoff), draw)
    words = {name: sorted(learn.ids[name].unique()) for name in IDENTITIES}
    wanted = replace(DESIGN, sizes=tuple(len(known) + 1 for known in words.values()))
    data, y = windows_of(learn, words, draw), ahead(panel, cutoff)
    row: dict[str, Any] = {"kind": share.kind, "size": share.size, "draw": draw, "windows": data.total}
    sides = {
        "scratch": lambda: from_scratch(data, wanted, draw),
        "transferred": lambda: transferred(base, data, wanted, draw),
    }
    for side, teach in sides.items():
        started = time.process_time()
        design, network, epochs = teach()
        row[f"{side}_seconds"], row[f"{side}_epochs"] = time.process_time() - started, len(epochs)
        made = Forecaster(design, network, words, bool((learn.y >= 0).all()), "US")
        row[f"{side}_wape"] = wape(y, made.predict(read, read.y.shape[1])[..., MIDDLE])
        row[f"{side}_validation"] = min(epoch.validation for epoch in epochs)
    return row


def summarise(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a share: mean WAPE of either side, by how much the transferred one is lower, and its part of the time."""
    frame = pd.DataFrame(rows)
    frame["lower"] = 1 - frame["transferred_wape"] / frame["scratch_wape"]
    frame["time"] = frame["transferred_seconds"] / frame["scratch_seconds"]
    by_share = frame.groupby(["kind", "size"], sort=False)
    mean = by_share[
        ["scratch_wape", "transferred_wape", "lower", "time", "scratch_epochs", "transferred_epochs"]
    ].mean()
    draws, spread = by_share.size(), by_share["lower"].std()
    half = stats.t.ppf(0.975, draws - 1) * spread / np.sqrt(draws)
    return mean.assign(draws=draws, lower_from=mean["lower"] - half, lower_to=mean["lower"] + half).reset_index()


def chain(seed: int) -> pd.DataFrame:
    """Region x vendor, weeks from Monday on, units: what a generated chain sold in its 79 stores, of four regions. So
    many products and stores together are as steady as a department is."""
    shape = chain_of(seed)
    world, parts = draw_world(shape), []
    for number in range(shape.blocks):
        seen = course(world, world.block(number))
        weekly = seen.sold.reshape(shape.weeks, 7, -1).sum(axis=1).T
        vendor = seen.products["vendor"].to_numpy()[seen.pairs["product"]]
        region = seen.pairs["store"].to_numpy() % REGIONS
        names = {"store_id": [f"{seed}-{name}" for name in region], "item_id": [f"{seed}-{name}" for name in vendor]}
        parts.append(pd.DataFrame(weekly).assign(**names))
    return pd.concat(parts).groupby(["store_id", "item_id"]).sum()


def chain_of(seed: int) -> Chain:
    return load_chain("bench", seed=seed).model_copy(update={"products": 2000, "vendors": 60})


def chains() -> Panel:
    """Several companies, unlike in what sells, grows and when: what holds for all of them holds for another one."""
    summed = pd.concat([chain(seed) for seed in SEEDS])
    summed = summed[summed.gt(0).sum(axis=1) >= HORIZON]
    shape = chain_of(SEEDS[0])
    periods = np.datetime64(shape.first_day, "D") + 7 * np.arange(shape.weeks)
    return Panel(summed.index.to_frame(index=False), periods, summed.to_numpy(dtype=np.float64), season=52)


REGIONS, SEEDS = 4, (load_chain("bench").seed, 1, 2, 3)
BASES = {"departments": PANELS["departments"], "categories": PANELS["categories"], "chains": chains}
# As Walmart's own network is trained, but for longer and from the first weeks on: a company of few weeks knows no
# season either.
CHAINS_PLAN = replace(PLANS["walmart"], first_origin=40, recipe=replace(PLANS["walmart"].recipe, epochs=12))
BASE_PLANS: dict[str, Plan] = {**PLANS, "chains": CHAINS_PLAN}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", choices=BASES, default="chains")
    parser.add_argument("--stores", type=int, nargs="*", default=[3, 5, 12, 45])
    parser.add_argument("--weeks", type=int, nargs="*", default=[26, 39, 52, 135])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--cutoff", type=int, default=135, help="weeks known; others than the last to choose settings")
    parser.add_argument("--out", type=Path, help="write what was measured as JSON")
    flags = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    started = time.process_time()
    base = fit(BASES[flags.base](), BASE_PLANS[flags.base], seed=1, named=False)
    print(f"base {flags.base}: {time.process_time() - started:.0f} s", flush=True)
    shares = [Share("stores", size) for size in flags.stores] + [Share("weeks", size) for size in flags.weeks]
    panel, rows = walmart(), []
    for share in shares:
        for draw in range(flags.draws):
            rows.append(compare(base, panel, flags.cutoff, share, draw))
            told = {name: round(value, 4) if isinstance(value, float) else value for name, value in rows[-1].items()}
            print(f"  {told}", flush=True)
    summary = summarise(rows)
    print(summary.to_string(index=False, float_format="{:.4f}".format))
    if flags.out:
        result = {"base": flags.base, "cutoff": flags.cutoff, "rows": rows, "summary": summary.to_dict("records")}
        flags.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
