"""What goes on in the weeks of each store beside sales, laid into the index: the same for all of a store's series."""

import json
import sqlite3

import pyarrow.dataset as ds

from shelfcast.api.index.champion import PANEL
from shelfcast.api.index.reading import Index
from shelfcast.api.index.writing import as_value, insert
from shelfcast.api.reader import Snapshot
from shelfcast.panel import Conditions

_COLUMN = "conditions"


def write_conditions(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    """Adds the table `conditions`: of each store what the champion's panel has; no row where it has none."""
    file.execute("create table conditions (store_id, conditions, primary key (store_id)) without rowid")
    for source in snapshot.rows("features/panel_demand"):
        # A table of before has no such column.
        if _COLUMN in source.schema.names:
            insert(file, "conditions", ("store_id", _COLUMN), _by_store(source).items())


def conditions_of(index: Index, store_id: str) -> Conditions:
    """Feature -> a value a week, from the first week of the panel to the last one ahead."""
    rows = index.rows("select conditions from conditions where store_id = ?", (store_id,))
    return dict(json.loads(rows[0][_COLUMN])) if rows else {}


def _by_store(source: ds.Dataset) -> dict[str, str]:
    """As JSON."""
    told: dict[str, str] = {}
    own = (ds.field("panel") == PANEL) & ds.field(_COLUMN).is_valid()
    for batch in source.to_batches(columns=["store_id", _COLUMN], filter=own):
        stores, conditions = batch.column("store_id"), batch.column(_COLUMN)
        for store in stores.unique().to_pylist():
            if store not in told:
                told[store] = as_value(conditions[stores.index(store).as_py()].as_py())
    return told
