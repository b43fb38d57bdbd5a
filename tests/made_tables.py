"""The tables that a run of the whole pipeline makes, and what they hold."""

from collections.abc import Iterable

from shelfcast import demand, schemas
from shelfcast.examples import TRAINING_FRAME
from shelfcast.lake import Lake
from shelfcast.table import Table

REGION = "complete_journey"
TABLES = (
    schemas.PRODUCTS,
    schemas.PROMOTIONS,
    schemas.QUANTITY_BOUNDS,
    schemas.SALES,
    schemas.STORES,
    schemas.QUARANTINE,
    schemas.ROW_COUNTS,
    schemas.CALENDAR,
    *schemas.DEMAND.values(),
    schemas.SERIES,
    demand.KNOWN_STORES,
    schemas.PANEL_DEMAND,
    TRAINING_FRAME,
    schemas.VOCABULARIES,
    schemas.SCALERS,
    schemas.ENSEMBLES,
    schemas.REGISTRY,
    schemas.BACKTESTS,
    schemas.METRICS,
    schemas.LEADERBOARD,
    schemas.FORECASTS,
    schemas.CALIBRATION,
    schemas.SERIES_COUNTS,
)

# The same on any master, digit for digit.
EXACT = tuple(table for table in TABLES if table not in (schemas.REGISTRY, schemas.LEADERBOARD))


def hashes(lake: Lake, tables: Iterable[Table] = TABLES) -> dict[str, str]:
    return {table.name: lake.content_hash(table, REGION) for table in tables}
