"""What the champions of the backtest forecast, at the backtest's cutoffs and at the last week known."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import panels
from shelfcast.campaign import fit_and_forecast
from shelfcast.errors import LakeError
from shelfcast.job import Run
from shelfcast.plan import Plan
from shelfcast.schemas import LEADERBOARD

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


def forecast_means(run: Run, plan: Plan, panel: str, cutoffs: Sequence[int]) -> DataFrame:
    """The champion's means at each cutoff: cutoff (last week known), store_id, item_id, category_id, step, week, y,
    mean."""
    model = champion_of(run, panel)
    run.say(f"{panel}: {model}")
    scored, fitted = fit_and_forecast(run, plan, {panel: [model]}, cutoffs)
    _require_fitted(fitted)
    return scored.select(
        "cutoff", "store_id", "item_id", "category_id", "step", "week", "y", F.col("y_hat").alias("mean")
    )


def _require_fitted(outcome: DataFrame) -> None:
    failed = outcome.where("error is not null").first()
    if failed:
        raise LakeError(f"model {failed['model']} at {failed['cutoff']}: {failed['error']}; wanted the champion fitted")
