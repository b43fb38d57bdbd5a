"""transfer: features/*, another company's network -> features/transfer_windows, forecasts/transfer_backtests,
models/transfer_registry

Then what `evaluate` writes: the leaderboard, with the transferred networks on it.
"""

import sys

from shelfcast.command import run
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, transfer


def transfer_and_evaluate(runner: Runner) -> None:
    with runner.lease:
        for step in (transfer, evaluate):
            runner.run(step.job(runner.config))


def main(argv: list[str]) -> int:
    return run(__doc__ or "", transfer_and_evaluate, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
