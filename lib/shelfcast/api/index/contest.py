"""What champion and challenger forecast at the backtest's cutoffs, beside what came true."""

import sqlite3
from dataclasses import replace

from shelfcast.api.index.parts import Rows
from shelfcast.api.index.writing import write_rows
from shelfcast.api.reader import Snapshot

# The panel on which the champion of the categories is chosen: a few thousand series, which a page can show.
SHOWN = "reference"
# Who is champion on a day: what was rolled back by hand stands over what was decided that day.
STANDING = (
    "select panel, purpose, model, challenger from (select *, row_number() over (partition by panel, purpose "
    "order by as_of desc, ifnull(decision = 'rolled_back', 0) desc, decided_at desc) as place from champions "
    "where as_of <= ?) where place = 1"
)
_SOURCES = (
    "forecasts/backtests",
    "forecasts/network_backtests",
    "forecasts/store_backtests",
    "forecasts/transfer_backtests",
)
BACKTESTS = Rows(
    "backtests",
    _SOURCES[0],
    ("model", "store_id", "item_id", "cutoff", "step"),
    ("week", "y", "y_hat"),
    where={"panel": (SHOWN,)},
)


def write_contest(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    """Adds the table `backtests`. The champions of the day are in the file already."""
    titles = file.execute(STANDING, (snapshot.publication.forecast_date.isoformat(),)).fetchall()
    models = sorted({model for panel, _, *both in titles if panel == SHOWN for model in both if model})
    own = replace(BACKTESTS, where={**BACKTESTS.where, "model": tuple(models)})
    write_rows(file, own, *[source for name in _SOURCES for source in snapshot.rows(name)])
