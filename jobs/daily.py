"""daily: the source's files -> monitoring/publications: the as-of date, and the days missed before it"""

import sys

from shelfcast.command import run
from shelfcast.monitoring.tables import ALERTS
from shelfcast.steps import daily


def main(argv: list[str]) -> int:
    return run(__doc__ or "", daily.daily, argv, ALERTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
