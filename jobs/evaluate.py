"""evaluate: forecasts/backtests, models/registry -> forecasts/metrics, models/leaderboard"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import evaluate


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", evaluate.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
