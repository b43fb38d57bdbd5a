"""The network on the reference panels, over four windows of eight weeks, beside our baselines or the usual tools.

    python tests/benchmarks/mlp_backtest.py departments|categories|walmart [--seeds 1 2 3] [--kind mlp|lstm] [--tools]
        [--cutoffs N ...] [--parts FOLDER] [--minutes N] [--out FILE.json]

The settings in panel_networks.py, and those of LightGBM, were chosen at cutoffs whose windows end before the first test
window begins (`--cutoffs` shows those). The ensemble is the average of the seeds' networks. The difference of its
median in WAPE and of its mean in RMSE from each tool comes with its 95 % interval over stores. Each forecast is a file
of its own in the folder of parts: after `--minutes` no further one is begun, and the same command goes on from there.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from commandline import make_parser, write_json
from panel_networks import TEST_PLANS, Plan, fit, plan_at
from parts import AGAIN, Parts, TimeIsUpError
from peers import BOOSTERS, LOSSES, PEERS, SIMPLE, Booster, boosted_forecast, simple_forecasts
from reference_backtest import HORIZON, ahead, compare, measure, show
from reference_panels import PANELS, WALMART, is_there, planned_weeks
from scores import covered, kept_quantiles

from shelfcast.code import code_version
from shelfcast.metrics import rmse, wape
from shelfcast.models.mlp.network import MIDDLE, QUANTILES
from shelfcast.panel import FloatArray, Panel

# LightGBM's threads wait for one another at every split: on busy cores several take far longer than one.
THREADS = 1


@dataclass(frozen=True)
class Backtest:
    """The forecasts of one panel, in parts. kind: of the network."""

    name: str
    panel: Panel
    parts: Parts
    kind: str

    def network(self, cutoff: int, seed: int) -> FloatArray:
        """All that a seed's network says after `cutoff` weeks, shape (n, HORIZON, QUANTILES and the mean)."""
        plan, known = plan_at(self.name, cutoff), self.panel.until(cutoff)
        plan = replace(plan, design=replace(plan.design, kind=self.kind))
        code = [code_version(f"shelfcast.{module}") for module in ("models.mlp.forecaster", "training.loop")]
        settings = (plan.first_origin, plan.share, plan.design, plan.recipe, code)
        make = partial(_predict, known, plan, seed, cutoff)
        return self.parts.get(f"{self.name}-{cutoff}-{self.kind}-{seed}", settings, make)

    def tools(self, cutoff: int) -> tuple[dict[str, FloatArray], dict[str, Booster]]:
        """What each of PEERS says, shape (n, HORIZON), and how LightGBM was set."""
        names = "-".join(SIMPLE)
        make = partial(_stacked, self.panel.until(cutoff))
        simple = self.parts.get(f"{self.name}-{cutoff}-simple", names, make)
        chosen = {name: self._chosen(name, plan_at(self.name, cutoff).choose[-1]) for name in LOSSES}
        boosted = {name: self._boosted(cutoff, name, booster) for name, booster in chosen.items()}
        return boosted | dict(zip(SIMPLE, simple, strict=True)), chosen

    def _chosen(self, name: str, cutoff: int) -> Booster:
        """The settings that had the least error of the kind that they minimise, in an earlier window."""
        error = wape if LOSSES[name] == "l1" else rmse
        y = ahead(self.panel, cutoff)
        return min(BOOSTERS, key=lambda booster: error(y, self._boosted(cutoff, name, booster)))

    def _boosted(self, cutoff: int, name: str, booster: Booster) -> FloatArray:
        planned = planned_weeks(self.name)
        make = partial(boosted_forecast, self.panel.until(cutoff), HORIZON, THREADS, name, booster, planned)
        return self.parts.get(f"{self.name}-{cutoff}-{name}", (booster, sorted(planned)), make)


def _predict(known: Panel, plan: Plan, seed: int, cutoff: int) -> FloatArray:
    return fit(known, plan, seed).predict(known, cutoff)


