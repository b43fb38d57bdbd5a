"""features/*, demand/weekly, demand/series, forecasts/backtests, models/leaderboard -> forecasts/demand,
forecasts/calibration, forecasts/accuracy, forecasts/series_counts"""

from datetime import date
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import examples, panels, schemas
from shelfcast.config import Config
from shelfcast.forecasting import accuracy, bias, conformal, middle_out, unlisted, weights
from shelfcast.forecasting.champions import forecast_means
from shelfcast.job import Job, Run
from shelfcast.modelling import least_weeks
from shelfcast.plan import Plan
from shelfcast.session import side_by_side
from shelfcast.steps.build_features import plan_of
from shelfcast.weeks import WEEK

_READS = (
    schemas.PANEL_DEMAND,
    examples.TRAINING_FRAME,
    schemas.VOCABULARIES,
    schemas.SCALERS,
    schemas.STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
    schemas.BACKTESTS,
    schemas.ENSEMBLES,
    schemas.LEADERBOARD,
)
_WRITES = (schemas.FORECASTS, schemas.CALIBRATION, schemas.ACCURACY, schemas.SERIES_COUNTS)
_SERIES = ("store_id", "item_id", "category_id")
NO_HISTORY = "no_history"


def job(config: Config) -> Job:
    settings = ("backtest", "training", "runtime", "country", "forecast")
    return Job("forecast", _READS, _WRITES, settings, forecast)


def forecast(run: Run) -> None:
    plan = plan_of(run)
    parts = _parts(run, plan)
    past = run.stage("past", past_means(run, plan, parts))
    measured_at = plan.last_week(plan.cutoffs[-1])
    measured = past.where(F.col("cutoff") == F.lit(measured_at))
    # Of the windows that were over by then: where cutoffs lie closer than the horizon, others hold what is measured.
    earlier = past.where(F.col("cutoff") <= F.lit(measured_at - plan.horizon * WEEK))
    ratios, earlier_ratios = side_by_side(
        run.spark,
        lambda: run.stage("ratios", conformal.fit_ratios(past)),
        lambda: run.stage("earlier_ratios", conformal.fit_ratios(earlier)),
    )
    scored = conformal.with_quantiles(measured, earlier_ratios)
    ahead = conformal.with_quantiles(means_ahead(plan, parts), ratios)
    side_by_side(
        run.spark,
        lambda: run.write(schemas.FORECASTS, _published(run, ahead)),
        lambda: run.write(schemas.CALIBRATION, run.dated(conformal.measure_calibration(scored))),
        lambda: run.write(schemas.ACCURACY, run.dated(accuracy.measure(scored))),
    )
    run.write(schemas.SERIES_COUNTS, _counted(run))


class Parts(NamedTuple):
    """The means at each cutoff that all others follow from: of categories, of modelled products, the weights of the
    thin ones, how each category is split, and what products not listed yet have of it."""

    category: DataFrame
    modelled: DataFrame
    thin: DataFrame
    split: DataFrame
    unlisted: DataFrame


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
    past = Parts(*[frame.where(F.col("cutoff") < F.lit(plan.weeks[-1])) for frame in parts])
    hashed = F.pmod(F.xxhash64("item_id", "store_id"), F.lit(10_000)) < run.config.forecast.calibration_share * 10_000
    shared = middle_out.share_out(past.thin.where(hashed), past.split)
    return _levels(past, _with_outcome(run, shared))


def means_ahead(plan: Plan, parts: Parts) -> DataFrame:
    """The means of every level for the weeks ahead."""
    ahead = Parts(*[frame.where(F.col("cutoff") == F.lit(plan.weeks[-1])) for frame in parts])
    shared = middle_out.share_out(ahead.thin, ahead.split)
    week = F.date_add("cutoff", F.col("step") * 7)
    return _levels(ahead, shared.withColumn("week", week).withColumn("y", F.lit(None).cast("double")))


