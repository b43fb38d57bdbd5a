"""features/panel_demand, features/training_frame -> models/ensembles, forecasts/backtests, models/registry"""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, ensembles, examples, panels, registry, schemas
from shelfcast.campaign import fit_and_forecast
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.modelling import artefacts, lineage_of, remove_old_artefacts
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of

_READS = (schemas.PANEL_DEMAND, examples.TRAINING_FRAME, schemas.VOCABULARIES, schemas.SCALERS, demand.KNOWN_STORES)
_WRITES = (schemas.ENSEMBLES, schemas.BACKTESTS, schemas.REGISTRY)


def job(_: Config) -> Job:
    return Job("train_baselines", _READS, _WRITES, ("backtest", "training", "runtime", "country"), train_baselines)


def train_baselines(run: Run) -> None:
    plan = plan_of(run)
    models = {panels.REFERENCE: run.config.backtest.category_models, panels.PRODUCT: run.config.backtest.product_models}
    scored, fitted = fit_and_forecast(run, plan, models, plan.cutoffs)
    with_ensembles = _add_ensembles(run, plan, run.stage("scored", scored))
    run.write(schemas.BACKTESTS, with_ensembles.select(F.lit(run.config.region).alias("region"), "*"))
    run.write(schemas.REGISTRY, _registered(run, plan, models, fitted))
    remove_old_artefacts(run, artefacts(run))


def _add_ensembles(run: Run, plan: Plan, scored: DataFrame) -> DataFrame:
    """Weights for the cutoffs that have a window before them, and for the weeks ahead."""
    cutoffs = [plan.last_week(cutoff) for cutoff in plan.origins[1:]]
    weights = ensembles.learn_weights(scored, cutoffs)
    run.write(schemas.ENSEMBLES, weights.select(F.lit(run.config.region).alias("region"), "*"))
    return scored.unionByName(ensembles.average(scored, run.read(schemas.ENSEMBLES).drop("region")))


def _registered(run: Run, plan: Plan, models: dict[str, tuple[str, ...]], fitted: DataFrame) -> DataFrame:
    sampled, seed = run.config.backtest.sampled, run.config.runtime.seed
    single = [registry.intended(run.spark, plan, *pair, sampled, seed) for pair in models.items()]
    joint = [registry.intended_ensembles(run.spark, plan, panel) for panel in models]
    wanted = reduce(DataFrame.unionByName, single + joint)
    backtests = run.read(schemas.BACKTESTS)
    below = F.replace("artefact", F.lit(f"{run.lake.root}/"), F.lit(""))
    return registry.as_registry(
        wanted, fitted.withColumn("artefact", below), backtests, run.config.region, run.key, lineage_of(run)
    )
