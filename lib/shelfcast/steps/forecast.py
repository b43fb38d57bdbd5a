"""features/panel_demand, demand/weekly, demand/series, models/leaderboard -> forecasts/demand, forecasts/calibration,
forecasts/series_counts"""

from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import examples, panels, schemas
from shelfcast.config import Config
from shelfcast.forecasting import conformal, middle_out
from shelfcast.forecasting.champions import forecast_means
from shelfcast.job import Job, Run
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of

_READS = (
    schemas.PANEL_DEMAND,
    examples.TRAINING_FRAME,
    schemas.VOCABULARIES,
    schemas.SCALERS,
    schemas.STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
    schemas.LEADERBOARD,
)
_WRITES = (schemas.FORECASTS, schemas.CALIBRATION, schemas.SERIES_COUNTS)
_SERIES = ("store_id", "item_id", "category_id")
NO_HISTORY = "no_history"


def job(config: Config) -> Job:
    settings = ("backtest", "training", "runtime", "country", "forecast")
    return Job("forecast", _READS, _WRITES, settings, forecast)


def forecast(run: Run) -> None:
    plan = plan_of(run)
    means = all_means(run, plan).persist(StorageLevel.DISK_ONLY)
    last = plan.weeks[-1]
    past = means.where(F.col("cutoff") < F.lit(last))
    measured = past.where(F.col("cutoff") == F.lit(plan.last_week(plan.cutoffs[-1])))
    earlier = past.where(F.col("cutoff") < F.lit(plan.last_week(plan.cutoffs[-1])))

    scored = conformal.with_quantiles(measured, conformal.fit_ratios(earlier))
    run.write(schemas.CALIBRATION, _dated(run, conformal.measure_calibration(scored)))
    ahead = conformal.with_quantiles(means.where(F.col("cutoff") == F.lit(last)), conformal.fit_ratios(past))
    run.write(schemas.FORECASTS, _published(run, ahead))
    run.write(schemas.SERIES_COUNTS, _counted(run))
    means.unpersist()


def all_means(run: Run, plan: Plan) -> DataFrame:
    """The means of every level at each cutoff, with what came true: level, cutoff, the series, step, week, y, mean,
    method.

    `level` tells modelled and shared products apart: their errors are not alike. At cutoffs that are over, a share of
    the thin products stands for all.
    """
    cutoffs = (*plan.cutoffs, len(plan.weeks))
    category = _with_silent(run, plan, forecast_means(run, plan, panels.CATEGORY, cutoffs)).persist(
        StorageLevel.DISK_ONLY
    )
    modelled = forecast_means(run, plan, panels.PRODUCT, cutoffs).persist(StorageLevel.DISK_ONLY)
    thin = _thin_shares(run, plan, modelled)
    split = middle_out.split_categories(category, modelled, thin, run.config.forecast.remainder_floor)
    split = split.persist(StorageLevel.DISK_ONLY)
    own = middle_out.scale_modelled(modelled, split).join(
        modelled.select("cutoff", *_SERIES, "step", "week", "y"), ["cutoff", *_SERIES, "step"]
    )
    shared = _with_outcome(run, plan, middle_out.share_out(_sampled(run, plan, thin), split))
    levels = {
        "product": own,
        "product_shared": shared,
        "category": category,
        "store": _sum(category, F.col("store_id")),
        "region": _sum(category, F.lit("(all)")),
    }
    return reduce(DataFrame.unionByName, [frame.withColumn("level", F.lit(level)) for level, frame in levels.items()])


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


def _thin_shares(run: Run, plan: Plan, modelled: DataFrame) -> DataFrame:
    """The weights of the products without a model at each cutoff."""
    dates = [plan.last_week(cutoff) for cutoff in (*plan.cutoffs, len(plan.weeks))]
    weekly = run.read(schemas.DEMAND["weekly"]).where("level = 'product'").where(F.col("week") <= F.lit(plan.weeks[-1]))
    series = run.read(schemas.SERIES).where("level = 'product' and state = 'listed'")
    weights = middle_out.share_weights(weekly, series, dates, run.config.forecast)
    models = modelled.where("step = 1").select("cutoff", *_SERIES)
    return weights.join(F.broadcast(models), ["cutoff", *_SERIES], how="anti").persist(StorageLevel.DISK_ONLY)


def _sampled(run: Run, plan: Plan, thin: DataFrame) -> DataFrame:
    """All thin products at the last week; at cutoffs that are over, a share of them by a hash of store and item."""
    hashed = F.pmod(F.xxhash64("item_id", "store_id"), F.lit(10_000)) < run.config.forecast.calibration_share * 10_000
    return thin.where(hashed | (F.col("cutoff") == F.lit(plan.weeks[-1])))


def _with_outcome(run: Run, plan: Plan, shared: DataFrame) -> DataFrame:
    """Adds the target week and what sold in it: nothing is zero, for the series was listed; null where it is yet to
    come."""
    weekly = run.read(schemas.DEMAND["weekly"]).where("level = 'product'")
    came = weekly.select("store_id", "item_id", "week", F.col("quantity").alias("sold"))
    dated = shared.withColumn("week", F.date_add("cutoff", F.col("step") * 7))
    past = dated.where(F.col("cutoff") < F.lit(plan.weeks[-1])).join(came, ["store_id", "item_id", "week"], how="left")
    future = dated.where(F.col("cutoff") == F.lit(plan.weeks[-1]))
    return (
        past.withColumn("y", F.coalesce("sold", F.lit(0.0)))
        .drop("sold")
        .unionByName(future.withColumn("y", F.lit(None).cast("double")))
    )


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
        _dated(run, frame).select(*schemas.FORECASTS.names).repartition(run.config.runtime.buckets, "level", "store_id")
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
    return _dated(
        run, known.join(published, "level", how="left").select("level", "series", "modelled", "fallback", "refused")
    )


def _dated(run: Run, frame: DataFrame) -> DataFrame:
    region = F.lit(run.config.region).alias("region")
    return frame.select(region, F.lit(run.known_on).alias("forecast_date"), "*")
