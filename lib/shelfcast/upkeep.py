"""What is done to a lake's tables beside the jobs, by Delta's SQL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shelfcast.folder import Folder
from shelfcast.lake import Lake
from shelfcast.lease import Lease
from shelfcast.table import Table

_CONSTRAINT = "delta.constraints."


def regions(lake: Folder) -> list[str]:
    """Every region that has rows in the lake."""
    return sorted({name.removeprefix("region=") for name in lake.names("*/*/region=*")})


@contextmanager
def every_region(lake: Lake, *further: str) -> Iterator[None]:
    """The leases of all regions of the lake. Raises TransientError where a run is at work on one of them."""
    with ExitStack() as held:
        for region in sorted({*regions(lake), *further}):
            held.enter_context(Lease(lake, region))
        yield


def renew_checks(lake: Lake, table: Table) -> None:
    """Give a table that was made before the checks that it is declared with."""
    if not lake.exists(table):
        return
    name = _sql_name(lake, table.name)
    row = lake.spark.sql(f"DESCRIBE DETAIL {name}").select("properties").first()
    found = {key.removeprefix(_CONSTRAINT): check for key, check in (row[0] if row else {}).items() if
             key.startswith(_CONSTRAINT)}  # fmt: skip
    for check in found:
        if found[check] != table.checks.get(check):
            lake.spark.sql(f"ALTER TABLE {name} DROP CONSTRAINT {check}")
    for check, condition in table.checks.items():
        if found.get(check) != condition:
            lake.spark.sql(f"ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({condition})")


def _sql_name(lake: Folder, table: str) -> str:
    path = f"{lake.root}/{table}".replace("`", "``")
    return f"delta.`{path}`"
