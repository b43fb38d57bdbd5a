"""check_deadline: monitoring/publications, clean/day_counts -> monitoring/late_days: an alert where a day is late"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import check_deadline


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: check_deadline.check_deadline(runner, flags.as_of))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
