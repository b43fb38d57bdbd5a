"""What a price does to demand: measured within series, for the models of demand know no price.

log(units) = series + elasticity x log(price), least squares within each series over the weeks in which it sold (Tellis
1988 finds -1.76 on average over 367 products, Bijmolt, van Heerde and Pieters 2005 -2.62). A category's own elasticity
is drawn towards that of all categories by a normal prior of standard deviation PRIOR_SPREAD: where prices hardly move,
little can be told.
"""

import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from shelfcast.api.index.packed import starts_of
from shelfcast.api.index.writing import insert, scopes
from shelfcast.api.reader import Snapshot

PRIOR_SPREAD = 1.0
# Where prices hardly ever move in a whole region, nothing is told.
_LEAST_WEEKS = 100
_EVERYTHING = "(all)"
_COLUMNS = ("category_id", "elasticity", "error", "weeks")
_NEEDED = ["store_id", "item_id", "category_id", "quantity", "unit_price"]
_SERIES = ("store_id", "item_id")


def write_elasticities(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    """Adds the table `elasticities`: of each category and, as (all), of all of them, with its standard error and the
    weeks that it rests on."""
    file.execute(f"create table elasticities ({', '.join(_COLUMNS)}, primary key (category_id)) without rowid")
    sums: dict[str, np.ndarray] = {}
    is_product = (ds.field("level") == "product") & (ds.field("quantity") > 0) & (ds.field("unit_price") > 0)
    for source in snapshot.rows("demand/weekly"):
        for scope in scopes(source, is_product):
            for category, part in _sums(source.to_table(_NEEDED, filter=is_product & scope)).items():
                sums[category] = sums.get(category, np.zeros(5)) + part
    if sums:
        insert(file, "elasticities", _COLUMNS, estimate(sums))


def estimate(sums: dict[str, np.ndarray]) -> list[tuple[str, float, float, int]]:
    """Rows of the table. sums: category -> weeks, series, and the sums of x^2, x y and y^2 within series."""
    whole = np.sum(list(sums.values()), axis=0)
    common = _slope(whole)
    if common is None or whole[0] < _LEAST_WEEKS:
        return []
    rows = [(_EVERYTHING, *common, int(whole[0]))]
    for category, own in sorted(sums.items()):
        slope = _slope(own)
        trust = PRIOR_SPREAD**2 / (PRIOR_SPREAD**2 + slope[1] ** 2) if slope else 0.0
        value = trust * slope[0] + (1 - trust) * common[0] if slope else common[0]
        rows.append((category, float(value), float(np.sqrt(1 - trust) * PRIOR_SPREAD), int(own[0])))
    return rows


def _slope(sums: np.ndarray) -> tuple[float, float] | None:
    """The slope and its standard error; nothing where prices did not move, or weeks are too few."""
    weeks, series, squares, products, totals = sums
    freedom = weeks - series - 1
    if squares <= 1e-9 or freedom < 1:
        return None
    slope = products / squares
    rest = max(totals - slope * products, 0.0)
    return float(slope), float(np.sqrt(rest / freedom / squares))


def _sums(table: pa.Table) -> dict[str, np.ndarray]:
    table = table.sort_by([(name, "ascending") for name in _SERIES])
    starts = starts_of(table, _SERIES)
    if not len(starts):
        return {}
    x, y = (_within(np.log(table[name].to_numpy()), starts) for name in ("unit_price", "quantity"))
    categories = pc.dictionary_encode(table["category_id"].combine_chunks())
    codes, names = categories.indices.to_numpy(), categories.dictionary.to_pylist()
    first = np.zeros(len(codes))
    first[starts] = 1.0
    columns = (np.ones(len(codes)), first, x * x, x * y, y * y)
    found = np.stack([np.bincount(codes, weights=column, minlength=len(names)) for column in columns], axis=1)
    return dict(zip(names, found, strict=True))


def _within(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The values less the mean of their series."""
    counts = np.diff([*starts, len(values)])
    return np.asarray(values - np.repeat(np.add.reduceat(values, starts) / counts, counts))
