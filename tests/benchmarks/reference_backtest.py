"""Our baselines against the usual tools on the reference panels, over the last three windows of eight weeks.

    python tests/benchmarks/reference_backtest.py departments|categories|walmart [--out FILE.json] [--threads N]

Whatever is chosen (the champion, the ensemble's weights) is chosen on windows that end before the first test window
begins, and then stays. The champion's difference in WAPE from each tool comes with its 95 % interval over stores; the
best tool is the best in hindsight.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from commandline import make_parser, write_json
from peers import PEERS, peer_forecasts
from reference_panels import PANELS, WALMART, is_there
from scores import combine, paired_bootstrap, paired_rmse
from threadpoolctl import threadpool_limits

from shelfcast.features import known_targets, make_examples, share_of
from shelfcast.metrics import bias, rmse, wape
from shelfcast.models import sklearn_models, statistical
from shelfcast.models.encoder import fit_encoder
from shelfcast.models.ensemble import select_weights
from shelfcast.panel import FloatArray, Panel

HORIZON = 8
SEED = 27
STATISTICAL: dict[str, Callable[[Panel, int], FloatArray]] = {
    "zero": statistical.zero,
    "naive": statistical.naive,
    "moving_average": statistical.moving_average,
    "moving_median": statistical.moving_median,
    "exponential_smoothing": statistical.exponential_smoothing,
    "croston": statistical.croston,
    "tsb": statistical.tsb,
}
SEASONAL: dict[str, Callable[[Panel, int], FloatArray]] = {
    "seasonal_naive": statistical.seasonal_naive,
    "seasonal_growth": statistical.seasonal_growth,
    "seasonal_pool": statistical.seasonal_pool,
    "seasonal_blend": statistical.seasonal_blend,
}
GLOBAL = ("linear", "lasso", "random_forest", "hist_gradient_boosting", "hist_gradient_boosting_median")
Forecasts = dict[str, FloatArray]


@dataclass(frozen=True)
class Plan:
    """choose: cutoffs whose windows choose; first_origin: the oldest origin to learn from; rows: examples to learn
    from."""

    choose: tuple[int, ...]
    first_origin: int
    rows: int
    models: dict[str, Callable[[Panel, int], FloatArray]]


PLANS = {
    "departments": Plan((12, 20), 4, 60_000, STATISTICAL),
    "categories": Plan((12, 20), 4, 150_000, STATISTICAL),
    # A year is known from the 57th week on, and four weeks to compare with it.
    "walmart": Plan((79, 87, 95, 103, 111), 57, 100_000, STATISTICAL | SEASONAL),
}


def our_forecasts(panel: Panel, cutoff: int, plan: Plan, seconds: dict[str, float]) -> Forecasts:
    """The forecasts of every model of the plan after `cutoff` weeks, shape (n, HORIZON); adds each one's seconds."""
    known, made = panel.until(cutoff), {}
    for name, model in plan.models.items():
        with _timed(seconds, name):
            made[name] = model(known, HORIZON)
    with _timed(seconds, "examples"):
        origins = range(plan.first_origin, cutoff)
        share = share_of(plan.rows, len(known) * known_targets(cutoff, origins, HORIZON))
        train = make_examples(known, origins, HORIZON, share, SEED)
        ahead = make_examples(known, [cutoff], HORIZON)
        encoder = fit_encoder(train)
    for name in GLOBAL:
        with _timed(seconds, name):
            fitted = sklearn_models.fit(name, train, encoder, SEED)
            made[name] = sklearn_models.predict(fitted, ahead).reshape(len(panel), HORIZON)
    return made


def with_ensemble(forecasts: Forecasts, weights: dict[str, float], counts: bool) -> Forecasts:
    return forecasts | {"ensemble": combine(forecasts, weights, counts)}


def choose(panel: Panel, past: dict[int, Forecasts], counts: bool) -> tuple[str, dict[str, float], dict[str, float]]:
    """The champion, the ensemble's weights for the time to come, and each model's WAPE in the window that chose.

    The last window of `past` chooses the champion, with an ensemble of the windows before it; then all of them give
    weights.
    """
    *earlier, last = sorted(past)
    candidates = with_ensemble(past[last], _weights(panel, past, earlier), counts)
    scores = {name: wape(ahead(panel, last), values) for name, values in sorted(candidates.items())}
    return min(scores, key=lambda name: scores[name]), _weights(panel, past, sorted(past)), scores


def _weights(panel: Panel, past: dict[int, Forecasts], cutoffs: Sequence[int]) -> dict[str, float]:
    stacked = {name: np.concatenate([past[cutoff][name] for cutoff in cutoffs]) for name in past[cutoffs[0]]}
    return select_weights(np.concatenate([ahead(panel, cutoff) for cutoff in cutoffs]), stacked)


def ahead(panel: Panel, cutoff: int) -> FloatArray:
    """What came true in the window after `cutoff`."""
    return panel.y[:, cutoff : cutoff + HORIZON]


