"""replay: held-out demand under four rules -> inventory/replays, replay_gains, lead_time_calibration"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import replay


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", replay.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
