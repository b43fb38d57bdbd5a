"""backfill: the source's files -> monitoring/publications: each day of a range, as a daily run would have made it"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import backfill


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: backfill.backfill(runner, flags))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
