"""The network on the reference panels, over the last three windows of eight weeks, beside our baselines or the usual
tools.

    python tests/benchmarks/mlp_backtest.py departments|categories|walmart [--seeds 1 2 3] [--kind mlp|lstm] [--tools]
        [--cutoffs N ...] [--out FILE.json]

The settings of PLANS were chosen at cutoffs whose windows end before the first test window begins (`--cutoffs` shows
those). The ensemble is the average of the seeds' networks. The difference in WAPE from each tool comes with its 95 %
interval over stores.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from peers import PEERS, peer_forecasts
from reference_backtest import HORIZON, ahead, compare, show
from reference_panels import PANELS

from shelfcast.metrics import bias, pinball, rmse, wape
from shelfcast.models.mlp.forecaster import Forecaster, encode, network_inputs
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import MIDDLE, QUANTILES, Design, make_network
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import FloatArray, Panel
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe, train

IDENTITIES = ("store_id", "item_id")
BATCH = 512


@dataclass(frozen=True)
class Plan:
    """choose: cutoffs that the settings were chosen at. share: of the windows, to learn from."""

    choose: tuple[int, ...]
    first_origin: int
    share: float
    design: Design
    recipe: Recipe


_DESIGN = Design("mlp", HORIZON, (), units=64, blocks=1, dropout=0.1, calendar=False)
_RECIPE = Recipe("adam", epochs=10, learning_rate=0.002, warmup=0.5, weight_decay=1e-4, patience=99, seed=0)
PLANS = {
    "departments": Plan(
        (12, 20), 4, 1.0, replace(_DESIGN, dropout=0.3), replace(_RECIPE, epochs=3, learning_rate=0.001)
    ),
    "categories": Plan((12, 20), 4, 0.5, replace(_DESIGN, dropout=0.2), replace(_RECIPE, epochs=6)),
    "walmart": Plan((95, 103, 111), 57, 1.0, _DESIGN, _RECIPE),
}


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


def fit(known: Panel, plan: Plan, seed: int) -> Forecaster:
    words = {name: sorted(known.ids[name].unique()) for name in IDENTITIES}
    design = replace(plan.design, sizes=tuple(len(found) + 1 for found in words.values()))
    network = make_network(design, seed)
    data = InMemory(training_windows(known, words, plan, seed), seed)
    train(network, loss_sums, data, replace(plan.recipe, seed=seed), Alone())
    return Forecaster(design, network, words, bool((known.y >= 0).all()), "US")


def forecasts(panel: Panel, cutoff: int, plan: Plan, seeds: Sequence[int]) -> dict[str, FloatArray]:
    """The mean and the median of each seed's network and of their average, shape (n, HORIZON), and all that the average
    says, shape (n, HORIZON, QUANTILES and the mean)."""
    known, said = panel.until(cutoff), []
    for seed in seeds:
        started = time.perf_counter()
        said.append(fit(known, plan, seed).predict(known, cutoff))
        print(f"  after {cutoff}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
    named = {f"seed {seed}": one for seed, one in zip(seeds, said, strict=True)} | {"ensemble": np.mean(said, axis=0)}
    counted = bool((known.y % 1 == 0).all())
    made = {}
    for name, one in named.items():
        made[f"mean, {name}"] = one[..., -1]
        made[f"median, {name}"] = np.round(one[..., MIDDLE]) if counted else one[..., MIDDLE]
    return made | {"all": named["ensemble"]}


def run(name: str, plan: Plan, cutoffs: Sequence[int], seeds: Sequence[int], tools: bool) -> dict[str, Any]:
    panel, scored = PANELS[name](), {}
    for cutoff in cutoffs:
        made = forecasts(panel, cutoff, plan, seeds)
        _show_quantiles(ahead(panel, cutoff), made.pop("all"))
        for model, values in made.items():
            y = ahead(panel, cutoff)
            scores = f"WAPE {wape(y, values):.4f}  RMSE {rmse(y, values):.3f}  bias {bias(y, values):+.3f}"
            print(f"  {model:20s} {scores}", flush=True)
        scored[cutoff] = made | (peer_forecasts(panel.until(cutoff), HORIZON, 2) if tools else {})
    result = _compared(panel, scored, tools)
    return result | {"panel": name, "seeds": list(seeds)}


def _compared(panel: Panel, scored: dict[int, dict[str, FloatArray]], tools: bool) -> dict[str, Any]:
    if tools:
        return compare(panel, scored, "median, ensemble") | {"champion": "median, ensemble"}
    y = np.concatenate([ahead(panel, cutoff) for cutoff in scored])
    joined = {name: np.concatenate([made[name] for made in scored.values()]) for name in next(iter(scored.values()))}
    by_window = {name: [wape(ahead(panel, cutoff), scored[cutoff][name]) for cutoff in scored] for name in joined}
    return {
        "cutoffs": list(scored),
        "wape": {name: [*by_window[name], wape(y, values)] for name, values in joined.items()},
        "rmse": {name: rmse(y, values) for name, values in joined.items()},
        "bias": {name: bias(y, values) for name, values in joined.items()},
        "champion_less": {},
    }


def _show_quantiles(y: FloatArray, said: FloatArray) -> None:
    """Of each quantile its pinball loss and the shares of demand strictly below it, and at or below."""
    for place, nominal in enumerate(QUANTILES):
        q = said[..., place]
        shares = f"{(y < q).mean():.3f} to {(y <= q).mean():.3f}"
        print(f"  p{100 * nominal:.0f}: pinball {pinball(y, q, nominal):.4f}, demand below it {shares}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", choices=PANELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kind", choices=["mlp", "lstm"], default="mlp")
    parser.add_argument("--cutoffs", type=int, nargs="+", help="other than those of the last three windows")
    parser.add_argument("--tools", action="store_true", help=f"beside {', '.join(PEERS)}")
    parser.add_argument("--out", type=Path, help="write what was measured as JSON")
    flags = parser.parse_args()
    plan = PLANS[flags.panel]
    plan = replace(plan, design=replace(plan.design, kind=flags.kind))
    weeks = {"walmart": 143}.get(flags.panel, 52)
    cutoffs = flags.cutoffs or [weeks - HORIZON * back for back in (3, 2, 1)]
    result = run(flags.panel, plan, cutoffs, flags.seeds, flags.tools)
    show({"champion": "", "weights": {}, "best_tool": "", "seconds_per_cutoff": {}} | result)
    if flags.out:
        flags.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
