"""features/windows, features/panel_demand, forecasts/network_backtests, models/network_registry -> models/store_heads,
forecasts/store_backtests, models/store_registry"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from shelfcast import artefacts, demand, registry, schemas
from shelfcast.code import installed
from shelfcast.config import Config
from shelfcast.errors import ConfigError, LakeError
from shelfcast.job import Job, Run
from shelfcast.lineage import as_text
from shelfcast.modelling import least_weeks, lineage_of, panel_rows, panel_run
from shelfcast.models.mlp.forecaster import read_design
from shelfcast.models.mlp.head import count_weights
from shelfcast.networks import tables as network_tables
from shelfcast.networks.heads import StoreHeads, with_kept_heads
from shelfcast.networks.verdicts import judge
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of
from shelfcast.table import Table
from shelfcast.training.loop import Recipe
from shelfcast.windows import WINDOWS, sample_by_store, windows_at

_READS = (schemas.PANEL_DEMAND, demand.KNOWN_STORES)
_NETWORKS = (WINDOWS, schemas.NETWORK_BACKTESTS, schemas.NETWORK_REGISTRY)
_WRITES = (network_tables.STORE_HEADS, network_tables.STORE_BACKTESTS, network_tables.STORE_REGISTRY)
_COMPUTING = ("keras", "tensorflow", "tensorflow-cpu")
_KEY = ["panel", "model", "cutoff"]


def job(config: Config) -> Job:
    return Job(
        "fine_tune_stores",
        _READS,
        _WRITES,
        ("backtest", "training", "fine_tuning", "runtime", "country"),
        fine_tune_stores,
        optional=_NETWORKS,
        stamp=lambda _: repr(installed(_COMPUTING)),
    )


def fine_tune_stores(run: Run) -> None:
    plan, runtime = plan_of(run), run.config.runtime
    networks = _current_networks(run, plan)
    found = networks.where("minimises = 'mean'").collect()
    _require_small_heads(run, found)
    makers = [_maker(run, plan, panel, found) for panel in sorted({row["panel"] for row in found})]
    heads = run.stage("heads", reduce(DataFrame.unionByName, [_fit(run, maker) for maker in makers]))
    tried = run.stage("trials", reduce(DataFrame.unionByName, [_try(run, plan, maker, heads) for maker in makers]))
    cutoffs = [plan.last_week(cutoff) for cutoff in plan.cutoffs]
    verdicts = judge(tried, cutoffs, plan.weeks[-1], runtime.buckets, runtime.seed)
    region = F.lit(run.config.region).alias("region")
    judged = verdicts.join(heads, [*_KEY, "store_id"]).withColumn("weights", F.when(F.col("kept"), F.col("weights")))
    run.write(network_tables.STORE_HEADS, judged.select(region, "*"))
    kept = run.read(network_tables.STORE_HEADS)
    base = _find(run, schemas.NETWORK_BACKTESTS).join(F.broadcast(networks.select(*_KEY)), _KEY, how="semi")
    run.write(
        network_tables.STORE_BACKTESTS, with_kept_heads(base.select(*network_tables.STORE_BACKTESTS.names), tried, kept)
    )
    made_with = {f"head_{name}": value for name, value in as_text(run.config.fine_tuning.model_dump()).items()}
    rows = registry.register_heads(networks, kept, run.key, cutoffs[-1], lineage_of(run), made_with)
    run.write(network_tables.STORE_REGISTRY, rows)


def _current_networks(run: Run, plan: Plan) -> DataFrame:
    """The rows of models/network_registry of the networks that have learned from the panels as they are, those that
    forecast the weeks ahead among them."""
    origins = [plan.last_week(origin) for origin in plan.origins]
    networks = _find(run, schemas.NETWORK_REGISTRY)
    current = registry.current_networks(networks, panel_run(run) or "", origins)
    if current.isEmpty():
        raise _no_networks(run)
    return current


def _find(run: Run, table: Table) -> DataFrame:
    """What train_mlp has written there."""
    found = run.find(table)
    if found is None:
        raise _no_networks(run)
    return found


def _no_networks(run: Run) -> LakeError:
    return LakeError(
        f"job {run.job.name}: found no networks of region {run.config.region} that learned from its features as they "
        "are; wanted job train_mlp run first"
    )


def _require_small_heads(run: Run, networks: Sequence[Row]) -> None:
    """Raise ConfigError where a store's head would be large: there is one for each store and cutoff."""
    for row in networks:
        size = count_weights(read_design(artefacts.read_bytes(run.lake.address(row["artefact"]))))
        if size > network_tables.MOST_HEAD_WEIGHTS:
            raise ConfigError(
                f"networks.units: a head of {row['model']} on panel {row['panel']} has {size:,} weights; "
                f"wanted at most {network_tables.MOST_HEAD_WEIGHTS:,} for each store"
            )


def _maker(run: Run, plan: Plan, panel: str, networks: Sequence[Row]) -> StoreHeads:
    at = {plan.last_week(origin): origin for origin in plan.origins}
    own = sorted((row["model"], at[row["cutoff"]], row["artefact"]) for row in networks if row["panel"] == panel)
    settings = run.config.fine_tuning
    # A store's windows are few: nothing is held back, and the rate falls to 0 from the first epoch on.
    recipe = Recipe("adam", settings.epochs, settings.learning_rate, 0.0, 0.0, 1, run.config.runtime.seed)
    return StoreHeads(
        panel,
        plan.axis(panel),
        {(model, cutoff): run.lake.address(artefact) for model, cutoff, artefact in own},
        recipe,
        settings.batch_size,
        f"{run.lake.root}/{run.staging}/heads-{panel}",
    )


def _fit(run: Run, maker: StoreHeads) -> DataFrame:
    windows = _find(run, WINDOWS).where(F.col("panel") == maker.panel)
    drawn = sample_by_store(windows, run.config.fine_tuning.windows, run.config.runtime.seed)
    return maker.fit(drawn, run.config.runtime.buckets)


def _try(run: Run, plan: Plan, maker: StoreHeads, heads: DataFrame) -> DataFrame:
    buckets, least = run.config.runtime.buckets, least_weeks(run, maker.panel)
    rows = panel_rows(run, maker.panel)
    windows = windows_at(rows, maker.axis, plan.cutoffs, least, buckets, run.config.country)
    return maker.forecast(windows, heads.where(F.col("panel") == maker.panel), buckets)
