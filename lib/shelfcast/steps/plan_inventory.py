"""forecasts/demand, demand/*, forecasts/backtests, models/champions, clean/* of supply, inventory/order_decisions ->
inventory/lead_times, costs, policies; of a source that counts its stock: inventory/on_hand, open_orders,
open_transfers, orders, transfers, risks"""

from datetime import date, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, publications, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning import supply
from shelfcast.config import Config
from shelfcast.errors import LakeError
from shelfcast.forecasting.champions import backtests_of, champion_of
from shelfcast.forecasting.networks import INPUTS
from shelfcast.inventory import costs, decisions, lead_times, limits, on_hand, orders, series, tables, transfers
from shelfcast.inventory.classes import Borders
from shelfcast.inventory.horizon import require_horizon
from shelfcast.inventory.level import measure_level_variance
from shelfcast.inventory.planner import Planner
from shelfcast.inventory.variation import VARIATION_WEEKS
from shelfcast.job import Job, Run
from shelfcast.monitoring import holds
from shelfcast.panels import PRODUCT, bucket_of
from shelfcast.settings.inventory import Limits
from shelfcast.sources import open_source
from shelfcast.steps.build_features import told_tables, weeks_unknown
from shelfcast.table import Table

_DAILY, _WEEKLY = schemas.DEMAND["daily"], schemas.DEMAND["weekly"]
_READS = (schemas.SALES, _DAILY, _WEEKLY, schemas.SERIES, schemas.BACKTESTS, CHAMPIONS)
_LEVELS = (tables.LEAD_TIMES, tables.COSTS, tables.POLICIES)
_OF_STOCK = (tables.ON_HAND, tables.OPEN_ORDERS, tables.OPEN_TRANSFERS, tables.ORDERS, tables.TRANSFERS, tables.RISKS)
_COUNTS = {"opening_stock", "closing_stock"}


def job(config: Config) -> Job:
    told = supply_tables(config)
    return Job(
        "plan_inventory",
        (*_READS, *told, *told_tables(config)),
        (*_LEVELS, *(_OF_STOCK if supply.STOCK in told else ())),
        ("cleaning", "inventory", "monitoring", "runtime"),
        plan_inventory,
        optional=(tables.ORDER_DECISIONS, *INPUTS),
        stamp=_stamp,
    )


def supply_tables(config: Config) -> tuple[Table, ...]:
    """The tables of supply that the source fills."""
    raw = {*open_source(config).raw}
    told = [table for table, name in ((supply.PURCHASES, "purchases"), (supply.INVOICES, "invoices")) if name in raw]
    prices = [supply.PRICES] if told or _COUNTS & raw else []
    return (*told, *prices, *([supply.STOCK] if _COUNTS & raw else []))


def plan_inventory(run: Run) -> None:
    forecast = _newest_forecast(run)
    held = _require_sound_sales(run, forecast)
    run.reads[schemas.FORECASTS.name] = forecast.version
    if age := (run.known_on - forecast.made_on).days:
        run.say(f"the forecast is {age} days old, of {forecast.made_on}; there is none of {run.known_on}")
    purchases = known_rows(run, supply.PURCHASES)
    ordered = lead_times.as_orders(purchases, run.known_on)
    run.write(tables.LEAD_TIMES, run.dated(lead_times.fit_lead_times(ordered, run.config.inventory.lead_prior)))
    freight = costs.freight_shares(known_rows(run, supply.INVOICES))
    priced = costs.product_costs(purchases, freight, known_rows(run, supply.PRICES), run.config.inventory.pack_lines)
    run.write(tables.COSTS, run.dated(priced))
    has_stock = tables.ON_HAND in run.job.writes
    if has_stock:
        _write_stock(run, purchases)
    else:
        run.say("no stock table: target levels only, without orders, transfers and risks")
    _write_policies(run, forecast, held, has_stock)
    if has_stock:
        _write_orders(run, held)
    run.say("the plan is not published until job report runs")


class Forecast(NamedTuple):
    """The forecast that a plan rests on: its date, first week and last day, the table's version and its run."""

    made_on: date
    first_week: date
    last_day: date
    version: int
    run_key: str


