"""What the champions of the backtest forecast, at the backtest's cutoffs and at the last week known."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import ensembles, panels
from shelfcast.campaign import fit_and_forecast
from shelfcast.errors import LakeError
from shelfcast.job import Run
from shelfcast.plan import Plan
from shelfcast.schemas import BACKTESTS, ENSEMBLES, LEADERBOARD

# Which panel's backtest chooses the model of which panel.
CHOSEN_ON = {panels.CATEGORY: panels.REFERENCE, panels.PRODUCT: panels.PRODUCT}


def champion_of(run: Run, panel: str) -> str:
    """The model that forecasts the mean of `panel`. Raises LakeError where the backtest chose none."""
    board = run.read(LEADERBOARD).where((F.col("panel") == CHOSEN_ON[panel]) & F.col("champion").contains("mean"))
    chosen = board.select("model").first()
    if chosen is None:
        raise LakeError(
            f"models/leaderboard: no champion for the mean on panel {CHOSEN_ON[panel]}; wanted one from evaluate"
        )
    return str(chosen["model"])


def forecast_means(run: Run, plan: Plan, panel: str) -> DataFrame:
    """The champion's means at each cutoff at which it can forecast, and for the weeks ahead: cutoff (last week known),
    store_id, item_id, category_id, step, week, y, mean.

    What the backtest has forecast of the same panel is not forecast again.
    """
    model, chosen_on = champion_of(run, panel), CHOSEN_ON[panel]
    weights = _weights(run, chosen_on, model)
    members = sorted({row["member"] for row in weights.select("member").distinct().toLocalIterator()})
    run.say(f"{panel}: {model}" + (f" of {', '.join(members)}" if members else ""))
    again = () if panel == chosen_on else plan.cutoffs[1:] if members else plan.cutoffs
    scored, fitted = fit_and_forecast(run, plan, {panel: members or [model]}, (*again, len(plan.weeks)))
    _require_fitted(fitted)
    if members:
        scored = ensembles.average(scored, weights.withColumn("panel", F.lit(panel)))
    if panel == chosen_on:
        scored = scored.unionByName(backtests_of(run, panel, model))
    return scored.select(
        "cutoff", "store_id", "item_id", "category_id", "step", "week", "y", F.col("y_hat").alias("mean")
    )


def backtests_of(run: Run, panel: str, model: str) -> DataFrame:
    """What `model` forecast of `panel` at the backtest's cutoffs."""
    return run.read(BACKTESTS).where((F.col("panel") == panel) & (F.col("model") == model)).drop("region")


def _weights(run: Run, panel: str, model: str) -> DataFrame:
    """What the members of the champion weigh at each cutoff; no rows where it is no ensemble."""
    weights = run.read(ENSEMBLES).where((F.col("panel") == panel) & (F.col("model") == model))
    return weights.drop("region")


def _require_fitted(outcome: DataFrame) -> None:
    failed = outcome.where("error is not null").first()
    if failed:
        raise LakeError(f"model {failed['model']} at {failed['cutoff']}: {failed['error']}; wanted the champion fitted")
