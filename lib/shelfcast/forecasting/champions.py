"""What the champions of the backtest forecast, at the backtest's cutoffs and at the last week known."""

from functools import reduce

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from shelfcast import ensembles
from shelfcast.campaign import fit_and_forecast
from shelfcast.challengers import CHAMPIONS
from shelfcast.errors import LakeError
from shelfcast.forecasting.middle_out import FALLBACK, MODELLED
from shelfcast.forecasting.networks import backtests_by_networks, forecast_ahead
from shelfcast.job import Run
from shelfcast.leaderboard import NOT_AHEAD
from shelfcast.models.mlp import FAMILY
from shelfcast.panels import CHOSEN_ON
from shelfcast.plan import Plan
from shelfcast.promotion import standing
from shelfcast.schemas import BACKTESTS, ENSEMBLES, LEADERBOARD
from shelfcast.scoring import SCORED_COLUMNS
from shelfcast.table import column_names


def champion_of(run: Run, panel: str) -> str:
    """The model that forecasts the mean of `panel` on the as-of date. Raises LakeError where nobody was champion."""
    named = standing(run.read(CHAMPIONS), run.known_on).where(F.col("panel") == CHOSEN_ON[panel])
    chosen = named.where("purpose = 'mean'").select("model").first()
    if chosen is None:
        raise LakeError(
            f"models/champions: nobody for the mean on panel {CHOSEN_ON[panel]} by {run.known_on}; wanted evaluate to "
            f"have run"
        )
    return str(chosen["model"])


def forecast_means(run: Run, plan: Plan, panel: str) -> DataFrame:
    """The champion's means at each cutoff at which it can forecast, and for the weeks ahead: cutoff (last week known),
    store_id, item_id, category_id, step, week, y, mean, method.

    What the backtest has forecast of the same panel is not forecast again.
    """
    model = champion_of(run, panel)
    champion = _on_board(run, panel, model)
    if champion and champion["family"] == FAMILY:
        run.say(f"{panel}: network {model}")
        scored = forecast_ahead(run, plan, panel, model).select(*column_names(SCORED_COLUMNS))
        scored = scored.unionByName(backtests_of(run, panel, model))
    else:
        if champion:
            _tell_of_better(run, panel, champion)
        scored = _forecast_by_baseline(run, plan, panel, model)
    method = F.when(F.col("fallback").isNull(), MODELLED).otherwise(FALLBACK)
    return scored.select(
        "cutoff",
        "store_id",
        "item_id",
        "category_id",
        "step",
        "week",
        "y",
        F.col("y_hat").alias("mean"),
        method.alias("method"),
    )


def backtests_of(run: Run, panel: str, model: str) -> DataFrame:
    """What `model` forecast of `panel` at the backtest's cutoffs: SCORED_COLUMNS."""
    names = column_names(SCORED_COLUMNS)
    tables = [run.read(BACKTESTS), *backtests_by_networks(run)]
    own = [table.where((F.col("panel") == panel) & (F.col("model") == model)).select(*names) for table in tables]
    return reduce(DataFrame.unionByName, own)


def _on_board(run: Run, panel: str, model: str) -> Row | None:
    """The model's family and score at the earlier cutoffs."""
    board = run.read(LEADERBOARD).where((F.col("panel") == CHOSEN_ON[panel]) & (F.col("model") == model))
    return board.select("model", "family", "earlier_rmse").first()


def _tell_of_better(run: Run, panel: str, champion: Row) -> None:
    """Say which network was better at the earlier cutoffs, and why it does not forecast."""
    networks = run.read(LEADERBOARD).where((F.col("panel") == CHOSEN_ON[panel]) & (F.col("family") == FAMILY))
    better = networks.where(F.col("earlier_rmse") < F.lit(champion["earlier_rmse"]).cast("double"))
    found = better.where(F.col("detail").contains(NOT_AHEAD)).orderBy("earlier_rmse").select("model", "detail").first()
    if found:
        run.say(
            f"{panel}: {found['model']} was better at the earlier cutoffs, and does not forecast: {found['detail']}"
        )


def _forecast_by_baseline(run: Run, plan: Plan, panel: str, model: str) -> DataFrame:
    """SCORED_COLUMNS of a baseline or an ensemble of them, fitted where it is not forecast yet."""
    chosen_on = CHOSEN_ON[panel]
    weights = _weights(run, plan, chosen_on, model)
    members = sorted({row["member"] for row in weights.select("member").distinct().toLocalIterator()})
    run.say(f"{panel}: {model}" + (f" of {', '.join(members)}" if members else ""))
    again = () if panel == chosen_on else plan.cutoffs[1:] if members else plan.cutoffs
    scored, fitted = fit_and_forecast(run, plan, {panel: members or [model]}, (*again, len(plan.weeks)))
    _require_fitted(fitted)
    if members:
        scored = ensembles.average(scored, weights.withColumn("panel", F.lit(panel)))
    return scored.unionByName(backtests_of(run, panel, model)) if panel == chosen_on else scored


def _weights(run: Run, plan: Plan, panel: str, model: str) -> DataFrame:
    """What the members of the champion weigh at each cutoff and for the weeks ahead; no rows where it is no ensemble.

    The newest weights are those for the weeks ahead, also where weeks came since they were learned.
    """
    weights = run.read(ENSEMBLES).where((F.col("panel") == panel) & (F.col("model") == model))
    whole = Window.partitionBy("region").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    is_newest = F.col("cutoff") == F.max("cutoff").over(whole)
    at = F.when(is_newest, F.lit(plan.weeks[-1])).otherwise(F.col("cutoff"))
    return weights.withColumn("cutoff", at).drop("region")


def _require_fitted(outcome: DataFrame) -> None:
    failed = outcome.where("error is not null").first()
    if failed:
        raise LakeError(f"model {failed['model']} at {failed['cutoff']}: {failed['error']}; wanted the champion fitted")