def _newest_forecast(run: Run) -> Forecast:
    """The newest forecast made on the as-of date or before it. Raises LakeError where there is none."""
    table, region = schemas.FORECASTS, run.config.region
    rows = run.lake.read(table, region).where(F.col("forecast_date") <= F.lit(run.known_on))
    newest = rows.agg(F.max("forecast_date")).first()
    made_on = newest[0] if newest else None
    commit = run.lake.last_commit(table, {"region": region, "forecast_date": str(made_on)})
    weeks = rows.where(F.col("forecast_date") == F.lit(made_on)).agg(F.min("week"), F.max("week")).first()
    if made_on is None or commit is None or weeks is None:
        raise LakeError(f"job {run.job.name}: table {table.name} has no forecast of {run.known_on} or before; "
                        f"wanted it written by job forecast")  # fmt: skip
    return Forecast(made_on, weeks[0], weeks[1] + timedelta(days=6), commit.version, commit.run_key)


def _stamp(run: Run) -> str:
    """The plan of a day changes with the forecast that it finds, with what is held, and once it is of a past day."""
    forecast = _newest_forecast(run)
    holds.require_checked(run)
    past = " past" if publications.is_past(run.lake, run.config.region, run.known_on) else ""
    return f"{forecast.made_on} {forecast.run_key} {holds.stamp(run)}{past}"


def _require_sound_sales(run: Run, forecast: Forecast) -> DataFrame | None:
    """What is held of the last days: its stores are not planned. Raises HeldError where too many are."""
    settings = run.config.monitoring
    held = holds.since(holds.held_days(run), run.known_on, settings.window_days)
    if held is None or held.isEmpty():
        return None
    stores = run.lake.read(schemas.FORECASTS, run.config.region, forecast.version).where("level = 'store'")
    made = stores.where(F.col("forecast_date") == F.lit(forecast.made_on))
    holds.require_known_stores(held, made, settings.held_share)
    run.say(f"not planned, for their sales are held: {held.select('store_id').distinct().count()} stores")
    return held


def known_rows(run: Run, table: Table) -> DataFrame:
    """The rows of a table of clean/ as known on the day; none where the source has no such table."""
    if table not in run.job.reads:
        return run.spark.createDataFrame([], table.schema)
    return demand.newest_known(run.read(table), run.known_on, supply.version_key(table, run.config.cleaning))


def _write_stock(run: Run, purchases: DataFrame) -> None:
    day, settings = run.known_on, run.config.inventory
    sales = demand.known_on(run.read(schemas.SALES), day, run.config.cleaning.key_of("sales"))
    sound = holds.without_held(sales, holds.held_days(run))
    rolled = on_hand.roll_forward(known_rows(run, supply.STOCK), purchases, sound, day)
    run.write(tables.ON_HAND, run.dated(rolled))
    due = decisions.on_order(purchases, day, settings.lapse_days)
    approved = decisions.approved(_decisions(run), purchases, day, settings.lapse_days)
    run.write(tables.OPEN_ORDERS, run.dated(due.unionByName(approved)))
    moving = decisions.approved_transfers(_decisions(run), run.read(tables.ON_HAND), day, settings.lapse_days)
    run.write(tables.OPEN_TRANSFERS, run.dated(moving))


def _decisions(run: Run) -> DataFrame:
    found = run.find(tables.ORDER_DECISIONS)
    told = run.spark.createDataFrame([], tables.ORDER_DECISIONS.schema) if found is None else found
    is_past = publications.is_past(run.lake, run.config.region, run.known_on)
    return decisions.known_to_plan(told, run.known_on, is_past=is_past)


def _write_policies(run: Run, forecast: Forecast, held: DataFrame | None, has_stock: bool) -> None:
    settings, runtime = run.config.inventory, run.config.runtime
    leads = run.read(tables.LEAD_TIMES)
    days_ahead = (forecast.last_day - run.known_on).days
    known = holds.without_held_stores(_known_series(run, forecast, leads, has_stock), held)
    require_horizon(known, settings, days_ahead)
    planner = Planner(
        as_of=run.known_on,
        first_week=forecast.first_week,
        targets={name: (target.kind, target.level) for name, target in settings.targets.items()},
        level_variance=_level_variance(run),
        seed=runtime.seed,
        **settings.model_dump(include=_PLANNED),
    )
    planned = planner.plan(known, runtime.buckets)
    age = F.lit((run.known_on - forecast.made_on).days).alias("forecast_age")
    run.write(tables.POLICIES, run.dated(planned.select(age, "*")))


