"""migrate: a lake of an earlier version -> the same lake in the layout of this code"""

import sys

from shelfcast.command import run
from shelfcast.steps import migrate


def main(argv: list[str]) -> int:
    return run(__doc__ or "", migrate.migrate, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
