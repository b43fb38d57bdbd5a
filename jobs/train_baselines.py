"""train_baselines: features/* -> forecasts/backtests, models/registry"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import train_baselines


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", train_baselines.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
