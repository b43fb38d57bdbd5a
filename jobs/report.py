"""report: every table -> reports/{region}/index.html, reports/index.html, monitoring/publications"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import report


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", report.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
