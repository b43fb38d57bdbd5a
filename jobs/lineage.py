"""lineage: forecasts/demand, monitoring/publications, every table's log -> stdout: what a forecast comes from"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import lineage


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: lineage.lineage(runner, flags.forecast))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
