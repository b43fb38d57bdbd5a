"""a lake of an earlier version -> the same lake in the layout of this code"""

from shelfcast import migrations, upkeep
from shelfcast.runner import Runner


def migrate(runner: Runner) -> None:
    """Of all regions: none may be at work. Raises TransientError where one is, LakeError for a lake of newer code."""
    with upkeep.every_region(runner.lake, runner.config.region):
        migrations.migrate(runner.lake)
