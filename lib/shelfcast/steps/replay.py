"""demand/daily, forecasts/backtests, models/champions, clean/stores, inventory/lead_times, costs, policies ->
inventory/replays, replay_gains"""

from dataclasses import replace

from pyspark.sql import DataFrame

from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.ensembles import ENSEMBLES
from shelfcast.errors import NotEnoughHistoryError
from shelfcast.forecasting.champions import backtests_of, champion_of
from shelfcast.forecasting.networks import INPUTS
from shelfcast.inventory import gains, history, series, tables
from shelfcast.inventory.replayer import Replayer
from shelfcast.job import Job, Run
from shelfcast.panels import PRODUCT, bucket_of
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of

_READS = (
    schemas.DEMAND["daily"],
    schemas.BACKTESTS,
    CHAMPIONS,
    schemas.STORES,
    tables.LEAD_TIMES,
    tables.COSTS,
    tables.POLICIES,
)


def job(config: Config) -> Job:
    writes = (tables.REPLAYS, tables.REPLAY_GAINS)
    settings = ("backtest", "inventory", "replay", "runtime")
    return Job("replay", _READS, writes, settings, replay, optional=INPUTS)


def replay(run: Run) -> None:
    plan, champion = plan_of(run), champion_of(run, PRODUCT)
    # An ensemble learns from the first cutoff and forecasts from the second.
    plan = replace(plan, cutoffs=plan.cutoffs[1:]) if champion in ENSEMBLES else plan
    held_out = len(plan.weeks) - plan.cutoffs[0]
    if held_out <= run.config.replay.warm_up:
        raise NotEnoughHistoryError(
            f"replay: {held_out} weeks are held out; wanted more than the {run.config.replay.warm_up} of the warm-up"
        )
    known = run.stage("series", _known_series(run, plan, champion))
    count = known.count()
    chosen = history.sample(known, run.config.replay.series, count)
    run.say(f"{count:,} series with forecasts and costs; {held_out} weeks, from that of {plan.weeks[plan.cutoffs[0]]}")
    sums = run.stage("sums", _replayer(run, plan).replay(chosen, run.config.runtime.buckets))
    run.write(tables.REPLAYS, run.dated(gains.as_replays(sums)))
    run.write(tables.REPLAY_GAINS, run.dated(gains.gains(run.read(tables.REPLAYS))))


def _known_series(run: Run, plan: Plan, champion: str) -> DataFrame:
    """The series that the product panel's champion forecast at every cutoff, and whose cost is known."""
    forecast = history.forecast_series(backtests_of(run, PRODUCT, champion), plan.cutoffs)
    sold = run.read(schemas.DEMAND["daily"]).where("level = 'product'")
    known = forecast.join(history.demand_series(sold, _lost_sales(run)), ["store_id", "product_id"])
    known = known.join(run.read(tables.POLICIES).select("store_id", "product_id", "class"), ["store_id", "product_id"])
    known = series.with_costs(known, run.read(tables.COSTS)).where("unit_cost > 0 and price is not null")
    known = series.with_lead_times(known, run.read(tables.LEAD_TIMES), run.config.inventory.lead_days)
    return known.withColumn("bucket", bucket_of(run.config.runtime.buckets, "product_id"))


def _lost_sales(run: Run) -> DataFrame:
    """What was wanted and not sold; nothing where that is not known, and then sales stand for demand."""
    path = run.config.replay.lost_sales
    if path is None:
        run.say("no lost sales are known: what sold stands for demand")
        return run.spark.createDataFrame([], "store_id string, product_id string, day date, quantity double")
    return history.spread_lost_sales(run.spark.read.parquet(path))


def _replayer(run: Run, plan: Plan) -> Replayer:
    settings, rules = run.config.inventory, run.config.replay
    return Replayer(
        weeks=plan.weeks,
        cutoffs=plan.cutoffs,
        season=plan.season,
        review=settings.review_days,
        warm_up=rules.warm_up,
        seeds=rules.seeds,
        parameters={"probabilistic": rules.levels, "seasonal_normal": rules.levels, "min_max": rules.covers},
        order_cost=settings.order_cost,
        holding_rate=settings.holding_rate,
        max_cover_days=settings.max_cover_days,
        samples=settings.samples,
        seed=run.config.runtime.seed,
    )
