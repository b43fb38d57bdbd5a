"""plan_inventory: forecasts/demand, clean/* of supply -> inventory/policies, orders, transfers, risks"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import plan_inventory


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", plan_inventory.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
