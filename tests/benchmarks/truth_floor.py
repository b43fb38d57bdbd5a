"""How near any forecast could come to the true mean on the chains of known_truth.py: what promotions ahead alone cost.

    python tests/benchmarks/truth_floor.py [--seeds 20011 8191 65537] [--out FILE.json]

No file tells of promotions before their first sale. A forecaster that knew all else for certain, the true mean of each
week but for them, would be off by so much, as a share of how far seasonal naive is: in the twelve weeks of the
backtest, of the series that had sold in eight weeks.
"""

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd
from commandline import make_parser, write_json
from known_truth import make_chain
from scores import share_of_naive_rmse

from shelfcast.generator import demand
from shelfcast.generator.calibration import calibrated, measure
from shelfcast.generator.world import World, course, draw_world
from shelfcast.history import selling_weeks
from shelfcast.models.statistical import seasonal_naive
from shelfcast.panel import FloatArray, Panel

CUTOFFS, HORIZON, LEAST_WEEKS = (118, 122, 126), 4, 8
NOT_TOLD = {"promotion", "cannibalised"}


def by_week(daily: FloatArray) -> FloatArray:
    return daily.reshape(-1, 7, daily.shape[1]).sum(axis=1).T


def block_weeks(world: World, number: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What sold, its true mean, and that without promotions: units, shape (pairs, weeks)."""
    seen = course(world, world.block(number))
    told = [[effect for effect in effects if effect.kind not in NOT_TOLD] for effects in seen.products["effects"]]
    plain = seen.products.assign(effects=pd.Series(told, index=seen.products.index))
    without = demand.mean_demand(seen.pairs, world.stores, plain, seen.days)
    return by_week(seen.sold.astype(np.float64)), by_week(seen.mean), by_week(without)


def floor(seed: int) -> float:
    chain = make_chain(seed)

    def measure_all(world: World) -> Any:
        return reduce(add, (measure(world, number) for number in range(chain.blocks)))

    world = calibrated(draw_world(chain), measure_all)
    blocks = [block_weeks(world, number) for number in range(chain.blocks)]
    sold, true, without = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    known = slice(None, CUTOFFS[0])
    said = without * true[:, known].sum() / without[:, known].sum()
    parts = []
    for cutoff in CUTOFFS:
        y = np.where(np.cumsum(sold > 0, axis=1) > 0, sold, np.nan)[:, :cutoff]
        rows = np.flatnonzero(selling_weeks(y)[:, -1] >= LEAST_WEEKS)
        ids = pd.DataFrame({"item_id": rows.astype(str)})
        naive = seasonal_naive(Panel(ids, np.arange(cutoff), y[rows], 52), HORIZON)
        ahead = slice(cutoff, cutoff + HORIZON)
        parts.append(np.stack([true[rows, ahead], said[rows, ahead], naive]))
    return share_of_naive_rmse(*np.concatenate(parts, axis=1))


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[20011, 8191, 65537])
    flags = parser.parse_args()
    found = {seed: floor(seed) for seed in flags.seeds}
    for seed, share in found.items():
        print(f"seed {seed}: {share:.4f}")
    write_json({str(seed): share for seed, share in found.items()}, flags.out)


if __name__ == "__main__":
    main()
