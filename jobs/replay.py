"""replay: held-out demand under three rules -> inventory/replays, inventory/replay_gains"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import replay


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", replay.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
