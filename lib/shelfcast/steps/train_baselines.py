"""features/panel_demand, features/training_frame -> forecasts/backtests, models/registry"""

from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import examples, panels, registry, schemas
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.modelling import make_scorer, panel_rows, plan_fits
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of
from shelfcast.training.baselines import fit_in_tasks

_READS = (schemas.PANEL_DEMAND, examples.TRAINING_FRAME, schemas.VOCABULARIES, schemas.SCALERS, schemas.STORES)
_WRITES = (schemas.BACKTESTS, schemas.REGISTRY)


def job(config: Config) -> Job:
    return Job("train_baselines", _READS, _WRITES, ("backtest", "training", "runtime", "country"), train_baselines)


def train_baselines(run: Run) -> None:
    plan = plan_of(run)
    models = {panels.REFERENCE: run.config.backtest.category_models, panels.PRODUCT: run.config.backtest.product_models}
    fits = [fit for panel, names in models.items() for fit in plan_fits(run, plan, panel, names, plan.cutoffs)]
    fitted = fit_in_tasks(run.spark, fits).persist(StorageLevel.DISK_ONLY)
    failed = {row["artefact"] for row in fitted.where("error is not null").toLocalIterator()}
    whole = [fit for fit in fits if fit.artefact not in failed]

    def scored(panel: str) -> DataFrame:
        scorer = make_scorer(run, plan, panel, models[panel], plan.cutoffs, whole)
        return scorer.score(panel_rows(run, panel)).select(F.lit(run.config.region).alias("region"), "*")

    run.write(schemas.BACKTESTS, reduce(DataFrame.unionByName, [scored(panel) for panel in models]))
    run.write(schemas.REGISTRY, _registered(run, plan, models, fitted))
    fitted.unpersist()


def _registered(run: Run, plan: Plan, models: dict[str, tuple[str, ...]], fitted: DataFrame) -> DataFrame:
    wanted = reduce(DataFrame.unionByName, [registry.intended(run.spark, plan, *pair) for pair in models.items()])
    return registry.as_registry(wanted, fitted, run.read(schemas.BACKTESTS), run.config.region, run.key)
