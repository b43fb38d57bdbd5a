"""A writer of many small commits: `committing.py LAKE REGION WRITER COMMITS`. It begins once there is the file `go` in
the lake, tries again what another writer has kept it from, and prints how often that was, behind "retries:"."""

import sys
import time
from pathlib import Path

from shelfcast.errors import TransientError
from shelfcast.lake import Lake
from shelfcast.session import open_session
from shelfcast.table import Table

TAKINGS = Table(
    "clean/takings",
    "region string, writer string, number int",
    key=("region", "writer", "number"),
    partitions=("region",),
)


def main(root: str, region: str, writer: str, commits: str) -> int:
    lake = Lake(open_session("committing"), root)
    Path(root, f"{writer}.ready").touch()
    while not Path(root, "go").exists():
        time.sleep(0.05)
    sys.stdout.write(f"retries: {sum(commit(lake, region, writer, number) for number in range(int(commits)))}\n")
    return 0


def commit(lake: Lake, region: str, writer: str, number: int) -> int:
    """Insert a row, and tell how often another writer was first."""
    row = lake.spark.createDataFrame([(region, writer, number)], TAKINGS.schema)
    scope, note, tries = {"region": region}, {"run_key": f"{writer} {number}", "job": "takings"}, 0
    while True:
        try:
            lake.merge(TAKINGS, row, ["writer", "number"], scope, note)
        except TransientError:
            tries += 1
        else:
            return tries


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
