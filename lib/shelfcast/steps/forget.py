"""raw/*, clean/* -> the same without a person's rows, in any version; monitoring/erasures, monitoring/publications"""

import sys
from datetime import UTC, datetime

from shelfcast import erasure, publications, upkeep
from shelfcast.errors import ConfigError, LakeError
from shelfcast.lake import Lake
from shelfcast.lake_version import require_current, require_there
from shelfcast.runner import Runner
from shelfcast.sources.person_key import require_own_key


def forget(runner: Runner, person: str) -> None:
    """Delete the person's rows, and every file in which they were; then read all files of the region, and say so.

    With all regions at rest: versions go that are no older than a moment. Raises TransientError where a run is at work
    on one, ConfigError where no person can be known, or is by another key, LakeError where there is no lake or a file
    still names the person.
    """
    lake, config = runner.lake, runner.config
    if "hash" not in config.source.persons.values():
        raise ConfigError("source.persons: no column is hashed; wanted one by which a person is known in the lake")
    require_there(lake)
    with upkeep.every_region(lake, config.region):
        require_current(lake)
        require_own_key(lake, config.region)
        deleted = erasure.delete_person(lake, config, person)
        held = [name for name, (_, found) in erasure.files_that_name(lake, config.region, person).items() if found]
        for name in held:
            upkeep.vacuum(lake, name, hours=0)
        for page in erasure.pages_that_name(lake, person):
            lake.remove(page)
        lake.remove(f"_staging/{config.region}")
        # Of all tables: what an erasure that was killed has let go is held no more, and is published still.
        tables = upkeep.table_names(lake)
        for region in lake.regions():
            publications.publish_again(lake, region, tables)
        files = _prove(lake, config.region, person)
        _record(runner, person, deleted, files)
    rows = ", ".join(f"{name} {count:,}" for name, count in sorted(deleted.items()))
    sys.stdout.write(f"deleted: {rows or 'no row names the person'}\n")
    sys.stdout.write(f"proof: {files:,} files of {len(upkeep.table_names(lake))} tables were read, of every version; "
                     f"none names the person\n")  # fmt: skip


def _prove(lake: Lake, region: str, person: str) -> int:
    """How many files were read. Raises LakeError, naming the tables, where one names the person."""
    read = erasure.files_that_name(lake, region, person)
    left = [f"{name} ({found} files)" for name, (_, found) in sorted(read.items()) if found]
    if left:
        raise LakeError(f"person: still named in {', '.join(left)}; wanted in none")
    return sum(files for files, _ in read.values())


def _record(runner: Runner, person: str, deleted: dict[str, int], files: int) -> None:
    now = datetime.now(UTC)
    row = (runner.config.region, now, erasure.digest(person), deleted, files)
    runner.lake.append(erasure.ERASURES, runner.spark.createDataFrame([row], erasure.ERASURES.schema))
