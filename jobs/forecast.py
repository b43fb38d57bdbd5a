"""forecast: features/*, demand/*, models/leaderboard -> forecasts/demand, calibration, series_counts"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import forecast


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", forecast.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
