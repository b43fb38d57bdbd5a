"""The properties of the lake's Delta tables."""

from shelfcast.table import Table

REMEMBERED = {
    # What is up to date is read from the log: Delta's 30 days would make a region that rests longer run anew.
    "delta.logRetentionDuration": "interval 36500 days",
    # VACUUM takes files that a table no longer remembers to have let go for what killed runs left, whatever it is told
    # to keep. Delta's own are seven days.
    "delta.deletedFileRetentionDuration": "interval 366 days",
}


def properties_of(table: Table) -> dict[str, str]:
    """Those that a table is made with, its checks among them."""
    # Minima and maxima serve to skip files: of columns that nobody seeks by they cost, and save nothing.
    sought = {"StatsColumns": ",".join(table.sought_by)} if table.sought_by else {"NumIndexedCols": "0"}
    return {
        **REMEMBERED,
        **{f"delta.constraints.{name}": check for name, check in table.checks.items()},
        **{f"delta.dataSkipping{name}": value for name, value in sought.items()},
    }
