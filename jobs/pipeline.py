"""pipeline: every job in the order of the flow, those skipped that are up to date"""

import sys

from shelfcast.command import run
from shelfcast.monitoring.tables import ALERTS
from shelfcast.system import InventorySystem


def main(argv: list[str]) -> int:
    return run(__doc__ or "", lambda runner: InventorySystem(runner).run(), argv, ALERTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
