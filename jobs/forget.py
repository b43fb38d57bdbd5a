"""forget: raw/*, clean/* -> the same without a person's rows, in any version; monitoring/erasures"""

import sys

from shelfcast import command
from shelfcast.steps import forget


def main(argv: list[str]) -> int:
    parser = command.parser(__doc__ or "")
    forget.add_flags(parser)
    flags = parser.parse_args(argv)
    return command.carry_out(flags, lambda runner: forget.forget(runner, flags.person))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
