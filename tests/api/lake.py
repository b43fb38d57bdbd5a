"""A small lake of two regions with forecasts, orders and alerts, written by delta-rs from the declared schemas: what
the API reads needs no Spark to be made."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from shelfcast import schemas
from shelfcast.api.reader import Lake
from shelfcast.challengers import CHAMPIONS
from shelfcast.insights.tables import FINDINGS
from shelfcast.inventory import tables as plans
from shelfcast.monitoring.tables import ALERTS
from shelfcast.table import Table

Row = dict[str, Any]
DAY = date(2017, 8, 6)
LAST_WEEK = date(2017, 7, 31)
WEEKS = [LAST_WEEK - timedelta(weeks=ago) for ago in range(59, -1, -1)]
AHEAD = [LAST_WEEK + timedelta(weeks=step) for step in range(1, 5)]
STORES = {"north": ("1", "2", "3"), "south": ("1", "9")}
PRODUCTS = {"p1": "wine", "p2": "wine", "p3": "beer", "p/4 ü": "beer"}
LEVELS = {"north": 10.0, "south": 20.0}
PLAIN = {
    "string": pa.string(),
    "double": pa.float64(),
    "float": pa.float32(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def arrow_type(kind: str) -> pa.DataType:
    """A type of Spark's DDL as Arrow's."""
    if kind in PLAIN:
        return PLAIN[kind]
    outer, inner = re.fullmatch(r"(\w+)<(.*)>", kind).groups()
    if outer == "array":
        return pa.list_(arrow_type(inner))
    if outer == "map":
        return pa.map_(*map(arrow_type, inner.split(",", 1)))
    assert outer == "struct", kind
    return pa.struct([(name, arrow_type(part)) for name, part in (field.split(":") for field in inner.split(","))])


def schema(table: Table) -> pa.Schema:
    columns = (column.split(" ", 1) for column in table.columns.split(", "))
    return pa.schema([(name.strip("`"), arrow_type(kind)) for name, kind in columns])


def put(root: Path, table: Table, rows: Sequence[Row], **note: Any) -> int:
    """Replaces the rows' region (and day) in the table by the rows, in a commit with a note; returns its version."""
    wanted = schema(table)
    unknown = {name for row in rows for name in row} - {*wanted.names}
    assert not unknown, f"no such column: {unknown}"
    filled = pa.Table.from_pylist([{name: row.get(name) for name in wanted.names} for row in rows], wanted)
    scope = {"region": rows[0]["region"]} | (
        {"forecast_date": str(rows[0]["forecast_date"])} if table.is_by_date else {}
    )
    told = {
        "run_key": f"run of {table.name}",
        "job": "test",
        "code_version": "c0de",
        "reads": {},
        "scope": scope,
        **note,
    }
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps({**told, **note})})
    path, where = str(root / table.name), " and ".join(f"{name} = '{value}'" for name, value in scope.items())
    if DeltaTable.is_deltatable(path):
        write_deltalake(path, filled, mode="overwrite", predicate=where, commit_properties=properties)
    else:
        write_deltalake(path, filled, partition_by=list(table.partitions), commit_properties=properties)
    return DeltaTable(path).version()


def publish(
    root: Path, region: str, tables: dict[str, int], run_id: str = "run", day: date = DAY, minute: int = 0
) -> None:
    row = {"region": region, "forecast_date": day, "run_id": run_id, "tables": list(tables.items()),
           "published_at": datetime(2017, 8, 7, 5, minute, tzinfo=UTC)}  # fmt: skip
    rows = pa.Table.from_pylist([row], schema(schemas.PUBLICATIONS))
    write_deltalake(str(root / schemas.PUBLICATIONS.name), rows, mode="append", partition_by=["region"])


def write_lake(root: Path, factor: float = 1.0) -> Path:
    """Both regions, published. factor: by which all forecasts are multiplied."""
    for region in STORES:
        write_region(root, region, factor)
    return root


def write_region(root: Path, region: str, factor: float = 1.0, run_id: str = "run", minute: int = 0) -> None:
    versions = {table.name: put(root, table, of_region(region, factor)) for table, of_region in TABLES}
    publish(root, region, versions, run_id, minute=minute)


def publish_without_plan(root: Path, region: str) -> None:
    """Publish what the region's newest publication has, but for the plan."""
    tables = Lake(str(root)).newest_publications()[region].tables
    kept = {name: version for name, version in tables.items() if not name.startswith("inventory/")}
    publish(root, region, kept, "without a plan", minute=45)


