"""build_features: clean/*, demand/* -> features/panel_demand, training_frame, vocabularies, scalers, clean/calendar"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import build_features


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", build_features.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
