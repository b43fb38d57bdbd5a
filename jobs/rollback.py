"""rollback: models/champions -> models/champions: the champions before the last promotions, restored"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import rollback


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", rollback.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