def publish_orders(root: Path, region: str, quantity: float) -> None:
    """Publish what the region's newest publication has, but for the orders: each is of so many units."""
    tables = Lake(str(root)).newest_publications()[region].tables
    orders = [{**row, "quantity": quantity} for row in rows(plans.ORDERS, region)]
    publish(root, region, {**tables, plans.ORDERS.name: put(root, plans.ORDERS, orders)}, "planned again", minute=50)


def mean_of(region: str, store: str, product: str) -> float:
    """The mean that is forecast of each week ahead."""
    return LEVELS[region] + int(store) + 0.1 * (1 + list(PRODUCTS).index(product))


def order_id(region: str, store: str, product: str) -> str:
    return f"{region}-{store}-{product[:2].replace('/', '')}"


def _series(region: str) -> list[tuple[str, str, str]]:
    return [(store, product, category) for store in STORES[region] for product, category in PRODUCTS.items()]


def _forecasts(region: str, factor: float) -> list[Row]:
    by_level: list[tuple[str, str, str, str, float]] = []
    for store, product, category in _series(region):
        by_level.append(("product", store, product, category, mean_of(region, store, product)))
    for store in STORES[region]:
        own = [row for row in by_level if row[0] == "product" and row[1] == store]
        for category in sorted({*PRODUCTS.values()}):
            by_level.append(("category", store, category, category, sum(row[4] for row in own if row[3] == category)))
        by_level.append(("store", store, "(all)", "(all)", sum(row[4] for row in own)))
    by_level.append(("region", "(all)", "(all)", "(all)", sum(row[4] for row in by_level if row[0] == "store")))
    return [_forecast(region, *series, step, factor) for series in by_level for step in range(1, 5)]


def _forecast(
    region: str, level: str, store: str, item: str, category: str, mean: float, step: int, factor: float
) -> Row:
    mean = mean * factor
    row = {"region": region, "forecast_date": DAY, "level": level, "store_id": store, "item_id": item}
    # Of the region as a whole past forecasts are too few to know the p98.
    quantiles = {"p10": 0.5 * mean, "p50": mean, "p90": 1.5 * mean, "p98": None if level == "region" else 2 * mean}
    row |= {"category_id": category, "step": step, "week": AHEAD[step - 1], "mean": mean, **quantiles}
    return {**row, "dispersion": 2.0, "method": "model", "run_id": "forecast-run"}


def _weekly(region: str, _: float) -> list[Row]:
    rows = []
    for store, product, category in _series(region):
        for number, week in enumerate(WEEKS):
            # A product sells in three weeks of four.
            if number % 4:
                units = round(mean_of(region, store, product)) + number % 3
                row = {"region": region, "level": "product", "store_id": store, "item_id": product}
                price = 2.0 - 0.1 * (number % 5 == 0)
                rows.append({**row, "category_id": category, "week": week, "quantity": float(units),
                             "revenue": price * units, "discount": 0.0, "unit_price": price, "sales": 1})  # fmt: skip
    return rows


def _panel(region: str, factor: float) -> list[Row]:
    kept = ("region", "store_id", "item_id", "category_id", "week", "quantity")
    sold = [{**{name: row[name] for name in kept}, "promoted": 0.0} for row in _weekly(region, factor)]
    ahead = [{"region": region, "store_id": store, "item_id": "p1", "category_id": "wine", "week": AHEAD[1],
              "quantity": 0.0, "promoted": 1.0} for store in STORES[region]]  # fmt: skip
    return [{**row, "panel": "product", "bucket": 0} for row in (*sold, *ahead)]


def _all_series(region: str, _: float) -> list[Row]:
    row = {"region": region, "level": "product", "first_week": WEEKS[1], "last_week": LAST_WEEK, "units": 500.0}
    return [
        {**row, "store_id": store, "item_id": product, "category_id": category, "selling_weeks": 45, "adi": 1.3,
         "cv2": 0.1, "demand_class": "smooth", "state": "listed"}
        for store, product, category in _series(region)
    ]  # fmt: skip


def _policies(region: str, _: float) -> list[Row]:
    return [
        {
            "region": region,
            "forecast_date": DAY,
            "bucket": 0,
            "store_id": store,
            "product_id": product,
            "category_id": category,
            "vendor_id": "v1",
            "forecast_age": 0,
            "class": "AX",
            "target_kind": "fill_rate",
            "target": 0.98,
            "lead_days": 5.0,
            "review_days": 7,
            "may_order": True,
            "pack": 6.0,
            "minimum": 0.0,
            "unit_cost": 1.0,
            "price": 2.0,
            "daily_mean": mean_of(region, store, product) / 7,
            "dispersion": 2.0,
            "safety_stock": 8.0,
            "normal_safety_stock": 7.0,
            "reorder_point": 24.0,
            "order_up_to": 48.0,
            "order_quantity": 24.0,
            "on_hand": 10.0,
            "on_order": 0.0,
            "promised": 0.0,
            "position": 10.0,
            "need": 38.0,
            "stock_out": 0.4,
            "shortfall": 3.0,
            "days_of_supply": 4.0,
            "surplus": 0.0,
            "need_by": AHEAD[0],
            "stock_out_after": 0.01,
        }
        for store, product, category in _series(region)
    ]


