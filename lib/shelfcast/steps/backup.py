"""every file of the lake -> a copy of all tables at one moment"""

from pathlib import Path

from shelfcast import backups, upkeep
from shelfcast.lake_version import require_current, require_there
from shelfcast.logs import say
from shelfcast.runner import Runner


def backup(runner: Runner, place: str) -> None:
    """With all regions at rest, so that the tables belong together.

    Raises TransientError where a run is at work on one, LakeError where there is no lake or `place` holds something
    else.
    """
    require_there(runner.lake)
    with upkeep.every_region(runner.lake, runner.config.region):
        require_current(runner.lake)
        copied = backups.back_up(runner.spark, runner.lake.root, absolute(place))
    say(f"backup: {copied.files:,} files, {copied.bytes:,} bytes in {place}; {copied.new:,} of them copied now")


def absolute(place: str) -> str:
    """A URI as it stands, a path made absolute: executors have another working folder."""
    return place.rstrip("/") if "://" in place else str(Path(place).absolute())
