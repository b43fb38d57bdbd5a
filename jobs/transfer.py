"""transfer: features/*, another company's network -> features/transfer_windows, forecasts/transfer_backtests,
models/transfer_registry

Then what `evaluate` writes: the leaderboard, with the transferred networks on it.
"""

import sys

from shelfcast.command import run_jobs
from shelfcast.steps import evaluate, transfer


def main(argv: list[str]) -> int:
    return run_jobs(__doc__ or "", (transfer.job, evaluate.job), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
