"""The truth beside the files: what made them, as Parquet under truth/.

chain: the chain file, seed, scale and safety. stores, vendors, products: with their effects and prices. pairs: what
each store lists, and what became of it. spells: when it was out of stock. dirty: the spoiled rows. Identifiers are
text, money is in cents, days are dates; one 27 years away is for always.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shelfcast.generator.chain import CLASSES
from shelfcast.generator.demand import IntArray, weekly_class
from shelfcast.generator.dirt import DirtyRow
from shelfcast.generator.files import whole_file
from shelfcast.generator.surprises import Effect, Price
from shelfcast.generator.world import Course, World

# Syntetos and Boylan (2005), of weekly demand.
ADI_BORDER, CV2_BORDER = 1.32, 0.49

_EFFECTS = pa.list_(
    pa.struct({"kind": pa.string(), "first_day": pa.date32(), "last_day": pa.date32(), "factor": pa.float64()})
)
_PRICES = pa.list_(
    pa.struct({"first_day": pa.date32(), "last_day": pa.date32(), "cents": pa.int64(), "is_promotion": pa.bool_()})
)
_DIRTY = pa.schema(
    {"file": pa.string(), "line": pa.int64(), "kind": pa.string(), "row": pa.string(), "is_true": pa.bool_()}
)


def write_world(world: World, folder: Path) -> None:
    """The tables of the whole chain: chain, stores, vendors and products."""
    chain, first = world.chain, world.chain.first_day
    settings = {"name": chain.name, "seed": chain.seed, "first_day": first, "days": chain.days}
    settings |= {"scale": world.scale, "safety": world.safety, "chain_file": chain.model_dump_json()}
    _write(pa.Table.from_pylist([settings]), folder / "chain.parquet")
    stores, vendors, products = world.stores, world.vendors, world.products
    effects = pa.array([_dated(effects, first) for effects in stores["effects"]], _EFFECTS)
    named = _identified(stores.drop(columns="effects"), "number", "store_id")
    _write(_table(named).append_column("effects", effects), folder / "stores.parquet")
    _write(_table(_identified(vendors, "number", "vendor_id")), folder / "vendors.parquet")
    named = _identified(products.drop(columns=["effects", "prices", "vendor"]), "number", "product_id").assign(
        vendor_id=vendors["number"].to_numpy()[products["vendor"]].astype(str),
        kind=np.array(CLASSES)[products["kind"]],
        launch=[first + timedelta(days=int(day)) for day in products["launch"]],
    )
    spans = {
        "effects": pa.array([_dated(effects, first) for effects in products["effects"]], _EFFECTS),
        "prices": pa.array([_dated(prices, first) for prices in products["prices"]], _PRICES),
    }
    table = _table(named)
    for name, column in spans.items():
        table = table.append_column(name, column)
    _write(table, folder / "products.parquet")


def write_block(world: World, seen: Course, dirty: Sequence[DirtyRow], folder: Path, block: int) -> None:
    """A block's part of pairs, spells and dirty."""
    part = f"{block:05}.parquet"
    _write(_table(_pairs(world, seen)), folder / "pairs.parquet" / part)
    _write(_table(_spells(world, seen)), folder / "spells.parquet" / part)
    rows = pa.Table.from_pylist([row._asdict() for row in dirty], _DIRTY)
    _write(rows, folder / "dirty.parquet" / part)


def _pairs(world: World, seen: Course) -> pd.DataFrame:
    """A row a pair. base: mean units a day before effects; demand_class: of the true weekly demand, drawn_class: the
    chain file's; wanted, sold, received: units over all days; opening, closing: stock in units."""
    pairs = seen.pairs
    adi, cv2 = weekly_class(seen.mean, pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy())
    kind = np.where(adi < ADI_BORDER, 0, 2) + np.where(cv2 < CV2_BORDER, 0, 1)
    return _keys(world, seen, np.arange(len(pairs))).assign(
        base=pairs["base"].to_numpy(),
        visit=pairs["visit"].to_numpy(),
        dispersion=pairs["dispersion"].to_numpy(),
        drawn_class=np.array(CLASSES)[pairs["kind"]],
        demand_class=np.array(CLASSES)[kind],
        adi=adi,
        cv2=cv2,
        reorder_point=seen.policy.reorder_point,
        order_up_to=seen.policy.order_up_to,
        wanted=seen.wanted.sum(axis=0),
        sold=seen.sold.sum(axis=0),
        received=seen.received.sum(axis=0),
        opening=seen.opening,
        closing=seen.closing,
    )


def _spells(world: World, seen: Course) -> pd.DataFrame:
    """A row for each unbroken run of days on which a listed product was not there, or not enough of it; lost: units
    asked for in vain."""
    edges = np.diff(np.pad(seen.out_of_stock.T, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    pair, first = np.nonzero(edges == 1)
    after = np.nonzero(edges == -1)[1]
    lost = np.pad((seen.wanted - seen.sold).cumsum(axis=0), ((1, 0), (0, 0)))
    start = np.datetime64(world.chain.first_day, "D")
    return _keys(world, seen, pair).assign(
        first_day=(start + first).astype(object),
        last_day=(start + after - 1).astype(object),
        lost=lost[after, pair] - lost[first, pair],
    )


def _keys(world: World, seen: Course, pair: IntArray) -> pd.DataFrame:
    store, product = (seen.pairs[name].to_numpy()[pair] for name in ("store", "product"))
    return pd.DataFrame(
        {
            "store_id": world.stores["number"].to_numpy()[store].astype(str),
            "product_id": seen.products["number"].to_numpy()[product].astype(str),
        }
    )


def _identified(frame: pd.DataFrame, number: str, name: str) -> pd.DataFrame:
    return frame.assign(**{number: frame[number].astype(str)}).rename(columns={number: name})


def _dated(spans: Iterable[Effect | Price], first_day: date) -> list[dict[str, Any]]:
    """The spans with dates in the place of day numbers."""
    rows = []
    for span in spans:
        row = span._asdict()
        days = {f"{end}_day": first_day + timedelta(days=row.pop(end)) for end in ("first", "last")}
        rows.append(row | days)
    return rows


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _write(table: pa.Table, path: Path) -> None:
    with whole_file(path) as stream:
        pq.write_table(table, stream)
