"""backup: every file of the lake -> a copy of all tables at one moment"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import backup


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: backup.backup(runner, flags.place))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
