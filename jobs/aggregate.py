"""aggregate: clean/sales, products, stock, purchases -> demand/daily, weekly, monthly, series, availability"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import aggregate


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", aggregate.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
