"""Networks that forecast the weeks ahead: those that know all weeks, scored a bucket of series at a time."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import LakeError
from shelfcast.job import Run
from shelfcast.modelling import finished_buckets, least_weeks, panel_rows
from shelfcast.models.mlp import MEDIAN_SUFFIX
from shelfcast.networks.scoring import NetworkScorer, base_of
from shelfcast.networks.tables import BY_NETWORKS, STORE_HEADS
from shelfcast.plan import Plan
from shelfcast.table import column_names
from shelfcast.windows import windows_at

# What a job declares as optional that may forecast by a network.
INPUTS = (*(table for tables in BY_NETWORKS for table in tables), STORE_HEADS)


def backtests_by_networks(run: Run) -> list[DataFrame]:
    """The tables of what networks forecast at the backtest's cutoffs, those that are there."""
    found = [run.find(backtests) for backtests, _ in BY_NETWORKS]
    return [frame for frame in found if frame is not None]


def forecast_ahead(run: Run, plan: Plan, panel: str, model: str) -> DataFrame:
    """What the network `model` of the leaderboard says of the weeks ahead of `panel`: SCORED_COLUMNS and its quantiles.

    Weeks may have come since it was trained: it reads them too. Raises LakeError where there is none that has learned
    from all weeks that were known then.
    """
    base, now = base_of(model), len(plan.weeks)
    artefact, learned = newest_network(run, plan, panel, model)
    at = {(base.removesuffix(MEDIAN_SUFFIX), now): artefact}
    finished = finished_buckets(run, panel, "ahead")
    scorer = NetworkScorer(plan.axis(panel), at, least_weeks(run, panel), {base}, finished)
    scored = scorer.score(panel_rows(run, panel), run.config.runtime.buckets)
    return scored if model == base else _with_heads(run, plan, panel, at, learned, scored)


def newest_network(run: Run, plan: Plan, panel: str, model: str) -> tuple[str, date]:
    """Where the network lies that was fitted for the weeks ahead last, and the last week that it learned from.

    Raises LakeError.
    """
    backtested, week = plan.last_week(plan.cutoffs[-1]), plan.weeks[-1]
    named = (F.col("panel") == panel) & (F.col("model") == model) & (F.col("status") == "fitted")
    is_ahead = (F.col("cutoff") > F.lit(backtested)) & (F.col("cutoff") <= F.lit(week))
    for _, table in BY_NETWORKS:
        rows = run.find(table)
        found = None if rows is None else rows.where(named & is_ahead).orderBy(F.desc("cutoff")).first()
        if found:
            return run.lake.address(found["artefact"]), found["cutoff"]
    raise LakeError(
        f"models/leaderboard: {model} is champion, and no registry has it for panel {panel} with weeks behind "
        f"{backtested} up to {week}; wanted job evaluate run again"
    )


def _with_heads(
    run: Run, plan: Plan, panel: str, artefacts: dict[tuple[str, int], str], learned: date, scored: DataFrame
) -> DataFrame:
    """The network's forecasts, those of stores that keep a head of their own by that one."""
    # Keras takes seconds to load, and a forecast without such heads needs none of it on the driver.
    from shelfcast.networks.heads import HEAD_COLUMNS, HeadScorer, with_kept_heads

    ((kind, now),) = artefacts
    axis, buckets = plan.axis(panel), run.config.runtime.buckets
    as_trained = (F.col("panel") == panel) & (F.col("model") == kind) & (F.col("cutoff") == F.lit(learned))
    heads = run.find(STORE_HEADS)
    assert heads is not None, "they were registered by the job that wrote them"
    kept = heads.where(as_trained & F.col("kept")).withColumn("cutoff", F.lit(plan.weeks[-1]))
    least, country = least_weeks(run, panel), run.config.country
    windows = windows_at(panel_rows(run, panel), axis, [now], least, buckets, country)
    own = windows.join(F.broadcast(kept.select("store_id")), "store_id", how="semi")
    tried = HeadScorer(panel, axis, artefacts).forecast(own, kept.select(*column_names(HEAD_COLUMNS)), buckets)
    return with_kept_heads(scored, tried, kept)
