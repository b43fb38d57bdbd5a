"""ingest: the source's files -> raw/*"""

import sys

from shelfcast.command import run_job
from shelfcast.steps import ingest


def main(argv: list[str]) -> int:
    return run_job(__doc__ or "", ingest.job, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