def _stacked(known: Panel) -> FloatArray:
    return np.stack(list(simple_forecasts(known, HORIZON).values()))


def with_ensemble(said: Mapping[int, FloatArray], known: Panel) -> dict[str, FloatArray]:
    """What each seed's network says and their average, (n, HORIZON, QUANTILES and the mean): a quantile of counts is
    one."""
    average = np.mean(list(said.values()), axis=0)
    if (known.y % 1 == 0).all():
        average[..., : len(QUANTILES)] = np.round(average[..., : len(QUANTILES)])
    return {f"seed {seed}": one for seed, one in said.items()} | {"ensemble": average}


def run(test: Backtest, cutoffs: Sequence[int], seeds: Sequence[int], tools: bool) -> dict[str, Any]:
    panel, scored, quantiles, boosters = test.panel, {}, {}, {}
    for cutoff in cutoffs:
        named = with_ensemble({seed: test.network(cutoff, seed) for seed in seeds}, panel.until(cutoff))
        scored[cutoff] = {f"mean, {name}": said[..., -1] for name, said in named.items()}
        scored[cutoff] |= {f"median, {name}": said[..., MIDDLE] for name, said in named.items()}
        quantiles[cutoff] = calibrated(ahead(panel, cutoff), named["ensemble"])
        if tools:
            others, chosen = test.tools(cutoff)
            scored[cutoff] |= others
            boosters[cutoff] = {name: asdict(booster) for name, booster in chosen.items()}
    found = compare(panel, scored, "median, ensemble", "mean, ensemble") if tools else measure(panel, scored)
    told = {"panel": test.name, "seeds": list(seeds), "boosters": boosters, "quantiles": quantiles}
    return found | told | {"champion": "median, ensemble"}


def calibrated(y: FloatArray, said: FloatArray) -> dict[str, Any]:
    """How the quantiles keep their word, and the interval from p10 to p90 of large forecasts."""
    large, share = covered(y, said[..., 0], said[..., QUANTILES.index(0.9)], said[..., -1])
    return kept_quantiles(y, said, QUANTILES) | {"large": large, "covered": share}


def _show_quantiles(quantiles: Mapping[int, Mapping[str, Any]]) -> None:
    for cutoff, told in quantiles.items():
        for name, found in ((name, found) for name, found in told.items() if isinstance(found, dict)):
            shares = f"{found['below']:.3f} to {found['at_most']:.3f}" + ("" if found["kept"] else ": not kept")
            print(f"  after {cutoff}, {name}: pinball {found['pinball']:.4f}, demand below it {shares}")
        print(f"  after {cutoff}, p10 to p90 of {told['large']:,} forecasts of 20 or more: {told['covered']:.3f}")


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("panel", choices=PANELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kind", choices=["mlp", "lstm"], default="mlp")
    parser.add_argument("--cutoffs", type=int, nargs="+", help="other than the origins of the settings")
    parser.add_argument("--tools", action="store_true", help=f"beside {', '.join(PEERS)}")
    parser.add_argument("--parts", type=Path, default=Path("build/bench/parts"), help="where forecasts are kept")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no further forecast is begun")
    flags = parser.parse_args()
    if not is_there(flags.panel):
        parser.exit(0, f"walmart: left out, {WALMART} is not there; SHELFCAST_TEST_DATA names the folder\n")
    cutoffs = flags.cutoffs or [cutoff for plan in TEST_PLANS[flags.panel] for cutoff in plan.origins]
    test = Backtest(flags.panel, PANELS[flags.panel](), Parts(flags.parts, flags.minutes), flags.kind)
    try:
        result = run(test, cutoffs, flags.seeds, flags.tools)
    except TimeIsUpError as stopped:
        sys.stderr.write(f"{stopped}\n")
        sys.exit(AGAIN)
    _show_quantiles(result["quantiles"])
    show(result)
    write_json(result, flags.out)


if __name__ == "__main__":
    main()
