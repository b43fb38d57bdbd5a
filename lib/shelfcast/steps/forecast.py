"""features/*, demand/weekly, demand/series, forecasts/backtests, models/champions, what networks wrote if they did ->
forecasts/demand, forecasts/calibration, forecasts/accuracy, forecasts/series_counts"""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, examples, panels, schemas
from shelfcast.availability.stores import unknown_weeks
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.forecasting import accuracy, bias, conformal, dispersion, layout, middle_out, unlisted, weights
from shelfcast.forecasting.champions import forecast_means
from shelfcast.forecasting.levels import SHARED, Parts, levels_ahead, past_levels
from shelfcast.forecasting.networks import INPUTS
from shelfcast.job import Job, Run
from shelfcast.modelling import least_weeks
from shelfcast.plan import Plan
from shelfcast.session import side_by_side
from shelfcast.steps.build_features import plan_of, told_tables, weeks_unknown
from shelfcast.weeks import WEEK

_READS = (
    schemas.PANEL_DEMAND,
    examples.TRAINING_FRAME,
    schemas.VOCABULARIES,
    schemas.SCALERS,
    demand.KNOWN_STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
    schemas.BACKTESTS,
    schemas.ENSEMBLES,
    schemas.LEADERBOARD,
    CHAMPIONS,
)
_WRITES = (schemas.FORECASTS, schemas.CALIBRATION, schemas.ACCURACY, schemas.SERIES_COUNTS)
_SERIES = ("store_id", "item_id", "category_id")
NO_HISTORY = "no_history"


def job(config: Config) -> Job:
    settings = ("backtest", "training", "runtime", "country", "forecast")
    return Job("forecast", (*_READS, *told_tables(config)), _WRITES, settings, forecast, optional=INPUTS)


def forecast(run: Run) -> None:
    plan = plan_of(run)
    parts = _parts(run, plan)
    past = run.stage("past", past_means(run, plan, parts))
    measured_at = plan.last_week(plan.cutoffs[-1])
    measured = past.where(F.col("cutoff") == F.lit(measured_at))
    # Of the windows that were over by then: where cutoffs lie closer than the horizon, others hold what is measured.
    earlier = past.where(F.col("cutoff") <= F.lit(measured_at - plan.horizon * WEEK))
    weekly, series = demand.as_counted(run.read(schemas.DEMAND["weekly"]), "week"), run.read(schemas.SERIES)
    ratios, earlier_ratios, recent = side_by_side(
        run.spark,
        lambda: run.stage("ratios", conformal.fit_ratios(past)),
        lambda: run.stage("earlier_ratios", conformal.fit_ratios(earlier)),
        lambda: run.stage("recent", dispersion.measure_recent(weekly, series, plan.weeks[-1], weeks_unknown(run))),
    )
    scored = conformal.with_quantiles(measured, earlier_ratios)
    means = levels_ahead(parts.at(F.col("cutoff") == F.lit(plan.weeks[-1])), recent)
    ahead = dispersion.with_dispersion(conformal.with_quantiles(means, ratios), dispersion.fit_by_size(ratios))
    side_by_side(
        run.spark,
        lambda: run.write(schemas.FORECASTS, _published(run, ahead)),
        lambda: run.write(schemas.CALIBRATION, run.dated(conformal.measure_calibration(scored))),
        lambda: run.write(schemas.ACCURACY, run.dated(accuracy.measure(scored))),
    )
    run.write(schemas.SERIES_COUNTS, _counted(run))


def _parts(run: Run, plan: Plan) -> Parts:
    category, champion, weighed, new_sales = side_by_side(
        run.spark,
        lambda: run.stage("category", _with_silent(run, plan, _not_ended(run, plan, panels.CATEGORY))),
        lambda: run.stage("champion", _not_ended(run, plan, panels.PRODUCT)),
        lambda: run.stage("weights", _weights(run, plan)),
        lambda: run.stage("new_sales", unlisted.sum_new_sales(_product_weeks(run, plan), plan.horizon)),
    )
    factors = run.stage("factors", bias.fit_factors(champion))
    modelled = bias.correct(champion, factors, bias.teachers(_cutoff_weeks(plan), plan.horizon))
    models = champion.where("step = 1").select("cutoff", *_SERIES)
    thin = weighed.join(F.broadcast(models), ["cutoff", *_SERIES], how="anti")
    shares = unlisted.share_not_listed(category, new_sales, plan.horizon)
    split = run.stage("split", middle_out.split_categories(shares, modelled, thin, run.config.forecast.remainder_floor))
    return Parts(category, modelled, thin, split, unlisted.forecast_unlisted(category, split, new_sales))


def past_means(run: Run, plan: Plan, parts: Parts) -> DataFrame:
    """The means of every level at the cutoffs that are over, with what came true; of the thin products a share."""
    past = parts.at(F.col("cutoff") < F.lit(plan.weeks[-1]))
    hashed = F.pmod(F.xxhash64("item_id", "store_id"), F.lit(10_000)) < run.config.forecast.calibration_share * 10_000
    shared = middle_out.share_out(past.thin.where(hashed), past.split)
    return past_levels(past, _with_outcome(run, shared))


