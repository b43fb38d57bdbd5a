"""insights: demand, errors and the plan of the day -> inventory/segments, insights/*"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import insights


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", insights.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
