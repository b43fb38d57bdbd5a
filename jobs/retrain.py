"""retrain: raw/* -> models/*: champion and challenger backtested anew, where that is due"""

import sys

from shelfcast import command
from shelfcast.flags import parser
from shelfcast.steps import retrain


def main(argv: list[str]) -> int:
    flags = parser(__doc__ or "").parse_args(argv)
    return command.carry_out(flags, lambda runner: retrain.retrain(runner, flags.now))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
