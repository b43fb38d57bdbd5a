"""a lake of an earlier version -> the same lake in the layout of this code"""

from shelfcast import migrations, upkeep
from shelfcast.lake_version import require_there
from shelfcast.runner import Runner


def migrate(runner: Runner) -> None:
    """Of all regions: none may be at work. Raises TransientError where one is, LakeError for a lake that is not there
    or of newer code."""
    require_there(runner.lake)
    with upkeep.every_region(runner.lake, runner.config.region):
        migrations.migrate(runner.lake)
