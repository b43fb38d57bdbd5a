"""A chain of any size as the API reads it, written by delta-rs: no model is asked, numbers are drawn."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

REGION, HORIZON, WEEKS, SEED = "bench", 8, 26, 27
LAST_WEEK = date(2017, 12, 25)
DAY = LAST_WEEK + timedelta(days=6)
_STORES_AT_ONCE = 40
# Of the series those that sell enough for a model, and those that have an order today.
_MODELLED, _ORDERED = 0.1, 0.3


def write_chain(root: Path, stores: int, products: int) -> int:
    """A lake of one region in which each store sells each product, published; the number of its series."""
    for first in range(0, stores, _STORES_AT_ONCE):
        for table, rows in _tables(range(first, min(first + _STORES_AT_ONCE, stores)), products):
            _append(root, table, rows)
    _append(
        root, "clean/stores", _constant(stores, store_id=_names("s", np.arange(stores)), first_sold_on=_days(WEEKS))
    )
    names, categories = _names("p", np.arange(products)), _names("c", np.arange(products) % 30)
    _append(root, "clean/products", _constant(products, product_id=names, category_id=categories))
    champion = {"panel": "product", "purpose": "mean", "as_of": DAY, "decided_at": datetime(2018, 1, 1, tzinfo=UTC)}
    _append(root, "models/champions", _constant(1, **champion, model="tsb", challenger="naive", decision="first"))
    versions = [(path.parent.relative_to(root).as_posix(), len(list(path.glob("*.json"))) - 1)
                for path in root.rglob("_delta_log")]  # fmt: skip
    row = {"region": REGION, "forecast_date": DAY, "run_id": "bench", "tables": versions}
    row |= {"published_at": datetime(2018, 1, 1, tzinfo=UTC)}
    kind = pa.map_(pa.string(), pa.int64())
    columns = {name: pa.array([value], kind if name == "tables" else None) for name, value in row.items()}
    write_deltalake(str(root / "monitoring/publications"), pa.table(columns), mode="append")
    return stores * products


def store_name(number: int) -> str:
    return f"s{number:05d}"


def product_name(number: int) -> str:
    return f"p{number:05d}"


def _tables(stores: range, products: int) -> Iterator[tuple[str, pa.Table]]:
    rng = np.random.default_rng((SEED, stores.start))
    store = np.repeat(np.arange(stores.start, stores.stop), products)
    product = np.tile(np.arange(products), len(stores))
    n, mean = len(store), rng.gamma(1.0, 6.0, len(store))
    pair = {"store_id": _names("s", store), "category_id": _names("c", product % 30)}
    ahead = _repeat(pair | {"item_id": _names("p", product)}, HORIZON)
    means = np.repeat(mean, HORIZON)
    step = np.tile(np.arange(1, HORIZON + 1), n).astype(np.int32)
    quantiles = {name: factor * means for name, factor in (("p10", 0.3), ("p50", 0.9), ("p90", 1.8), ("p98", 2.6))}
    yield "forecasts/demand", _constant(
        n * HORIZON, **ahead, level="product", forecast_date=DAY, step=step, week=_days(-step), mean=means, **quantiles,
        dispersion=np.full(n * HORIZON, 2.0), method="model", run_id="bench",
    )  # fmt: skip
    sold = _repeat(pair | {"item_id": _names("p", product)}, WEEKS)
    units = rng.poisson(np.repeat(mean, WEEKS)).astype(float)
    price = np.round(2 * (1 + 0.1 * rng.standard_normal(n * WEEKS)).clip(0.5), 2)
    weeks = _days(np.tile(np.arange(WEEKS)[::-1], n))
    weekly = _constant(n * WEEKS, **sold, level="product", week=weeks, quantity=units, revenue=units * price,
                       unit_price=price, discount=np.zeros(n * WEEKS), recovered_quantity=units)  # fmt: skip
    yield "demand/weekly", weekly.filter(pa.array(units > 0))
    modelled = np.repeat(rng.random(n) < _MODELLED, WEEKS)
    panel = _constant(n * WEEKS, **sold, panel="product", bucket=np.zeros(n * WEEKS, dtype=np.int32), week=weeks,
                      quantity=units, promoted=np.zeros(n * WEEKS))  # fmt: skip
    yield "features/panel_demand", panel.filter(pa.array(modelled))
    plan = pair | {"product_id": _names("p", product), "vendor_id": _names("v", product % 50)}
    usual = {"target": 0.95, "lead_days": 7.0, "pack": 6.0, "order_quantity": 24.0, "dispersion": 2.0}
    numbers = {name: np.full(n, value) for name, value in {**usual, "minimum": 0.0, "on_order": 0.0}.items()}
    yield "inventory/policies", _constant(
        n, **plan, **numbers, forecast_date=DAY, target_kind="fill_rate", review_days=np.full(n, 7, dtype=np.int32),
        reorder_point=2 * mean, order_up_to=4 * mean, on_hand=np.round(mean),
    )  # fmt: skip
    orders = _constant(
        n, store_id=plan["store_id"], product_id=plan["product_id"], vendor_id=plan["vendor_id"], forecast_date=DAY,
        order_id=_names("o", store * products + product), need_by=DAY + timedelta(days=1), quantity=np.full(n, 24.0),
        status="suggested", is_due=np.full(n, True), cost=np.full(n, 30.0), stock_out=rng.random(n),
    )  # fmt: skip
    yield "inventory/orders", orders.filter(pa.array(rng.random(n) < _ORDERED))
    yield "demand/series", _constant(
        n, **pair, item_id=_names("p", product), level="product", first_week=_days(WEEKS), last_week=LAST_WEEK,
        units=mean * WEEKS,
    )  # fmt: skip


def _append(root: Path, table: str, rows: pa.Table) -> None:
    dated = ["forecast_date"] if "forecast_date" in rows.column_names else []
    write_deltalake(str(root / table), rows, mode="append", partition_by=["region", *dated])


def _constant(count: int, **columns: object) -> pa.Table:
    """A table of so many rows of the region: arrays as they are, other values in each row."""
    made = {
        name: value if isinstance(value, pa.Array) else pa.array(value)
        if isinstance(value, np.ndarray) else pa.repeat(pa.scalar(value), count)
        for name, value in {"region": REGION, **columns}.items()
    }  # fmt: skip
    return pa.table(
        {name: made[name] if len(made[name]) == count else pa.repeat(made[name][0], count) for name in made}
    )


def _repeat(columns: dict[str, pa.Array], times: int) -> dict[str, pa.Array]:
    at = pa.array(np.repeat(np.arange(len(next(iter(columns.values())))), times))
    return {name: values.take(at) for name, values in columns.items()}


def _names(letter: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(letter, np.char.zfill(numbers.astype(str), 5)))


def _days(weeks_ago: np.ndarray | int) -> pa.Array:
    ago = np.atleast_1d(np.asarray(weeks_ago))
    return pa.array(np.datetime64(LAST_WEEK) - ago.astype("timedelta64[D]") * 7)
