"""fine_tune_stores: features/*, models/network_registry -> models/store_heads, forecasts/store_backtests,
models/store_registry

Then what `evaluate` writes: the leaderboard, with the stores' heads on it.
"""

import sys

from shelfcast.command import run
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, fine_tune_stores


def fine_tune_and_evaluate(runner: Runner) -> None:
    with runner.lease:
        for step in (fine_tune_stores, evaluate):
            runner.run(step.job(runner.config))


def main(argv: list[str]) -> int:
    return run(__doc__ or "", fine_tune_and_evaluate, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
