"""fine_tune_stores: features/*, models/network_registry -> models/store_heads, forecasts/store_backtests,
models/store_registry

Then what `evaluate` writes: the leaderboard, with the stores' heads on it.
"""

import sys

from shelfcast.command import run_jobs
from shelfcast.steps import evaluate, fine_tune_stores


def main(argv: list[str]) -> int:
    return run_jobs(__doc__ or "", (fine_tune_stores.job, evaluate.job), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
