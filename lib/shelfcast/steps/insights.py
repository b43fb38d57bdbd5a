"""demand/*, forecasts/metrics, models/champions, of a plan of the day inventory/lead_times, costs, on_hand, risks,
transfers -> inventory/segments, insights/seasons, vendors, stores, delistings, findings"""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.forecasting.champions import champion_of
from shelfcast.insights import delisting, items, measures, outliers, segments, supply, tables, topics
from shelfcast.insights.findings import Finding, Money, Row, absent, ranked
from shelfcast.inventory import tables as inventory
from shelfcast.inventory.classes import Borders
from shelfcast.job import Job, Run
from shelfcast.panel import Axis
from shelfcast.panels import CATEGORY, REFERENCE
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of

_READS = (demand.KNOWN_STORES, schemas.DEMAND["weekly"], schemas.SERIES, schemas.METRICS, CHAMPIONS)
_OF_A_PLAN = (inventory.LEAD_TIMES, inventory.COSTS, inventory.ON_HAND, inventory.RISKS, inventory.TRANSFERS)
_WRITES = (
    tables.SEGMENTS,
    tables.SEASONS,
    tables.VENDORS,
    tables.STORES,
    tables.DELISTINGS,
    tables.FINDINGS,
)
_SETTINGS = ("backtest", "training", "inventory", "insights", "runtime")


def job(config: Config) -> Job:
    return Job("insights", _READS, _WRITES, _SETTINGS, insights, optional=_OF_A_PLAN)


def insights(run: Run) -> None:
    plan, settings = plan_of(run), run.config.insights
    axis = Axis(plan.weeks, settings.season_weeks, 0, from_first_sale=True)
    _write_items(run, axis)
    _write_vendors(run)
    _write_stores(run, plan)
    rule = delisting.Rule(settings.delist_weeks, settings.delist_rate, run.config.inventory.holding_rate)
    _write_delistings(run, rule, plan.weeks[-1])
    found = _findings(run, plan, rule)
    told = run.spark.createDataFrame([Row(*row) for row in ranked(found)], _FINDING_COLUMNS)
    run.write(tables.FINDINGS, run.dated(told))


_FINDING_COLUMNS = "topic string, rank int, subject string, figure double, unit string, sentence string"


def _write_items(run: Run, axis: Axis) -> None:
    """Segments of products and stores, and the seasons of categories: measured in one pass."""
    weekly = run.read(schemas.DEMAND["weekly"]).where("level = 'product'")
    totals = run.stage("totals", measures.weekly_totals(weekly, axis.weeks[0], axis.weeks[-1]))
    measured = run.stage("measures", measures.measure(totals, axis, run.config.runtime.buckets))
    first = axis.weeks[-axis.season :][0]
    described = run.stage("items", items.describe(measured, totals, weekly, run.read(schemas.SERIES), first))
    parts = [_segments(run, kind, described.where(F.col("kind") == kind)) for kind in (tables.PRODUCT, tables.STORE)]
    run.write(tables.SEGMENTS, run.dated(parts[0].unionByName(parts[1])).select(*tables.SEGMENTS.names))
    run.write(tables.SEASONS, run.dated(_seasons(measured, totals)))


def _segments(run: Run, kind: str, described: DataFrame) -> DataFrame:
    settings, runtime = run.config.insights, run.config.runtime
    nothing = {"up_to": F.lit(None).cast("double"), "class": F.lit(None).cast("string")}
    classed = items.with_class(described, Borders()) if kind == tables.PRODUCT else described.withColumns(nothing)
    told = F.col("selling_weeks") >= settings.min_selling_weeks
    placed = run.stage(f"{kind}s", items.with_coordinates(classed.where(told)))
    drawn = run.stage(f"{kind}s_drawn", items.sample(placed, settings.sample, runtime.seed))
    clustering = segments.choose_clustering(drawn, settings.fewest, settings.most, runtime.seed)
    assigned = segments.assign(placed, clustering)
    found = segments.describe(kind, assigned)
    run.say(f"{kind}s: {len(found)} segments, silhouette {clustering.silhouette:.2f}")
    remote = outliers.with_remoteness(
        segments.with_segments(assigned, found), outliers.find_core(drawn), runtime.buckets
    )
    return items.with_oddest(remote).unionByName(items.unplaced(classed.where(~told)), allowMissingColumns=True)