def _levels(parts: Parts, shared: DataFrame) -> DataFrame:
    """Rows of every level: level, cutoff, the series, step, week, y, mean, method. `level` tells modelled and shared
    products apart: their errors are not alike."""
    outcome = parts.modelled.select("cutoff", *_SERIES, "step", "week", "y")
    own = middle_out.scale_modelled(parts.modelled, parts.split).join(outcome, ["cutoff", *_SERIES, "step"])
    levels = {
        "product": own,
        "product_shared": shared,
        "unlisted": parts.unlisted,
        "category": parts.category,
        "store": _sum(parts.category, F.col("store_id")),
        "region": _sum(parts.category, F.lit("(all)")),
    }
    named = [frame.withColumn("level", F.lit(level)) for level, frame in levels.items()]
    return reduce(DataFrame.unionByName, named)


def _not_ended(run: Run, plan: Plan, panel: str) -> DataFrame:
    """The champion's means. Which series have ended is known at the last week alone: the past knew nothing of it."""
    return _without_ended(run, plan, forecast_means(run, plan, panel))


def _without_ended(run: Run, plan: Plan, at_cutoffs: DataFrame) -> DataFrame:
    ended = run.read(schemas.SERIES).where("state != 'listed'").select(F.lit(plan.weeks[-1]).alias("cutoff"), *_SERIES)
    return at_cutoffs.join(F.broadcast(ended), ["cutoff", *_SERIES], how="anti")


def _with_silent(run: Run, plan: Plan, category: DataFrame) -> DataFrame:
    """Adds `method`, and rows of mean 0 for the weeks ahead of categories that a store lists and never sold in a whole
    week."""
    forecast = category.withColumn("method", F.lit(middle_out.MODELLED))
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
    return forecast.unionByName(rows)


def _weights(run: Run, plan: Plan) -> DataFrame:
    """What the products weigh at each cutoff, were they all thin."""
    weekly, series = _product_weeks(run, plan), run.read(schemas.SERIES).where("level = 'product'")
    models_from, settings = least_weeks(run, panels.PRODUCT), run.config.forecast
    weighed = weights.share_weights(weekly, series, _cutoff_weeks(plan), plan.horizon, models_from, settings)
    return _without_ended(run, plan, weighed)


def _cutoff_weeks(plan: Plan) -> list[date]:
    """The last weeks known at the cutoffs, and the last week of all."""
    return [plan.last_week(cutoff) for cutoff in (*plan.cutoffs, len(plan.weeks))]


def _product_weeks(run: Run, plan: Plan) -> DataFrame:
    return run.read(schemas.DEMAND["weekly"]).where("level = 'product'").where(F.col("week") <= F.lit(plan.weeks[-1]))


def _with_outcome(run: Run, shared: DataFrame) -> DataFrame:
    """Adds the target week and what sold in it: nothing is zero, for the series was listed."""
    weekly = run.read(schemas.DEMAND["weekly"]).where("level = 'product'")
    came = weekly.select("store_id", "item_id", "week", F.col("quantity").alias("sold"))
    dated = shared.withColumn("week", F.date_add("cutoff", F.col("step") * 7))
    joined = dated.join(came, ["store_id", "item_id", "week"], how="left")
    return joined.withColumn("y", F.coalesce("sold", F.lit(0.0))).drop("sold")


def _sum(category: DataFrame, store: Column) -> DataFrame:
    """The sums of category means over stores, or over all."""
    known = F.when(F.count("y") == F.count(F.lit(1)), F.sum("y"))
    sums = category.groupBy("cutoff", store.alias("store_id"), "step", "week")
    everything = F.lit("(all)")
    return sums.agg(known.alias("y"), F.sum("mean").alias("mean")).select(
        "cutoff",
        "store_id",
        everything.alias("item_id"),
        everything.alias("category_id"),
        "step",
        "week",
        "y",
        "mean",
        F.lit("sum").alias("method"),
    )


def _published(run: Run, ahead: DataFrame) -> DataFrame:
    level = F.when(F.col("level") == "product_shared", "product").otherwise(F.col("level"))
    frame = ahead.withColumn("level", level).withColumn("run_id", F.lit(run.key))
    by_store = (
        run.dated(frame).select(*schemas.FORECASTS.names).repartition(run.config.runtime.buckets, "level", "store_id")
    )
    return by_store.sortWithinPartitions("level", "store_id", "item_id", "step")


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
