"""pipeline: every job in the order of the flow, those skipped that are up to date"""

import sys

from shelfcast.command import run
from shelfcast.monitoring.tables import ALERTS
from shelfcast.runner import Runner
from shelfcast.system import InventorySystem


def main(argv: list[str]) -> int:
    return run(__doc__ or "", work, argv, ALERTS)


def work(runner: Runner) -> None:
    InventorySystem(runner).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
