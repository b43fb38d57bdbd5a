"""demand/daily, demand/weekly, demand/availability where closings are sought, forecasts/backtests, models/champions,
demand/stores, clean/* of supply, inventory/costs -> inventory/replays, replay_gains, lead_time_calibration"""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning import supply
from shelfcast.config import Config
from shelfcast.ensembles import ENSEMBLES
from shelfcast.errors import NotEnoughHistoryError
from shelfcast.forecasting.champions import backtests_of, champion_of
from shelfcast.forecasting.networks import INPUTS
from shelfcast.inventory import gains, history, lead_times, series, tables
from shelfcast.inventory.classes import Borders
from shelfcast.inventory.level import measure_lasting_variance, measure_level_variance
from shelfcast.inventory.replayer import Replayer
from shelfcast.inventory.rules import RECENT_WEEKS
from shelfcast.job import Job, Run
from shelfcast.panels import PRODUCT, bucket_of
from shelfcast.plan import Plan
from shelfcast.settings.inventory import Replay
from shelfcast.steps.build_features import plan_of, told_tables, weeks_unknown
from shelfcast.steps.plan_inventory import known_rows, supply_tables

_READS = (
    schemas.DEMAND["daily"],
    schemas.DEMAND["weekly"],
    schemas.BACKTESTS,
    CHAMPIONS,
    demand.KNOWN_STORES,
    tables.COSTS,
)
_PAIR = ["store_id", "product_id"]


def job(config: Config) -> Job:
    writes = (tables.REPLAYS, tables.REPLAY_GAINS, tables.LEAD_TIME_CALIBRATION)
    settings = ("backtest", "cleaning", "inventory", "replay", "runtime")
    return Job(
        "replay", (*_READS, *told_tables(config), *supply_tables(config)), writes, settings, replay, optional=INPUTS
    )


class Prepared(NamedTuple):
    """The series to be replayed, and how."""

    series: DataFrame
    replayer: Replayer


def replay(run: Run) -> None:
    buckets = run.config.runtime.buckets
    chosen, replayer = prepared(run)
    sums = run.stage("sums", replayer.replay(chosen, buckets))
    run.write(tables.REPLAYS, run.dated(gains.as_replays(sums)))
    run.write(tables.REPLAY_GAINS, run.dated(gains.gains(run.read(tables.REPLAYS))))
    shares = run.stage("shares", replayer.calibrate(chosen, buckets))
    run.write(tables.LEAD_TIME_CALIBRATION, run.dated(gains.as_calibration(shares)))


def prepared(run: Run) -> Prepared:
    plan, champion = plan_of(run), champion_of(run, PRODUCT)
    # An ensemble learns from the first cutoff and forecasts from the second.
    plan = replace(plan, cutoffs=plan.cutoffs[1:]) if champion in ENSEMBLES else plan
    settings = run.config.replay
    first = first_replayed(plan, settings)
    known = run.stage("series", _known_series(run, plan, first, champion))
    count = known.count()
    chosen = history.sample(known, settings.series, count)
    run.say(f"{count:,} series with forecasts and costs; {len(plan.weeks) - first} weeks, from {plan.weeks[first]}")
    replayer = _replayer(run, plan, first, champion)
    tuned = replayer.tune(chosen, run.config.runtime.buckets, settings.gaps)
    return Prepared(chosen, replace(replayer, gaps=_cheapest_gaps(tuned)))


def first_replayed(plan: Plan, settings: Replay) -> int:
    """The number of the first week that is replayed, of those that are held out.

    Raises NotEnoughHistoryError where no more is held out than the warm-up takes, or too little comes before it for
    min/max to be tuned on, which has a warm-up too.
    """
    held_out = len(plan.weeks) - plan.cutoffs[0]
    if held_out <= settings.warm_up:
        raise NotEnoughHistoryError(
            f"replay: {held_out} weeks are held out; wanted more than the {settings.warm_up} of the warm-up"
        )
    first, wanted = len(plan.weeks) - min(held_out, settings.weeks + settings.warm_up), RECENT_WEEKS + settings.warm_up
    if first <= wanted:
        raise NotEnoughHistoryError(
            f"replay: {first} weeks come before the first that is replayed; wanted more than {wanted} to tune on"
        )
    return first