def run(name: str, threads: int) -> dict[str, Any]:
    """All that is measured on one panel, as numbers and names."""
    panel, plan, seconds = PANELS[name](), PLANS[name], dict[str, float]()
    weeks = len(panel.periods)
    tests = [weeks - HORIZON * back for back in (3, 2, 1)]
    counts = bool((panel.y >= 0).all() and (panel.y % 1 == 0).all())
    past = {cutoff: our_forecasts(panel, cutoff, plan, {}) for cutoff in plan.choose}
    champion, weights, chosen_by = choose(panel, past, counts)
    scored = {}
    for cutoff in tests:
        scored[cutoff] = with_ensemble(our_forecasts(panel, cutoff, plan, seconds), weights, counts)
        with _timed(seconds, "the usual tools"):
            scored[cutoff] |= peer_forecasts(panel.until(cutoff), HORIZON, threads)
    result = compare(panel, scored, champion)
    return result | {
        "panel": name,
        "champion": champion,
        "weights": weights,
        "chosen_by": chosen_by,
        "seconds_per_cutoff": {model: round(total / len(tests), 2) for model, total in seconds.items()},
    }


def measure(panel: Panel, scored: dict[int, Forecasts]) -> dict[str, Any]:
    """WAPE, RMSE and bias of each model, by window and over all of them."""
    cutoffs = sorted(scored)
    names = {"wape": wape, "rmse": rmse, "bias": bias}
    windows = [(ahead(panel, cutoff), scored[cutoff]) for cutoff in cutoffs] + [_joined(panel, scored)]
    models = list(scored[cutoffs[0]])
    told = {key: {m: [metric(y, made[m]) for y, made in windows] for m in models} for key, metric in names.items()}
    return told | {"cutoffs": cutoffs, "champion_less": {}}


def compare(panel: Panel, scored: dict[int, Forecasts], champion: str, of_means: str = "") -> dict[str, Any]:
    """As `measure`, and the champion less each tool, over stores: in WAPE, and in RMSE that `of_means`, by default the
    same."""
    y, joined = _joined(panel, scored)
    stores = np.tile(panel.ids["store_id"].to_numpy(dtype=str), len(scored))
    means = joined[of_means or champion]
    return measure(panel, scored) | {
        "best_tool": min(PEERS, key=lambda name: wape(y, joined[name])),
        "champion_less": {name: paired_bootstrap(y, joined[champion], joined[name], stores, SEED) for name in PEERS},
        "champion_rmse_less": {name: paired_rmse(y, means, joined[name], stores, SEED) for name in PEERS},
    }


def _joined(panel: Panel, scored: dict[int, Forecasts]) -> tuple[FloatArray, Forecasts]:
    """What came in all windows, and what each model said of it."""
    cutoffs = sorted(scored)
    y = np.concatenate([ahead(panel, cutoff) for cutoff in cutoffs])
    return y, {name: np.concatenate([scored[cutoff][name] for cutoff in cutoffs]) for name in scored[cutoffs[0]]}


def show(result: dict[str, Any]) -> None:
    windows = " ".join(f"after {cutoff:>3}" for cutoff in result["cutoffs"])
    print(f"{result['panel']}: champion {result['champion']}, weights {result.get('weights', {})}")
    print(f"{'WAPE':32s} {windows}       all  RMSE (last)  RMSE (all)    bias")
    for name, values in sorted(result["wape"].items(), key=lambda item: item[1][-1]):
        mark = "*" if name == result["champion"] else "tool" if name in PEERS else ""
        cells = " ".join(f"{value:9.4f}" for value in values)
        *_, last, of_all = result["rmse"][name]
        print(f"{name:27s} {mark:4s} {cells} {last:12.3f} {of_all:11.3f} {result['bias'][name][-1]:+7.3f}")
    for name, (difference, lower, upper) in result["champion_less"].items():
        of_rmse = "{:+10.3f} [{:+.3f}, {:+.3f}]".format(*result["champion_rmse_less"][name])
        best = "  <- the best tool" if name == result["best_tool"] else ""
        print(f"champion less {name:18s} {difference:+.4f} [{lower:+.4f}, {upper:+.4f}], RMSE {of_rmse}{best}")
    print("seconds a cutoff:", result.get("seconds_per_cutoff", {}))


class _timed:
    """Adds the seconds of its block to `seconds[name]`."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self.seconds, self.name = seconds, name

    def __enter__(self) -> None:
        self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.name] = self.seconds.get(self.name, 0.0) + time.perf_counter() - self.started


def main() -> None:
    parser = make_parser(__doc__, threads=1)
    parser.add_argument("panel", choices=PANELS)
    arguments = parser.parse_args()
    if not is_there(arguments.panel):
        parser.exit(0, f"walmart: left out, {WALMART} is not there; SHELFCAST_TEST_DATA names the folder\n")
    with threadpool_limits(arguments.threads):
        result = run(arguments.panel, arguments.threads)
    show(result)
    write_json(result, arguments.out)


if __name__ == "__main__":
    main()