def _orders(region: str, _: float) -> list[Row]:
    return [
        {
            "region": region,
            "forecast_date": DAY,
            "order_id": order_id(region, store, product),
            "store_id": store,
            "vendor_id": "v1",
            "product_id": product,
            "need_by": AHEAD[0],
            "expected_on": DAY + timedelta(days=5),
            "is_due": True,
            "quantity": 36.0,
            "status": "suggested",
            "cost": 36.5,
            "stock_out": 0.4,
            "stock_out_after": 0.01,
            "days_of_supply": 4.0,
        }
        for store, product, _ in _series(region)
        if product != "p3"
    ]


def _transfers(region: str, _: float) -> list[Row]:
    stores = STORES[region]
    row = {"region": region, "forecast_date": DAY, "order_id": f"{region}-move", "product_id": "p3"}
    return [{**row, "from_store": stores[1], "to_store": stores[0], "need_by": AHEAD[0], "quantity": 4.0,
             "status": "suggested"}]  # fmt: skip


def _risks(region: str, _: float) -> list[Row]:
    row = {"region": region, "forecast_date": DAY, "product_id": "p1", "probability": 0.4, "units": 3.0, "value": 6.0}
    return [{**row, "store_id": store, "risk": "stock_out", "days_of_supply": 4.0} for store in STORES[region]]


def _on_hand(region: str, _: float) -> list[Row]:
    row = {"region": region, "forecast_date": DAY, "counted_on": DAY - timedelta(days=6), "counted": 20.0}
    row |= {"received": 0.0, "sold": 10.0, "balance": 10.0, "on_hand": 10.0}
    return [{**row, "store_id": store, "product_id": product} for store, product, _ in _series(region)]


def _lead_times(region: str, _: float) -> list[Row]:
    row = {"region": region, "forecast_date": DAY, "vendor_id": "v1", "vendor_orders": 50, "days": [4, 5, 6]}
    row |= {"chances": [0.25, 0.75, 1.0], "mean": 5.0}
    return [{**row, "store_id": store, "orders": 10} for store in (*STORES[region], plans.ALL_STORES)]


def _alerts(region: str, _: float) -> list[Row]:
    row = {"region": region, "forecast_date": DAY, "check": "volume", "held": False, "found": 9.0, "wanted": 4.0}
    own = [
        {**row, "alert_id": f"{region}-{store}", "severity": "warning", "subject": f"store {store}", "store_id": store,
         "day": DAY, "reason": f"store {store}: nine times its usual Sunday"}
        for store in STORES[region]
    ]  # fmt: skip
    late = {"alert_id": f"{region}-late", "severity": "critical", "subject": "region", "reason": "a day late"}
    return [*own, {**row, "check": "late", **late}]


def _stores(region: str, _: float) -> list[Row]:
    row = {"region": region, "first_sold_on": WEEKS[0], "last_sold_on": DAY}
    return [{**row, "store_id": store} for store in STORES[region]]


def _products(region: str, _: float) -> list[Row]:
    row = {"region": region, "department": "drinks", "vendor_id": "v1", "package_size": "750mL"}
    return [
        {**row, "product_id": product, "category_id": category, "brand": f"Brand of {product}"}
        for product, category in PRODUCTS.items()
    ]


def _leaderboard(region: str, _: float) -> list[Row]:
    row = {"region": region, "family": "numpy", "minimises": "mean", "status": "fitted"}
    scored = [("reference", "tsb", 0.30), ("reference", "naive", 0.5), ("product", "moving_average", 0.6),
              ("product", "naive", 0.9)]  # fmt: skip
    return [
        {**row, "panel": panel, "model": model, "wape": wape, "rmse": wape, "mae": wape, "bias": 0.01,
         "champion": "mean and median" if model != "naive" else None}
        for panel, model, wape in scored
    ]  # fmt: skip