def _known_series(run: Run, plan: Plan, first: int, champion: str) -> DataFrame:
    """The series that the product panel's champion forecast at every cutoff, and whose cost is known; of their supply
    what was known before the first week that is replayed."""
    known_on = plan.weeks[first] - timedelta(days=1)
    daily, weekly = (run.read(schemas.DEMAND[grain]).where("level = 'product'") for grain in ("daily", "weekly"))
    known = history.forecast_series(backtests_of(run, PRODUCT, champion), plan.cutoffs)
    known = known.join(history.demand_series(daily, _lost_sales(run)), _PAIR)
    unknown = weeks_unknown(run)
    known = series.with_class(known, weekly, plan.weeks[first - 1], Borders(), unknown)
    known = series.with_unknown(known, unknown)
    known = series.with_costs(known, run.read(tables.COSTS)).where("unit_cost > 0 and price is not null")
    stock, purchases = (known_rows(run, table) for table in (supply.STOCK, supply.PURCHASES))
    leads = lead_times.fit_lead_times(lead_times.as_orders(purchases, known_on), run.config.inventory.lead_prior)
    known = series.with_lead_times(known, leads, run.config.inventory.lead_days)
    known = known.join(history.supply_series(stock, purchases, known_on), _PAIR, how="left")
    cycles = history.review_cycles(purchases, known_on, run.config.inventory.review_days)
    known = known.join(F.broadcast(cycles), "vendor_id", how="left")
    known = known.fillna(run.config.inventory.review_days, "shown_review")
    return known.withColumn("bucket", bucket_of(run.config.runtime.buckets, "product_id"))


def _lost_sales(run: Run) -> DataFrame:
    """What was wanted and not sold; nothing where that is not known, and then sales stand for demand."""
    path = run.config.replay.lost_sales
    if path is None:
        run.say("no lost sales are known: what sold stands for demand")
        return run.spark.createDataFrame([], "store_id string, product_id string, day date, quantity double")
    return history.spread_lost_sales(run.spark.read.parquet(path))


def _replayer(run: Run, plan: Plan, first: int, champion: str) -> Replayer:
    settings, rules = run.config.inventory, run.config.replay
    parameters = {"probabilistic": rules.levels, "seasonal_normal": rules.levels, "min_max": rules.covers}
    parameters["least_cost"] = rules.factors
    if all(table in run.job.reads for table in (supply.STOCK, supply.PURCHASES)):
        parameters["as_before"] = rules.scales
    else:
        run.say("no stock or no purchases: the policy that was kept is not known")
    known = backtests_of(run, PRODUCT, champion).where(F.col("week") < F.lit(plan.weeks[first]))
    return Replayer(
        weeks=plan.weeks,
        cutoffs=plan.cutoffs,
        first=first,
        warm_up=rules.warm_up,
        season=plan.season,
        review=settings.review_days,
        seeds=rules.seeds,
        parameters=parameters,
        gaps={},
        order_cost=settings.order_cost,
        holding_rate=settings.holding_rate,
        max_cover_days=settings.max_cover_days,
        samples=settings.samples,
        level_variance=measure_level_variance(known),
        lasting_variance=measure_lasting_variance(known),
        seed=run.config.runtime.seed,
    )


def _cheapest_gaps(tuned: DataFrame) -> dict[float, float]:
    chosen = tuned.groupBy("cover").agg(F.min_by("gap", F.struct("cost", "gap")).alias("gap"))
    return {row["cover"]: row["gap"] for row in chosen.toLocalIterator()}
