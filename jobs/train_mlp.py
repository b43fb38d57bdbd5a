"""train_mlp: features/* -> features/windows, forecasts/network_backtests, models/network_registry

Then what `evaluate` writes: the leaderboard, with the networks on it.
"""

import sys

from shelfcast.command import run
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, train_mlp


def train_and_evaluate(runner: Runner) -> None:
    with runner.lease:
        for step in (train_mlp, evaluate):
            runner.run(step.job(runner.config))


def main(argv: list[str]) -> int:
    return run(__doc__ or "", train_and_evaluate, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
