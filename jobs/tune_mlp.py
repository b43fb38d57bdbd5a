"""tune_mlp: features/* -> features/tuning_windows, models/trials"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import tune_mlp


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", tune_mlp.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
