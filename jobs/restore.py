"""restore: a copy of a lake -> the lake"""

import sys

from shelfcast import command
from shelfcast.steps import restore


def main(argv: list[str]) -> int:
    parser = command.parser(__doc__ or "")
    restore.add_flags(parser)
    flags = parser.parse_args(argv)
    return command.carry_out(flags, lambda runner: restore.restore(runner, flags.place))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
