"""Writers' turns at a table, in stores where a commit may take the place of another: there Delta keeps the writers of
one driver apart, and knows of no others."""

from collections.abc import Iterator
from contextlib import contextmanager

from shelfcast.folder import Folder
from shelfcast.lease import Lease

# Where leases of tables lie, beside those of regions.
TURNS = "tables"
_STORES = ("s3a://", "s3://")
# What putting together the files of a large table may take.
_WAITED_SECONDS = 3600


@contextmanager
def turn(lake: Folder, table: str) -> Iterator[None]:
    """Inside `with` nobody else writes to the table. Raises TransientError where somebody does so for too long."""
    if not lake.root.startswith(_STORES):
        yield
        return
    with Lease(lake, f"{TURNS}/{table}", f"table {table}").awaited(_WAITED_SECONDS):
        yield
