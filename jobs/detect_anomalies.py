"""detect_anomalies: clean/sales, forecasts/demand, demand/weekly -> monitoring/alerts, monitoring/drift"""

import sys

from shelfcast.command import run_jobs
from shelfcast.monitoring.tables import ALERTS
from shelfcast.steps import check_inputs, detect_anomalies


def main(argv: list[str]) -> int:
    return run_jobs(__doc__ or "", [check_inputs.job, detect_anomalies.job], argv, ALERTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
