"""What brings a lake of before to the layout of the code: a step from each version to the next."""

from collections.abc import Callable

from shelfcast import schemas
from shelfcast.cleaning import supply
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.lake import Lake
from shelfcast.lake_version import VERSION, require_current, require_whole, set_version, version_of
from shelfcast.logs import say
from shelfcast.upkeep import add_columns, fill, remember, renew_checks, table_names

# Tables whose checks refused rows that are right: a quantile that is not known, demand that did not sell.
_RECHECKED = (*schemas.DEMAND.values(), schemas.PANEL_DEMAND, schemas.FORECASTS)
# Tables whose rows may end, where their file comes again without them.
_ENDING = (schemas.SALES, supply.PURCHASES, supply.INVOICES, supply.STOCK)
# What was known of them was known on any day, and a day's counts on the day.
_KNOWN = ((schemas.PROMOTIONS, "date'0001-01-01'"), (DAY_COUNTS, "day"))


def to_properties_of_now(lake: Lake) -> None:
    """From version 1, whose tables keep the checks that they were made with, and Delta's seven days."""
    for table in _RECHECKED:
        renew_checks(lake, table)
    for name in table_names(lake):
        remember(lake, name)


def to_rows_that_end(lake: Lake) -> None:
    """From version 2, whose jobs would take a row that was withdrawn for one that stands."""
    for table in _ENDING:
        add_columns(lake, table)
        renew_checks(lake, table)


def to_days_known_of_all(lake: Lake) -> None:
    """From version 3, whose jobs would count a day for each that it was told of on, and refused promotions without an
    end."""
    for table, since in _KNOWN:
        add_columns(lake, table)
        renew_checks(lake, table)
        fill(lake, table, "known_from", since)


# The first leads from version 1 to 2. Each may be done again: a killed one is.
STEPS: tuple[Callable[[Lake], None], ...] = (to_properties_of_now, to_rows_that_end, to_days_known_of_all)


def migrate(lake: Lake) -> None:
    """Bring the lake to the code's version, step by step. Raises LakeError where it has a newer one, or is half
    restored."""
    require_whole(lake)
    found = version_of(lake)
    for version in range(found, VERSION):
        STEPS[version - 1](lake)
        set_version(lake, version + 1)
        say(f"migrate: {lake.root} is of version {version + 1}")
    require_current(lake)
    if found == VERSION:
        say(f"migrate: {lake.root} is of version {VERSION} already")
