"""The plan replayed on generated chains beside other rules, and beside the best that (s, S) policies can do.

    python tests/benchmarks/replayed_chains.py [--seeds 101 202 303 404 505] [--items 500] [--draws 3] [--out FILE.json]

For each seed a chain as conf/chains/bench.yaml describes it, but of 10 stores and 100 products, is made in memory: what
sold until a week is known, one fit per 13 weeks, orders every week, the last 26 weeks counted. Each
rule is swept by its own parameter and the curves are compared by interpolation; the figure of a seed is the mean over
`--draws` of lead times, its interval is Student's t over seeds. Then `--items` of the series are replayed without
packs, and beside them the (s, S) policy of each that costs least under the true distribution of its demand. The seeds
of development were 27 and 4711.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from best_policies import TrueDays, best_policies
from chain_in_memory import CUTOFFS, FILL, InMemory, make, small_bench
from commandline import make_parser, write_json
from scipy.special import stdtrit

from shelfcast.inventory.gains import MEASURES, shares
from shelfcast.inventory.planner import lead_times_of
from shelfcast.inventory.replay import replay, score
from shelfcast.inventory.replayer import LONGEST, SUMS, Replayer

PARAMETERS = {
    "probabilistic": (0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995),
    "min_max": (10.0, 14.0, 18.0, 21.0, 28.0, 35.0, 42.0, 56.0),
    "seasonal_normal": (0.7, 0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999),
    "as_before": (0.4, 0.6, 0.8, 1.0, 1.3, 1.7),
    "least_cost": (0.1, 0.25, 0.5, 1.0, 2.0),
}
UNLIMITED = 100_000
GAPS = (7.0, 14.0, 21.0, 28.0, 42.0)
WANTED = {"short_days at equal stock": 0.30, "stock at equal fill_rate": 0.15, "cost over the optimum": 0.10}


def replayer_of(chain: InMemory, draws: int) -> Replayer:
    """As conf/tiny.yaml has it."""
    common = {"order_cost": 2.0, "holding_rate": 0.25, "max_cover_days": 28, "samples": 500, "seed": 27}
    common |= {"level_variance": chain.level_variance, "lasting_variance": chain.lasting_variance}
    replayer = Replayer(chain.weeks, CUTOFFS[1:], chain.first, FILL, 52, 7, draws, PARAMETERS, {}, **common)
    tuned = replayer.tune_bucket(chain.rows, GAPS)
    cheapest = tuned.loc[tuned.groupby("cover")["cost"].idxmin()]
    return replace(replayer, gaps=dict(zip(cheapest["cover"], cheapest["gap"], strict=True)))


def replayed(replayer: Replayer, rows: pd.DataFrame) -> pd.DataFrame:
    """The curves: a row a rule, parameter and draw."""
    found = replayer.replay_bucket(rows).groupby(["rule", "parameter", "seed"], as_index=False)[[*SUMS]].sum()
    return found.assign(
        fill_rate=found["served"] / found["wanted"],
        short_days=found["short_days"] / found["series_days"],
        stock=found["stock_days"] / found["series_days"],
        cost=found["holding"] + found["ordering"] + found["lost_margin"],
    )


def saved(curves: pd.DataFrame) -> dict[str, float]:
    """What the plan saves beside each other rule, the mean over the draws of lead times."""
    others = sorted(set(curves["rule"]) - {"probabilistic", "least_cost"})
    return {
        f"{other}: {what} at equal {given}": float(np.nanmean([*shares(curves, other, given, what)]))
        for other in others
        for given, what in MEASURES
    }


def calibrated(replayer: Replayer, rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Of demand over lead time and review period, the shares below and at most each stated quantile."""
    found = replayer.calibrate_bucket(rows).groupby("level")[["rows", "at_most", "below"]].sum()
    return {str(level): (of["below"] / of["rows"], of["at_most"] / of["rows"]) for level, of in found.iterrows()}


def costs(replayer: Replayer, rows: pd.DataFrame, truth: TrueDays) -> dict[str, float]:
    """Of each rule at its cheapest, and of the best (s, S) policies: money. Without packs, and without a limit of days
    that an order covers: the best policies know neither."""
    rows, replayer = rows.assign(pack=1.0), replace(replayer, max_cover_days=UNLIMITED)
    cost = replayed(replayer, rows).groupby(["rule", "parameter"])["cost"].mean()
    return {
        **{str(rule): float(of.min()) for rule, of in cost.groupby("rule")},
        "optimum": optimum(replayer, rows, truth),
    }


