"""collect_decisions: a file of decisions on suggested orders -> inventory/order_decisions"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import collect_decisions


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", collect_decisions.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
