"""retrain: raw/* -> models/*: champion and challenger backtested anew, where that is due"""

import sys

from shelfcast import command
from shelfcast.steps import retrain


def main(argv: list[str]) -> int:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--now", action="store_true", help="whether or not it is due")
    flags = parser.parse_args(argv)
    return command.carry_out(flags, lambda runner: retrain.retrain(runner, flags.now))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
