"""forecasts/backtests, models/registry, models/ensembles, demand/series, and those of the networks where there are any
-> forecasts/metrics, models/leaderboard, models/champions"""

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import challengers, demand, evaluation, leaderboard, panels, promotion, registry, schemas, tracking
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.modelling import panel_run
from shelfcast.networks.tables import BY_NETWORKS, OF_STORES
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of

_READS = (schemas.BACKTESTS, schemas.REGISTRY, schemas.ENSEMBLES, demand.KNOWN_STORES, schemas.SERIES)
_WRITES = (schemas.METRICS, schemas.LEADERBOARD, CHAMPIONS)


def job(config: Config) -> Job:
    """Raises ConfigError where model versions are to be told of in a place that is none."""
    tracking.check(config.tracking.uri)
    networks = tuple(table for tables in BY_NETWORKS for table in tables)
    settings = ("backtest", "training", "runtime", "retraining")
    return Job("evaluate", _READS, _WRITES, settings, evaluate, optional=networks)


def evaluate(run: Run) -> None:
    plan = plan_of(run)
    region = F.lit(run.config.region).alias("region")
    backtests, rows = _with_networks(run, plan)
    measured = registry.with_versions(evaluation.measure(backtests), rows)
    run.write(schemas.METRICS, measured.select(region, "*"))
    last_cutoff = plan.last_week(plan.cutoffs[-1])
    history = _history(run)
    before = run.stage("incumbents", promotion.incumbents(history, run.known_on))
    barred = promotion.barred(history, run.known_on, run.config.retraining.barred_days)
    metrics, weights = run.read(schemas.METRICS), run.read(schemas.ENSEMBLES)
    ranked = run.stage("ranked", leaderboard.rank(metrics, rows, weights, last_cutoff, before, barred))
    errors = run.stage("errors", challengers.sum_errors(backtests, _demand_classes(run)))
    pairs = challengers.pair(ranked, rows)
    verdicts = run.stage("verdicts", _judge(run, pairs, before, errors))
    board = leaderboard.mark(ranked, promotion.applied(pairs, verdicts))
    run.write(schemas.LEADERBOARD, board.select(region, "*"))
    leaderboard.show(run.read(schemas.LEADERBOARD))
    compared = challengers.confront(challengers.pair(board, rows), errors, [last_cutoff], run.config.runtime.seed)
    _record_champions(run, promotion.with_decision(compared, verdicts, before), before)
    if uri := run.config.tracking.uri:
        versions = tracking.with_scores(rows, run.read(schemas.METRICS), run.read(schemas.LEADERBOARD))
        run.say(tracking.tell(uri, run.config.region, versions))


def _history(run: Run) -> DataFrame:
    known = run.lake.exists(CHAMPIONS)
    return run.read(CHAMPIONS) if known else run.spark.createDataFrame([], CHAMPIONS.schema)


def _demand_classes(run: Run) -> DataFrame:
    """The demand class of each series of each panel."""
    of_level = F.when(F.col("level") == "product", F.array(F.lit(panels.PRODUCT)))
    named = F.explode(of_level.otherwise(F.array(F.lit(panels.REFERENCE), F.lit(panels.CATEGORY)))).alias("panel")
    return run.read(schemas.SERIES).select(named, "store_id", "item_id", "demand_class")


def _judge(run: Run, pairs: DataFrame, before: DataFrame, errors: DataFrame) -> DataFrame:
    """The verdicts on who challenges a champion of before."""
    reigning = pairs.join(
        F.broadcast(before.select("panel", "purpose", "model")), ["panel", "purpose", "model"], "semi"
    )
    return promotion.judge(reigning, errors, run.config.retraining, run.config.runtime.seed)


def _record_champions(run: Run, decided: DataFrame, before: DataFrame) -> None:
    """Add to the history of champions: once, however often the run is done."""
    told = {
        "region": F.lit(run.config.region),
        "decided_at": F.lit(datetime.now(UTC)),
        "run_id": F.lit(run.key),
    }
    dated = challengers.with_since(decided, before, run.known_on).withColumns(told)
    run.append_once(CHAMPIONS, dated.select(*CHAMPIONS.names))


def _with_networks(run: Run, plan: Plan) -> tuple[DataFrame, DataFrame]:
    """The backtests and the registry, with those of the networks, of their stores' heads and of what other companies'
    networks became, where there are any. The registry has a network that forecasts the weeks ahead at the last week."""
    backtests, rows = run.read(schemas.BACKTESTS), run.read(schemas.REGISTRY)
    made = panel_run(run)
    origins = [plan.last_week(origin) for origin in plan.origins]
    networks = run.find(schemas.NETWORK_REGISTRY)
    for tables in BY_NETWORKS:
        scored, registered = (run.find(table) for table in tables)
        if scored is None or registered is None or (tables == OF_STORES and networks is None):
            continue
        current = registry.current_networks(registered, made or "", origins)
        if tables == OF_STORES and networks is not None:
            current = registry.current_heads(current, networks)
        own = scored.join(F.broadcast(current), ["panel", "model", "cutoff"], how="semi")
        backtests = backtests.unionByName(own.select(*schemas.BACKTESTS.names))
        rows = rows.unionByName(current.select(*schemas.REGISTRY.names))
    return backtests, rows
