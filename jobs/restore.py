"""restore: a copy of a lake -> the lake"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import restore


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: restore.restore(runner, flags.place))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
