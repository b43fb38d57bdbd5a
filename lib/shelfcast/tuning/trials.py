"""The trials of the tuning: their table, and the best of them."""

from collections.abc import Mapping
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.settings.networks import Networks
from shelfcast.settings.tuning import PARAMETERS
from shelfcast.table import Table

FINISHED, FAILED = "finished", "failed"
TRIALS = Table(
    "models/trials",
    # A row for each trial of the last search. loss: of the validation, which the search minimises; losses: of each
    # epoch, {loss, validation}. parameters: settings of `networks`. panel_run: the run that made the panel.
    "region string, panel string, model string, trial int, method string, status string, loss double, "
    "parameters map<string,double>, losses array<struct<loss:double,validation:double>>, seconds double, "
    "error string, panel_run string",
    key=("region", "panel", "model", "trial"),
    checks={
        "status_is_known": f"status in ('{FINISHED}', '{FAILED}')",
        "a_finished_trial_has_a_loss": f"status = '{FAILED}' or loss is not null",
    },
    operational=("seconds", "panel_run"),
)


class Best(NamedTuple):
    """The trial that a network's settings are taken from."""

    trial: int
    loss: float
    parameters: dict[str, float]


def best_trials(rows: DataFrame, panel_run: str) -> dict[tuple[str, str], Best]:
    """The finished trial of the least loss, by panel and network, of those that saw the panel of the run `panel_run`;
    of equal ones the first."""
    finished = rows.where((F.col("status") == FINISHED) & (F.col("panel_run") == F.lit(panel_run)))
    chosen = F.min_by(F.struct("trial", "loss", "parameters"), F.struct("loss", "trial")).alias("best")
    return {
        (row["panel"], row["model"]): Best(*row["best"])
        for row in finished.groupBy("panel", "model").agg(chosen).collect()
    }


def with_parameters(settings: Networks, parameters: Mapping[str, float]) -> Networks:
    """The settings with those that were tuned in their place. Raises ValueError where one is none."""
    return Networks.model_validate({**settings.model_dump(), **parameters})


def parameters_of(settings: Networks) -> dict[str, float]:
    """What can be tuned, as it is set."""
    return {name: float(getattr(settings, name)) for name in PARAMETERS}