def _seasons(measured: DataFrame, totals: DataFrame) -> DataFrame:
    revenue = totals.where(F.col("kind") == tables.CATEGORY).groupBy("item_id").agg(F.sum("revenue").alias("revenue"))
    known = measured.where(F.col("kind") == tables.CATEGORY).join(revenue, "item_id")
    numbers = {name: F.when(~F.isnan(name), F.col(name)) for name in measures.OVER_YEARS}
    return known.withColumns(numbers).select(
        F.col("item_id").alias("category_id"),
        "weeks",
        "revenue",
        "season",
        F.col("trend_strength").alias("trend"),
        *("growth", "growth_lower", "growth_upper", "is_seasonal", "first_week", "index", "peak_week", "peak"),
    )


def _write_vendors(run: Run) -> None:
    leads, priced = run.find(inventory.LEAD_TIMES), run.find(inventory.COSTS)
    if leads is None or priced is None:
        run.say(f"no plan of {run.known_on}: nothing is told of vendors and stock")
        leads, priced = (run.spark.createDataFrame([], t.schema) for t in (inventory.LEAD_TIMES, inventory.COSTS))
    run.write(tables.VENDORS, run.dated(supply.vendors(leads, priced, run.config.insights.least_orders)))


def _write_stores(run: Run, plan: Plan) -> None:
    last = F.lit(plan.last_week(plan.cutoffs[-1]))
    own = (F.col("panel") == REFERENCE) & (F.col("model") == champion_of(run, CATEGORY)) & (F.col("slice") == "store")
    measured = run.read(schemas.METRICS).where(own & (F.col("cutoff") == last))
    named = measured.select(
        F.col("value").alias("store_id"), "units", (F.col("mae") * F.col("rows")).alias("missed"), "wape", "bias"
    )
    risks = run.find(inventory.RISKS)
    run.write(tables.STORES, run.dated(supply.stores(named, None if risks is None else supply.excess(risks))))


def _write_delistings(run: Run, rule: delisting.Rule, last_week: date) -> None:
    products = "level = 'product'"
    series, weekly = run.read(schemas.SERIES).where(products), run.read(schemas.DEMAND["weekly"]).where(products)
    listed = delisting.listed_products(series, weekly, rule, last_week)
    gone = delisting.to_delist(listed, run.find(inventory.COSTS), run.find(inventory.ON_HAND), rule)
    run.write(tables.DELISTINGS, run.dated(gone))


def _findings(run: Run, plan: Plan, rule: delisting.Rule) -> list[Finding]:
    settings = run.config.insights
    money, most, horizon = Money(settings.currency), settings.findings, plan.horizon
    found = topics.of_segments(run.read(tables.SEGMENTS), most)
    found += topics.of_seasons(run.read(tables.SEASONS), len(plan.weeks), settings.season_weeks, most)
    found += _of_vendors(run, most)
    stores = run.read(tables.STORES)
    found += topics.of_forecasts(stores, horizon, most)
    products = run.read(tables.SEGMENTS).where(F.col("kind") == tables.PRODUCT).count()
    gone = run.read(tables.DELISTINGS)
    found += topics.of_delistings(gone, products, rule, most, money)
    transfers, costs = run.find(inventory.TRANSFERS), run.find(inventory.COSTS)
    if transfers is None or costs is None:
        return found + absent(("store_excess", "transfers"), _no_stock(run))
    return [
        *found,
        *topics.of_excess(stores, most, money),
        *topics.of_moves(supply.moves(transfers, costs), most, money),
    ]


_VENDOR_TOPICS = ("vendor_lead_times", "vendor_variability", "vendor_freight")


def _of_vendors(run: Run, most: int) -> list[Finding]:
    if run.find(inventory.LEAD_TIMES) is None:
        return absent(_VENDOR_TOPICS, _no_plan(run))
    vendors = run.read(tables.VENDORS)
    if vendors.isEmpty():
        least = run.config.insights.least_orders
        return absent(_VENDOR_TOPICS, f"No vendor is known to have delivered {least} orders or more.")
    return topics.of_vendors(vendors, most)


def _no_plan(run: Run) -> str:
    return f"There is no plan of {run.known_on}: job plan_inventory learns lead times and costs from purchases."


def _no_stock(run: Run) -> str:
    if run.find(inventory.COSTS) is None:
        return f"There is no plan of {run.known_on}: job plan_inventory tells what stock is needed where."
    return "The source counts no stock: what is too much, and where it should go, is not known."
