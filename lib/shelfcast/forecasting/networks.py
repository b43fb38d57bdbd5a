"""Networks that forecast the weeks ahead: those that know all weeks, scored a bucket of series at a time."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import registry
from shelfcast.errors import LakeError
from shelfcast.job import Run
from shelfcast.modelling import finished_buckets, least_weeks, panel_rows, panel_run
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

    Raises LakeError where there is none that has learned from the panel as it is.
    """
    base, now = base_of(model), len(plan.weeks)
    at = {(base.removesuffix(MEDIAN_SUFFIX), now): _artefact(run, plan, panel, model)}
    finished = finished_buckets(run, panel, "ahead")
    scorer = NetworkScorer(plan.axis(panel), at, least_weeks(run, panel), {base}, finished)
    scored = scorer.score(panel_rows(run, panel), run.config.runtime.buckets)
    return scored if model == base else _with_heads(run, plan, panel, at, scored)


def _artefact(run: Run, plan: Plan, panel: str, model: str) -> str:
    made, week = panel_run(run) or "", plan.weeks[-1]
    for _, table in BY_NETWORKS:
        rows = run.find(table)
        if rows is not None:
            own = registry.current_networks(rows, made, [week]).where(F.col("panel") == panel)
            found = own.where((F.col("model") == model) & (F.col("status") == "fitted")).select("artefact").first()
            if found:
                return str(found["artefact"])
    raise LakeError(
        f"models/leaderboard: {model} is champion, and no registry has it for panel {panel} with all weeks to that of "
        f"{week}; wanted job evaluate run again"
    )


def _with_heads(
    run: Run, plan: Plan, panel: str, artefacts: dict[tuple[str, int], str], scored: DataFrame
) -> DataFrame:
    """The network's forecasts, those of stores that keep a head of their own by that one."""
    # Keras takes seconds to load, and a forecast without such heads needs none of it on the driver.
    from shelfcast.networks.heads import HEAD_COLUMNS, HeadScorer, with_kept_heads

    ((kind, now),) = artefacts
    axis, buckets = plan.axis(panel), run.config.runtime.buckets
    at_now = (F.col("panel") == panel) & (F.col("model") == kind) & (F.col("cutoff") == F.lit(plan.last_week(now)))
    heads = run.find(STORE_HEADS)
    assert heads is not None, "they were registered by the job that wrote them"
    kept = heads.where(at_now & F.col("kept"))
    least, country = least_weeks(run, panel), run.config.country
    windows = windows_at(panel_rows(run, panel), axis, [now], least, buckets, country)
    own = windows.join(F.broadcast(kept.select("store_id")), "store_id", how="semi")
    tried = HeadScorer(panel, axis, artefacts).forecast(own, kept.select(*column_names(HEAD_COLUMNS)), buckets)
    return with_kept_heads(scored, tried, kept)
