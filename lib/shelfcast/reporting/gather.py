"""The lake's tables as the report's data: small queries, each bounded, and the scalars of the first lines."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.code import installed
from shelfcast.config import Config
from shelfcast.models import ZERO
from shelfcast.panels import REFERENCE
from shelfcast.plan import Plan
from shelfcast.reporting import queries, received, supply
from shelfcast.reporting.data import COLUMNS, Headline, Provenance, ReportData
from shelfcast.reporting.fans import fans
from shelfcast.reporting.insight_queries import insight_parts
from shelfcast.reporting.queries import Read, fetch
from shelfcast.session import side_by_side

# What a planner would use without any of this.
SIMPLE_MODELS = ("moving_average", "seasonal_naive", "naive")
SHOWN_MODELS = 4
_PACKAGES = ("shelfcast", "pyspark", "delta-spark", "scikit-learn", "statsforecast", "numpy", "pandas")


def gather(spark: SparkSession, read: Read, plan: Plan, provenance: Provenance, currency: str) -> ReportData:
    """All that the page shows, its queries side by side.

    read: a table's rows of the region, and of one forecast date where it holds several; None where it has not been
    written, and its section says so. plan: the weeks and cutoffs of the run. currency: the sign before money.
    """
    board = fetch("leaderboard", queries.leaderboard(read))
    counts = fetch("row_counts", queries.row_counts(read))
    last = plan.last_week(plan.cutoffs[-1])
    champion = champion_of(board)
    benchmark = benchmark_of(board, champion)
    compared = [str(row["model"]) for row in (champion, benchmark) if row is not None]
    chosen = str(champion["model"]) if champion is not None else None
    parts: dict[str, Callable[[], Any]] = {
        "headline": lambda: _headline(read, plan, counts, champion, benchmark),
        "refusals": lambda: fetch("refusals", queries.refusals(read)),
        "deliveries": lambda: fetch("deliveries", received.deliveries(read)),
        "contracts": lambda: fetch("contracts", received.contracts(read)),
        "availability": lambda: fetch("availability", queries.availability(read)),
        "alerts": lambda: fetch("alerts", queries.alerts(read)),
        "drift": lambda: fetch("drift", queries.drift(read)),
        "weekly": lambda: fetch("weekly", queries.weekly(read, plan)),
        "weekly_by_category": lambda: fetch("weekly_by_category", queries.weekly_by_category(read, plan)),
        "demand_classes": lambda: fetch("demand_classes", queries.demand_classes(read)),
        "class_grid": lambda: fetch("class_grid", queries.class_grid(read)),
        "horizon_errors": lambda: _horizon_errors(read, last, board),
        "category_errors": lambda: _errors(read, "category", "category", last, chosen).head(queries.ERROR_CATEGORIES),
        "store_errors": lambda: _errors(read, "store", "store_id", last, chosen),
        "scatter": lambda: fetch("scatter", queries.scatter(read, last, compared)),
        "trials": lambda: fetch("trials", queries.trials(read)),
        "accuracy": lambda: fetch("accuracy", queries.accuracy(read)),
        "calibration": lambda: fetch("calibration", queries.calibration(read)),
        "series_counts": lambda: fetch("series_counts", queries.series_counts(read)),
        "fans": lambda: fans(read, plan),
        "store_heads": lambda: fetch("store_heads", queries.store_heads(read, last)),
        "study": lambda: fetch("study", queries.study(read)),
        **insight_parts(read),
        "vendor_orders": lambda: fetch("vendor_orders", supply.vendor_orders(read)),
        "risk_classes": lambda: fetch("risk_classes", supply.risk_classes(read)),
        "replays": lambda: fetch("replays", supply.replays(read)),
        "replay_gains": lambda: fetch("replay_gains", supply.replay_gains(read)),
        "lead_time_calibration": lambda: fetch("lead_time_calibration", supply.lead_time_calibration(read)),
    }
    found = dict(zip(parts, side_by_side(spark, *parts.values()), strict=True))
    return ReportData(provenance=provenance, currency=currency, row_counts=counts, leaderboard=board, **found)


def describe(config: Config, run_id: str, as_of: date, tables: Mapping[str, int]) -> Provenance:
    """Where the page comes from: the run, its settings as one key a line, and the versions of what it ran on."""
    settings = dict(_flat(config.model_dump(mode="json")))
    return Provenance(config.region, run_id, as_of, settings, installed(_PACKAGES), tables)


def champion_of(board: pd.DataFrame) -> "pd.Series[Any] | None":
    """The row of the model that makes the means of store x category; None where none has been chosen."""
    chosen = board[(board["panel"] == REFERENCE) & board["champion"].astype("string").str.contains("mean", na=False)]
    return chosen.iloc[0] if len(chosen) else None


def benchmark_of(board: pd.DataFrame, champion: "pd.Series[Any] | None") -> "pd.Series[Any] | None":
    """The row of the best of SIMPLE_MODELS on store x category beside the champion; None where none has been scored."""
    others = [model for model in SIMPLE_MODELS if champion is None or model != champion["model"]]
    simple = board[(board["panel"] == REFERENCE) & board["model"].isin(others) & board["wape"].notna()]
    return simple.sort_values("wape").iloc[0] if len(simple) else None


def _headline(
    read: Read,
    plan: Plan,
    counts: pd.DataFrame,
    champion: "pd.Series[Any] | None",
    benchmark: "pd.Series[Any] | None",
) -> Headline:
    sales = counts.loc[counts["source_table"] == "sales", "clean"]
    stores, products = _sold(read)
    first_day, last_day = _days(read)
    series, units = _ahead(read)
    return Headline(
        transactions=int(sales.iloc[0]) if len(sales) else None,
        stores=stores,
        products=products,
        first_day=first_day,
        last_day=last_day,
        forecast_series=series,
        forecast_units=units,
        horizon=plan.horizon,
        champion=None if champion is None else str(champion["model"]),
        champion_wape=None if champion is None else float(champion["wape"]),
        benchmark=None if benchmark is None else str(benchmark["model"]),
        benchmark_wape=None if benchmark is None else float(benchmark["wape"]),
    )


def _sold(read: Read) -> tuple[int | None, int | None]:
    """How many stores and products there are series of."""
    series = read(schemas.SERIES)
    if series is None:
        return None, None
    found = (
        series.where("level = 'product'").agg(F.count_distinct("store_id"), F.count_distinct("item_id")).collect()[0]
    )
    return int(found[0]), int(found[1])


def _days(read: Read) -> tuple[date | None, date | None]:
    stores = read(demand.KNOWN_STORES)
    if stores is None:
        return None, None
    first, last = stores.agg(F.min("first_sold_on"), F.max("last_sold_on")).collect()[0]
    return first, last


def _ahead(read: Read) -> tuple[int | None, float | None]:
    """How many products of a store have a forecast, and the units forecast in all."""
    forecasts = read(schemas.FORECASTS)
    if forecasts is None:
        return None, None
    series = F.count_if((F.col("level") == "product") & (F.col("step") == 1))
    found = forecasts.agg(series, F.sum(F.when(F.col("level") == "category", F.col("mean")))).collect()[0]
    return int(found[0]), None if found[1] is None else float(found[1])


def _errors(read: Read, what: str, name: str, last_cutoff: date, champion: str | None) -> pd.DataFrame:
    return fetch(f"{what}_errors", queries.champion_errors(read, what, name, last_cutoff, champion))


def _horizon_errors(read: Read, last_cutoff: date, board: pd.DataFrame) -> pd.DataFrame:
    """Error by step of the champions, the best models beside them, and the simple ones."""
    found = queries.errors_by(read, "step", last_cutoff)
    if found is None:
        return pd.DataFrame(columns=list(COLUMNS["horizon_errors"]))
    rows = found.select("panel", "model", F.col("value").cast("int").alias("step"), "wape").toPandas()
    board = board[board["wape"].notna() & (board["model"] != ZERO)].sort_values("wape")
    leading = board.groupby("panel").head(SHOWN_MODELS)
    shown = pd.concat([leading, board[board["champion"].notna() | board["model"].isin(SIMPLE_MODELS)]])
    shown = shown.drop_duplicates(["panel", "model"])
    marked = shown[["panel", "model"]].assign(is_champion=shown["champion"].notna())
    return rows.dropna(subset="wape").merge(marked, on=["panel", "model"])


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)