def _not_ended(run: Run, plan: Plan, panel: str) -> DataFrame:
    """The champion's means. Which series have ended is known at the last week alone: the past knew nothing of it."""
    return _without_ended(run, plan, forecast_means(run, plan, panel))


def _without_ended(run: Run, plan: Plan, at_cutoffs: DataFrame) -> DataFrame:
    ended = run.read(schemas.SERIES).where("state != 'listed'").select(F.lit(plan.weeks[-1]).alias("cutoff"), *_SERIES)
    return at_cutoffs.join(F.broadcast(ended), ["cutoff", *_SERIES], how="anti")


def _with_silent(run: Run, plan: Plan, category: DataFrame) -> DataFrame:
    """Adds rows of mean 0 for the weeks ahead of categories that a store lists and never sold in a whole week."""
    listed = run.read(schemas.SERIES).where("level = 'category' and state = 'listed'").select(*_SERIES)
    known = category.where(F.col("cutoff") == F.lit(plan.weeks[-1])).select(*_SERIES)
    silent = listed.join(known, [*_SERIES], how="anti")
    weeks = F.explode(
        F.array(*[F.struct(F.lit(n + 1).alias("step"), F.lit(w).alias("week")) for n, w in enumerate(plan.ahead)])
    )
    rows = silent.select(F.lit(plan.weeks[-1]).alias("cutoff"), *_SERIES, weeks.alias("_ahead")).select(
        "cutoff", *_SERIES, "_ahead.*", F.lit(None).cast("double").alias("y"), F.lit(0.0).alias("mean"),
        F.lit(NO_HISTORY).alias("method"),
    )  # fmt: skip
    return category.unionByName(rows)


def _weights(run: Run, plan: Plan) -> DataFrame:
    """What the products weigh at each cutoff, were they all thin."""
    weekly, series = _product_weeks(run, plan), run.read(schemas.SERIES).where("level = 'product'")
    models_from, settings = least_weeks(run, panels.PRODUCT), run.config.forecast
    weighed = weights.share_weights(weekly, series, _cutoff_weeks(plan), plan.horizon, models_from, settings)
    return _without_ended(run, plan, weighed)


def _cutoff_weeks(plan: Plan) -> list[date]:
    """The last weeks known at the cutoffs, and the last week of all."""
    return [plan.last_week(cutoff) for cutoff in plan.origins]


def _product_weeks(run: Run, plan: Plan) -> DataFrame:
    return _wanted(run).where(F.col("week") <= F.lit(plan.weeks[-1]))


def _wanted(run: Run) -> DataFrame:
    return demand.as_counted(run.read(schemas.DEMAND["weekly"]).where("level = 'product'"), "week")


def _with_outcome(run: Run, shared: DataFrame) -> DataFrame:
    """Adds the target week and what was wanted in it: nothing is zero, for the series was listed, but not in a week of
    which nothing is known."""
    came = _wanted(run).select("store_id", "item_id", "week", F.col("quantity").alias("wanted"))
    dated = shared.withColumn("week", F.date_add("cutoff", F.col("step") * 7))
    joined = dated.join(came, ["store_id", "item_id", "week"], how="left")
    outcome = joined.withColumn("y", F.coalesce("wanted", F.lit(0.0))).drop("wanted")
    if AVAILABILITY not in run.job.reads:
        return outcome
    hidden = unknown_weeks(run.read(AVAILABILITY)).withColumn("hidden", F.lit(True))
    told = outcome.join(F.broadcast(hidden), ["store_id", "week"], how="left")
    return told.withColumn("y", F.when(F.col("hidden").isNull(), F.col("y"))).drop("hidden")


def _published(run: Run, ahead: DataFrame) -> DataFrame:
    level = F.when(F.col("level") == SHARED, "product").otherwise(F.col("level"))
    named = ahead.withColumn("level", level).withColumn("run_id", F.lit(run.key))
    products = run.read(schemas.SERIES).where("level = 'product'").select("store_id", "item_id")
    return layout.in_files(run.dated(named).select(*schemas.FORECASTS.names), products, run.config.runtime.buckets)


def _counted(run: Run) -> DataFrame:
    """Series in = modelled + fallback + refused, by level, from what was published."""
    published = (
        run.read(schemas.FORECASTS)
        .where("step = 1 and level in ('product', 'category')")
        .groupBy("level")
        .agg(
            F.count(F.when(F.col("method") == middle_out.MODELLED, 1)).alias("modelled"),
            F.count(F.when(F.col("method") != middle_out.MODELLED, 1)).alias("fallback"),
        )
    )
    known = (
        run.read(schemas.SERIES)
        .groupBy("level")
        .agg(F.count(F.lit(1)).alias("series"), F.count(F.when(F.col("state") != "listed", 1)).alias("refused"))
    )
    return run.dated(
        known.join(published, "level", how="left").select("level", "series", "modelled", "fallback", "refused")
    )