def optimum(replayer: Replayer, rows: pd.DataFrame, truth: TrueDays) -> float:
    """What the best (s, S) policies cost on the demand that came, the mean over the draws of lead times."""
    leads = lead_times_of(rows, np.full(len(rows), LONGEST))
    levels = best_policies(replayer, rows, leads, truth)
    wanted = (replayer.dense(rows["sold"]) + replayer.dense(rows["lost"]))[7 * replayer.first :]
    cost = rows["unit_cost"].to_numpy(dtype=np.float64)
    margin = np.maximum(rows["price"].to_numpy(dtype=np.float64) - cost, 0.0)
    totals = []
    for seed in range(replayer.seeds):
        shop = replayer.shop(rows, wanted, leads, (0, 0, seed))
        outcome = replay(shop, [levels] * (len(wanted) // 7), replayer.warm_up)
        days = len(wanted) - 7 * replayer.warm_up
        sums = score(outcome, days, cost, margin, replayer.order_cost, replayer.holding_rate)
        totals.append(sums["holding"] + sums["ordering"] + sums["lost_margin"])
    return float(np.mean(totals))


def measure(seed: int, items: int, draws: int) -> dict[str, Any]:
    chain = make(small_bench(seed))
    replayer = replayer_of(chain, draws)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(chain.rows))[:items])
    some = chain.rows.iloc[chosen].reset_index(drop=True)
    truth = TrueDays(chain.truth.mean[:, chosen], chain.truth.visit[chosen], chain.truth.dispersion[chosen])
    curves = replayed(replayer, chain.rows)
    means = curves.groupby(["rule", "parameter"])[["fill_rate", "short_days", "stock", "cost"]].mean()
    return {
        "series": len(chain.rows),
        "ensemble": chain.ensemble,
        "level_variance": chain.level_variance,
        "lasting_variance": chain.lasting_variance,
        "curves": means.round(5).reset_index().to_dict("records"),
        "saved": saved(curves),
        "calibration": calibrated(replayer, chain.rows),
        "costs": costs(replayer, some, truth),
    }


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval of Student's t over seeds."""
    found = np.asarray(values)
    reach = stdtrit(len(found) - 1, 0.975) * found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else math.nan
    return float(found.mean()), float(found.mean() - reach), float(found.mean() + reach)


def show(found: Mapping[int, dict[str, Any]]) -> dict[str, tuple[float, float, float]]:
    """Prints each figure with its interval over seeds, and those of the seeds behind it."""
    first = next(iter(found.values()))
    figures = {name: [one["saved"][name] for one in found.values()] for name in first["saved"]}
    for rule in first["costs"]:
        figures[f"{rule}: cost over the optimum"] = [one["costs"][rule] / one["costs"]["optimum"] - 1
                                                     for one in found.values()]  # fmt: skip
    for level in first["calibration"]:
        figures |= {f"{level}: {name}": [one["calibration"][level][place] for one in found.values()]
                    for place, name in enumerate(("below", "at most"))}  # fmt: skip
    intervals = {name: interval(values) for name, values in figures.items()}
    for name, values in figures.items():
        mean, low, high = intervals[name]
        print(f"{name:46s} {mean:+.3f} [{low:+.3f}, {high:+.3f}]  " + " ".join(f"{value:+.3f}" for value in values))
    return intervals


def main() -> None:
    parser = make_parser(__doc__, items=500, draws=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 202, 303, 404, 505])
    flags = parser.parse_args()
    found: dict[int, dict[str, Any]] = {}
    for seed in flags.seeds:
        started = time.perf_counter()
        found[seed] = measure(seed, flags.items, flags.draws)
        print(f"seed {seed}: {found[seed]['series']} series, {found[seed]['ensemble']}, "
              f"{time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip
        intervals = show(found)
        write_json({"wanted": WANTED, "intervals": intervals, "seeds": found}, flags.out)


if __name__ == "__main__":
    main()
