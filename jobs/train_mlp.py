"""train_mlp: features/* -> features/windows, forecasts/network_backtests, models/network_registry

Then what `evaluate` writes: the leaderboard, with the networks on it.
"""

import sys

from shelfcast.command import run_jobs
from shelfcast.steps import evaluate, train_mlp


def main(argv: list[str]) -> int:
    return run_jobs(__doc__ or "", (train_mlp.job, evaluate.job), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
