"""a copy of a lake -> the lake"""

from shelfcast import backups
from shelfcast.lake_version import require_current
from shelfcast.logs import say
from shelfcast.runner import Runner
from shelfcast.steps.backup import absolute


def restore(runner: Runner, place: str) -> None:
    """Into a lake that is empty or half restored. Raises LakeError where it is neither, or the copy is not whole or of
    another version."""
    with runner.lease:
        copied = backups.restore(runner.spark, absolute(place), runner.lake.root)
        require_current(runner.lake)
    say(f"restore: {copied.files:,} files, {copied.bytes:,} bytes from {place} in {runner.lake.root}")
