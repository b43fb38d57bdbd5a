"""The system as one object: the jobs of a region, in the order of the flow."""

from types import ModuleType

from pyspark.sql import DataFrame

from shelfcast.runner import Runner
from shelfcast.schemas import FORECASTS, LEADERBOARD
from shelfcast.steps import (
    aggregate,
    build_features,
    check_inputs,
    clean,
    detect_anomalies,
    evaluate,
    forecast,
    ingest,
    report,
    train_baselines,
)
from shelfcast.table import Table

PIPELINE: tuple[ModuleType, ...] = (
    ingest,
    clean,
    check_inputs,
    aggregate,
    build_features,
    train_baselines,
    evaluate,
    forecast,
    detect_anomalies,
    report,
)


class InventorySystem:
    """A facade over the jobs and tables of one region, for notebooks and the pipeline."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(self) -> list[str]:
        """Every job of the pipeline, those skipped that are up to date. Returns the names of those that ran.

        The region is this run's from the first job to the last: no other's work comes between them.
        """
        jobs = [step.job(self._runner.config) for step in PIPELINE]
        with self._runner.lease:
            return [job.name for job in jobs if self._runner.run(job)]

    def table(self, table: Table) -> DataFrame:
        """The region's rows of any table."""
        return self._runner.lake.read(table, self._runner.config.region)

    def leaderboard(self) -> DataFrame:
        """Every model's scores, champions marked."""
        return self.table(LEADERBOARD)

    def forecasts(self) -> DataFrame:
        """The forecasts of all dates; filter by forecast_date, level, store_id and item_id."""
        return self.table(FORECASTS)
