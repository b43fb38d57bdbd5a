"""backup: every file of the lake -> a copy of all tables at one moment"""

import sys

from shelfcast import command
from shelfcast.steps import backup


def main(argv: list[str]) -> int:
    parser = command.parser(__doc__ or "")
    backup.add_flags(parser)
    flags = parser.parse_args(argv)
    return command.carry_out(flags, lambda runner: backup.backup(runner, flags.place))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
