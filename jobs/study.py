"""study: clean/* -> features/study_rows, forecasts/study_*, models/study_models; prints the study's table"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import study


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", study.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
