"""forget: raw/*, clean/* -> the same without a person's rows, in any version; monitoring/erasures"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import forget


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: forget.forget(runner, flags.person))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
