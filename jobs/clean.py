"""clean: raw/* -> clean/products, promotions, quantity_bounds, sales, stores, quarantine, row_counts"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import clean


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", clean.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
