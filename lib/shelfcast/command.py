"""The command line that every job shares: flags in, exit status out.

0 done, 1 permanent failure (one line on stderr), 2 wrong usage, 75 transient (safe to retry), 130 interrupted.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import date

from shelfcast import config
from shelfcast.config import Config
from shelfcast.errors import ShelfcastError
from shelfcast.job import Job, Runner
from shelfcast.session import open_session


def parser(description: str) -> argparse.ArgumentParser:
    """The flags of a job. `--set` changes one key of the configuration and may be given often."""
    flags = argparse.ArgumentParser(description=description)
    flags.add_argument("--config", required=True, metavar="FILE", help="the YAML configuration of the region")
    flags.add_argument("--region", help="another name for the region than the configuration's")
    flags.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the world as known on that day")
    flags.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as backtest.horizon=4")
    return flags


def run_job(description: str, make_job: Callable[[Config], Job], argv: Sequence[str]) -> int:
    """Run one job of the flow. Returns the exit status."""
    return run(description, lambda runner: runner.run(make_job(runner.config)), argv)


def run(description: str, work: Callable[[Runner], object], argv: Sequence[str]) -> int:
    """Parse the flags, open the session, do the work. Returns the exit status."""
    flags = parser(description).parse_args(argv)
    changes = [*flags.set, *([f"region={flags.region}"] if flags.region else [])]
    try:
        settings = config.load(flags.config, changes)
        spark = open_session(f"shelfcast {settings.region}")
        work(Runner(spark, settings, flags.as_of))
    except ShelfcastError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print(
            "interrupted: the lake is as the last finished commit left it; the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    return 0