def _champions(region: str, _: float) -> list[Row]:
    names = {"reference": "tsb", "product": "moving_average"}
    scores = dict.fromkeys(("wape", "rmse", "rmsse", "bias"), 0.3)
    return [
        {"region": region, "panel": panel, "purpose": purpose, "as_of": DAY, "decided_at": datetime(2017, 8, 7, 4),
         "run_id": "evaluate", "model": model, "version": "v1", "since": DAY, "scores": scores, "challenger": "naive",
         "cutoffs": [DAY], "difference": -0.1, "stores": 3, "decision": "first"}
        for panel, model in names.items()
        for purpose in ("mean", "median")
    ]  # fmt: skip


def _registry(region: str, _: float) -> list[Row]:
    row = {"region": region, "panel": "product", "model": "moving_average", "cutoff": LAST_WEEK, "version": "v1"}
    row |= {"family": "numpy", "minimises": "mean", "status": "fitted", "code_version": "c0de", "git_commit": "abc"}
    return [{**row, "training_tables": [("features/panel_demand", 0)], "libraries": [("numpy", "2.4.6")],
             "hyperparameters": [("season", "52")]}]  # fmt: skip


def _backtests(region: str, _: float) -> list[Row]:
    cutoff = LAST_WEEK - timedelta(weeks=4)
    row = {
        "region": region,
        "panel": "reference",
        "cutoff": cutoff,
        "item_id": "wine",
        "category_id": "wine",
        "y": 20.0,
    }
    return [
        {**row, "model": model, "store_id": store, "step": step, "y": 20.0, "y_hat": y_hat}
        | {"week": cutoff + timedelta(weeks=step)}
        for model, y_hat in (("tsb", 19.0), ("naive", 25.0), ("ets", 1.0))
        for store in STORES[region]
        for step in (1, 2)
    ]


def _metrics(region: str, _: float) -> list[Row]:
    row = {"region": region, "panel": "product", "model": "naive", "rows": 8, "units": 80.0, "wape": 0.9, "mae": 9.0}
    slices = [("all", ""), ("step", "1"), ("category", "wine"), *(("store", store) for store in STORES[region])]
    return [{**row, "slice": name, "value": value} for name, value in slices]


def _row_counts(region: str, _: float) -> list[Row]:
    counts = {"raw": 10, "clean": 7, "quarantined": 2, "duplicates": 1, "superseded": 0, "blank": 0, "flagged": 1}
    return [{"region": region, "source_table": "sales", **counts}]


def _quarantine(region: str, _: float) -> list[Row]:
    row = {"region": region, "source_table": "sales", "rule": "negative_price", "batch_id": "b"}
    return [{**row, "row": json.dumps({"n": n})} for n in range(2)]


def _findings(region: str, _: float) -> list[Row]:
    row = {"region": region, "forecast_date": DAY, "rank": 1}
    return [
        {**row, "topic": "delisting", "subject": "p3", "figure": 36042.0, "unit": "money", "sentence": "p3 loses."},
        {**row, "topic": "store_errors", "subject": "1", "figure": 20.5, "unit": "% of demand", "sentence": "Off."},
    ]


TABLES: list[tuple[Table, Callable[[str, float], list[Row]]]] = [
    (schemas.FORECASTS, _forecasts),
    (schemas.DEMAND["weekly"], _weekly),
    (schemas.PANEL_DEMAND, _panel),
    (schemas.SERIES, _all_series),
    (schemas.STORES, _stores),
    (schemas.PRODUCTS, _products),
    (schemas.LEADERBOARD, _leaderboard),
    (schemas.REGISTRY, _registry),
    (schemas.BACKTESTS, _backtests),
    (schemas.METRICS, _metrics),
    (schemas.ROW_COUNTS, _row_counts),
    (schemas.QUARANTINE, _quarantine),
    (CHAMPIONS, _champions),
    (plans.POLICIES, _policies),
    (plans.ORDERS, _orders),
    (plans.TRANSFERS, _transfers),
    (plans.RISKS, _risks),
    (plans.ON_HAND, _on_hand),
    (plans.LEAD_TIMES, _lead_times),
    (ALERTS, _alerts),
    (FINDINGS, _findings),
]


def rows_of(root: Path, table: Table, column: str, region: str = "north") -> list[Any]:
    """The values of a column of a table, as the region's newest publication has it."""
    lake = Lake(str(root))
    sources = lake.snapshot(lake.newest_publications()[region]).rows(table.name)
    return [value for source in sources for value in source.to_table([column])[column].to_pylist()]


def rows(table: Table, region: str = "north") -> list[Row]:
    """The table's rows of a region."""
    (found,) = [of_region(region, 1.0) for each, of_region in TABLES if each == table]
    return found
