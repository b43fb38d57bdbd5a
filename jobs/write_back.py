"""write_back: monitoring/publications, forecasts/demand, inventory/orders -> a database's tables, as published"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import write_back


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", write_back.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
