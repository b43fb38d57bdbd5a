"""clean/*, demand/* -> features/panel_demand, features/training_frame, features/vocabularies, features/scalers,
clean/calendar"""

from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import calendar, demand, encoding, examples, panels, schemas
from shelfcast.availability.stores import unknown_weeks
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.conditions import CONDITIONS, by_store
from shelfcast.config import Condition, Config
from shelfcast.job import Job, Run
from shelfcast.modelling import least_weeks
from shelfcast.monitoring import holds
from shelfcast.plan import PANELS, Plan, make_plan
from shelfcast.session import side_by_side
from shelfcast.sources import canonical
from shelfcast.table import Table

_READS = (
    schemas.SALES,
    schemas.PRODUCTS,
    schemas.PROMOTIONS,
    demand.KNOWN_STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
)
_WRITES = (schemas.CALENDAR, schemas.PANEL_DEMAND, examples.TRAINING_FRAME, schemas.VOCABULARIES, schemas.SCALERS)
_IDENTITY = ("store_id", "item_id", "category_id")


def job(config: Config) -> Job:
    settings = ("cleaning", "backtest", "training", "demand", "hidden_demand", "runtime", "country", "conditions")
    about = (CONDITIONS,) if told_conditions(config) else ()
    return Job("build_features", (*_READS, *told_tables(config), *about), _WRITES, settings, build_features)


def told_tables(config: Config) -> tuple[Table, ...]:
    """What tells of stores' closings, where it is sought."""
    return (AVAILABILITY,) if config.hidden_demand.enabled else ()


def told_conditions(config: Config) -> dict[str, Condition]:
    """The conditions that a table tells of which is read."""
    tables = config.source.read_tables
    told = {column for name in canonical.CONDITIONS if name in tables for column in tables[name].columns}
    return {name: condition for name, condition in config.conditions.items() if name in told}


def weeks_unknown(run: Run) -> DataFrame:
    """store_id, week: those of which nothing is known; none where closings are not sought."""
    is_told = AVAILABILITY in run.job.reads
    return unknown_weeks(run.read(AVAILABILITY) if is_told else run.spark.createDataFrame([], AVAILABILITY.schema))


def build_features(run: Run) -> None:
    plan = plan_of(run)
    run.say(f"{len(plan.weeks)} whole weeks, to that of {plan.weeks[-1]}; forecast to that of {plan.ahead[-1]}")
    days = calendar.calendar(run.spark, plan.weeks[0], plan.ahead[-1], run.config.country)
    run.write(schemas.PANEL_DEMAND, reduce(DataFrame.unionByName, select_panels(run, plan)))
    run.write(examples.TRAINING_FRAME, reduce(DataFrame.unionByName, [_examples(run, plan, panel) for panel in PANELS]))
    known, by = _known_at_cutoffs(run, plan), ("region", "panel", "cutoff")
    side_by_side(
        run.spark,
        partial(run.write, schemas.CALENDAR, days.withColumn("region", F.lit(run.config.region))),
        partial(run.write, schemas.VOCABULARIES, encoding.fit_vocabulary(known, _IDENTITY, by)),
        partial(run.write, schemas.SCALERS, encoding.fit_scaler(known, examples.FEATURES, by)),
    )


def plan_of(run: Run) -> Plan:
    """The plan of what is known on the as-of date. Where the sales end before it, the weeks since then are not known:
    they are not weeks without demand. Where the models were backtested on an earlier day, that day's cutoffs stand."""
    found = run.read(demand.KNOWN_STORES).agg(F.min("first_sold_on"), F.max("last_sold_on")).first()
    first, last = (found[0], found[1]) if found and found[0] else (run.known_on, run.known_on)
    return make_plan(run.config, first, last, run.trained_on)


def select_panels(run: Run, plan: Plan) -> list[DataFrame]:
    """The sparse rows of each panel, with the promotions that were planned for its weeks."""
    settings, runtime = run.config.backtest, run.config.runtime
    first, last = plan.weeks[0], plan.weeks[-1]
    sales = demand.known_on(run.read(schemas.SALES), run.known_on, run.config.cleaning.key_of("sales"))
    known = demand.join_category(holds.without_held(sales, holds.held_days(run)), run.read(schemas.PRODUCTS))
    weekly, series = demand.as_counted(run.read(schemas.DEMAND["weekly"]), "week"), run.read(schemas.SERIES)
    modelled = series.where((F.col("level") == "product") & (F.col("selling_weeks") >= settings.min_selling_weeks))
    by_category = panels.demand_panel(
        weekly.where("level = 'category'"), series.where("level = 'category'"), first, last
    )
    by_product = panels.demand_panel(weekly.where("level = 'product'"), modelled, first, last)
    key = run.config.cleaning.key_of("promotions")
    promotions = demand.newest_known(run.read(schemas.PROMOTIONS), run.known_on, key)
    planned = panels.join_promotions(by_product, promotions, first, plan.ahead[-1])
    rows = {
        panels.REFERENCE: panels.without_promotions(panels.reference_panel(known, settings.reference, first, last)),
        panels.CATEGORY: _as_known(run, panels.without_promotions(by_category)),
        panels.PRODUCT: _as_known(run, planned),
    }
    ranked = 0 if settings.slow_series == "all" else settings.slow_series
    about = _conditions(run, plan)
    return [
        panels.as_panel(frame, run.config.region, name, runtime.buckets, ranked, about) for name, frame in rows.items()
    ]


def _conditions(run: Run, plan: Plan) -> DataFrame | None:
    """What goes on in each store's weeks, where a table tells of anything."""
    told = told_conditions(run.config)
    if not told:
        return None
    known = demand.standing(run.read(CONDITIONS), run.known_on)
    return by_store(known, run.read(demand.KNOWN_STORES), plan.weeks[0], plan.ahead[-1], told)


def _as_known(run: Run, rows: DataFrame) -> DataFrame:
    """A store's weeks of which nothing is known are not weeks without demand; those of the published selection are as
    its file has them."""
    if AVAILABILITY not in run.job.reads:
        return rows
    return panels.hide_unknown(rows, unknown_weeks(run.read(AVAILABILITY)))


def _examples(run: Run, plan: Plan, panel: str) -> DataFrame:
    """Of a panel of categories as many examples as of the other."""
    training, runtime = run.config.training, run.config.runtime
    most = training.max_examples["product" if panel == panels.PRODUCT else "category"]
    rows = run.read(schemas.PANEL_DEMAND).where(F.col("panel") == panel)
    origins = range(training.min_history, len(plan.weeks))
    return examples.sample_training_examples(
        rows,
        plan.axis(panel),
        origins,
        least_weeks(run, panel),
        most,
        runtime.buckets,
        runtime.seed,
        run.config.country,
    )


def _known_at_cutoffs(run: Run, plan: Plan) -> DataFrame:
    """The examples once for each cutoff at which their target was known: what was to be learned from then."""
    cutoffs = [plan.last_week(cutoff) for cutoff in plan.origins]
    each = F.explode(F.array(*[F.lit(cutoff) for cutoff in cutoffs])).alias("cutoff")
    return run.read(examples.TRAINING_FRAME).select("*", each).where(F.col("week") <= F.col("cutoff"))
