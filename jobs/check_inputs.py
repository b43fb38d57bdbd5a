"""check_inputs: clean/sales, clean/products, clean/day_counts -> monitoring/input_alerts, monitoring/drift"""

import sys

from shelfcast.command import run_jobs
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.steps import check_inputs


def main(argv: list[str]) -> int:
    return run_jobs(__doc__ or "", [check_inputs.job], argv, INPUT_ALERTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