_PLANNED = {
    "review_days",
    "order_days",
    "packs",
    "minima",
    "order_cost",
    "holding_rate",
    "max_cover_days",
    "overstock_days",
    "samples",
    "fill_rate",
}


def _known_series(run: Run, forecast: Forecast, leads: DataFrame, has_stock: bool) -> DataFrame:
    """All that is known of each series that the forecast has, staged: it is read for the horizon and for the plan."""
    settings = run.config.inventory
    made = run.lake.read(schemas.FORECASTS, run.config.region, forecast.version)
    known = series.as_series(made.where(F.col("forecast_date") == F.lit(forecast.made_on)))
    wanted = (demand.as_wanted(run.read(schemas.DEMAND[grain])) for grain in ("daily", "weekly"))
    daily, weekly = (frame.where("level = 'product'") for frame in wanted)
    known = series.with_weekdays(known, daily, settings.profile_prior)
    last_week = forecast.first_week - timedelta(days=7)
    unknown = weeks_unknown(run)
    known = series.with_class(known, weekly, last_week, Borders(), unknown)
    known = series.with_recent(known, weekly, last_week, VARIATION_WEEKS)
    known = series.with_unknown(known, unknown)
    known = series.with_costs(known, run.read(tables.COSTS))
    known = series.with_lead_times(known, leads, settings.lead_days)
    if has_stock:
        known = _with_stock(run, known)
    else:
        known = known.withColumns(dict.fromkeys(("on_hand", "on_order", "promised"), F.lit(None).cast("double")))
    return run.stage("series", known.withColumn("bucket", bucket_of(run.config.runtime.buckets, "product_id")))


def _with_stock(run: Run, known: DataFrame) -> DataFrame:
    return series.with_stock(known, *map(run.read, (tables.ON_HAND, tables.OPEN_ORDERS, tables.OPEN_TRANSFERS)))


def _ended(run: Run, policies: DataFrame, held: DataFrame | None) -> DataFrame:
    """What is left on the shelves of series that have ended, as rows of policies without levels and needs."""
    sound = holds.without_held_stores(series.ended(run.read(schemas.SERIES), policies), held)
    left = series.with_surplus(_with_stock(run, series.with_costs(sound, run.read(tables.COSTS))))
    return run.dated(left.withColumn("bucket", bucket_of(run.config.runtime.buckets, "product_id")))


def _level_variance(run: Run) -> float:
    """As the backtest of the published product means shows it."""
    measured = measure_level_variance(backtests_of(run, PRODUCT, champion_of(run, PRODUCT)))
    run.say(f"past forecasts were off by {measured**0.5:.0%} in the level of all their weeks")
    return measured


def _write_orders(run: Run, held: DataFrame | None) -> None:
    settings = run.config.inventory
    policies = run.read(tables.POLICIES)
    refused = decisions.rejected(_decisions(run), run.known_on, settings.rejected_days)
    granted = decisions.granted(_decisions(run), run.known_on, settings.lapse_days)
    stock = policies.unionByName(_ended(run, policies, held), allowMissingColumns=True)
    moves = transfers.transfers(stock, refused, settings.rejected_growth, run.config.runtime.buckets)
    run.write(tables.TRANSFERS, run.dated(decisions.numbered(moves, granted).drop("region")))
    wanted = orders.orders(policies, run.read(tables.TRANSFERS), refused, settings.rejected_growth)
    filled = limits.filled_up(wanted, settings.vendor_minima)
    limited = limits.above_minima(limits.within_limits(filled, _limits(settings.limits)), settings.vendor_minima)
    run.write(tables.ORDERS, decisions.numbered(limited, granted).select(*tables.ORDERS.names))
    run.write(tables.RISKS, orders.risks(stock))


def _limits(most: Limits) -> list[limits.Limit]:
    return [
        limits.Limit("vendor_id", "cost", most.vendor),
        limits.Limit("vendor_id", "quantity", most.vendor_units),
        limits.Limit("store_id", "cost", most.store),
        limits.Limit("store_id", "quantity", most.store_units),
    ]
