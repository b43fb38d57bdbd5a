"""forecasts/backtests, models/registry, models/ensembles -> forecasts/metrics, models/leaderboard"""

from pyspark.sql import functions as F

from shelfcast import evaluation, leaderboard, schemas
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.steps.build_features import plan_of

_READS = (schemas.BACKTESTS, schemas.REGISTRY, schemas.ENSEMBLES, schemas.STORES)
_WRITES = (schemas.METRICS, schemas.LEADERBOARD)


def job(config: Config) -> Job:
    return Job("evaluate", _READS, _WRITES, ("backtest", "training"), evaluate)


def evaluate(run: Run) -> None:
    plan = plan_of(run)
    region = F.lit(run.config.region).alias("region")
    run.write(schemas.METRICS, evaluation.measure(run.read(schemas.BACKTESTS)).select(region, "*"))
    metrics, registry, weights = (run.read(table) for table in (schemas.METRICS, schemas.REGISTRY, schemas.ENSEMBLES))
    ranked = leaderboard.rank(metrics, registry, weights, plan.last_week(plan.cutoffs[-1]))
    run.write(schemas.LEADERBOARD, ranked.select(region, "*"))
    leaderboard.show(run.read(schemas.LEADERBOARD))
