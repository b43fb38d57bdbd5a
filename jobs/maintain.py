"""maintain: every table -> the same rows in fewer files, without the versions that nobody may ask for"""

import sys

from shelfcast.command import run
from shelfcast.steps import maintain


def main(argv: list[str]) -> int:
    return run(__doc__ or "", maintain.maintain, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
