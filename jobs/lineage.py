"""lineage: forecasts/demand, monitoring/publications, every table's log -> stdout: what a forecast comes from"""

import sys

from shelfcast import command
from shelfcast.steps import lineage


def main(argv: list[str]) -> int:
    parser = command.parser(__doc__ or "")
    lineage.add_flags(parser)
    flags = parser.parse_args(argv)
    return command.carry_out(flags, lambda runner: lineage.lineage(runner, flags.forecast))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
