"""features/panel_demand, features/vocabularies -> features/windows, forecasts/network_backtests,
models/network_registry"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import registry, schemas
from shelfcast.code import installed
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.modelling import least_weeks, panel_rows, remove_old_artefacts
from shelfcast.models.mlp import FAMILY, MEDIAN_SUFFIX
from shelfcast.models.mlp.network import Design
from shelfcast.network_scoring import NetworkScorer
from shelfcast.plan import Plan
from shelfcast.steps.build_features import plan_of
from shelfcast.training import distributed
from shelfcast.training.baselines import FIT_COLUMNS
from shelfcast.training.loop import Recipe
from shelfcast.training.networks import NetworkFit, Outcome, fit_networks
from shelfcast.training.stream import Source
from shelfcast.windows import WINDOWS, sample_training_windows

_READS = (schemas.PANEL_DEMAND, schemas.VOCABULARIES, schemas.STORES)
_WRITES = (WINDOWS, schemas.NETWORK_BACKTESTS, schemas.NETWORK_REGISTRY)
_COMPUTING = ("keras", "tensorflow", "tensorflow-cpu", "horovod")
_LOSSES = "panel string, model string, cutoff date, losses array<struct<loss:double,validation:double>>"


def job(config: Config) -> Job:
    return Job(
        "train_mlp",
        _READS,
        _WRITES,
        ("backtest", "training", "networks", "runtime", "country"),
        train_mlp,
        stamp=lambda _: repr(installed(_COMPUTING)),
    )


def train_mlp(run: Run) -> None:
    plan, settings = plan_of(run), run.config.networks
    _write_windows(run, plan)
    fits = [fit for panel in settings.panels for fit in _plan_fits(run, plan, panel)]
    arguments = (fits, settings.mixed_precision)
    outcomes, *_ = distributed.run(run.spark, fit_networks, arguments, settings.processes, settings.timeline)
    scored = [_score(run, plan, panel, fits) for panel in settings.panels]
    region = F.lit(run.config.region).alias("region")
    run.write(schemas.NETWORK_BACKTESTS, reduce(DataFrame.unionByName, scored).select(region, "*"))
    run.write(schemas.NETWORK_REGISTRY, _registered(run, outcomes))
    remove_old_artefacts(run, _artefacts(run))


def _write_windows(run: Run, plan: Plan) -> None:
    """The training windows of all panels, unless an interrupted run has left them: made anew they would come in another
    order, and a training that goes on from its checkpoint end elsewhere."""
    written = run.lake.last_commit(WINDOWS, run.scope(WINDOWS))
    if written is None or written.run_key != run.key:
        drawn = [_windows(run, plan, panel) for panel in run.config.networks.panels]
        run.write(WINDOWS, reduce(DataFrame.unionByName, drawn))


def _windows(run: Run, plan: Plan, panel: str) -> DataFrame:
    runtime = run.config.runtime
    return sample_training_windows(
        panel_rows(run, panel),
        plan.axis(panel),
        range(run.config.training.min_history, plan.cutoffs[-1] + 1),
        least_weeks(run, panel),
        run.config.networks.windows,
        runtime.buckets,
        runtime.seed,
        run.config.country,
    )


def _plan_fits(run: Run, plan: Plan, panel: str) -> list[NetworkFit]:
    """A fit for each kind of network at each cutoff."""
    of_panel = F.col("panel") == panel
    windows, words = (tuple(run.read(table).where(of_panel).inputFiles()) for table in (WINDOWS, schemas.VOCABULARIES))
    settings, root = run.config.networks, run.lake.root
    recipe = Recipe(
        "adam",
        settings.epochs,
        settings.learning_rate,
        settings.warmup_epochs,
        settings.weight_decay,
        settings.patience,
        run.config.runtime.seed,
    )
    fits = []
    for kind in settings.kinds:
        design = Design(kind, plan.horizon, (), settings.units, settings.blocks, settings.dropout, settings.calendar)
        for cutoff in plan.cutoffs:
            last_week = plan.last_week(cutoff)
            name = f"{panel}-{kind}-{last_week}"
            fits.append(
                NetworkFit(
                    panel=panel,
                    model=kind,
                    cutoff=last_week,
                    source=Source(windows, {}, plan.horizon, cutoff - settings.held_back_weeks, cutoff),
                    vocabulary=words,
                    design=design,
                    recipe=recipe,
                    batch_size=settings.batch_size,
                    country=run.config.country,
                    artefact=f"{root}/{_artefacts(run)}/{run.key}/{name}.zip",
                    checkpoint=f"{root}/{run.staging}/{name}.npz",
                )
            )
    return fits


def _artefacts(run: Run) -> str:
    return f"models/_networks/{run.config.region}"


def _score(run: Run, plan: Plan, panel: str, fits: Sequence[NetworkFit]) -> DataFrame:
    at = {plan.last_week(cutoff): cutoff for cutoff in plan.cutoffs}
    artefacts = {(fit.model, at[fit.cutoff]): fit.artefact for fit in fits if fit.panel == panel}
    scorer = NetworkScorer(plan.axis(panel), artefacts, least_weeks(run, panel))
    return scorer.score(panel_rows(run, panel), run.config.runtime.buckets)


def _registered(run: Run, outcomes: Sequence[Outcome]) -> DataFrame:
    """A row for each mean and each median of a network."""
    wanted, fitted, losses = [], [], []
    for outcome in outcomes:
        for suffix, minimises in (("", "mean"), (MEDIAN_SUFFIX, "median")):
            key = (outcome.panel, outcome.model + suffix, outcome.cutoff)
            wanted.append((*key, FAMILY, minimises, True, None))
            fitted.append((*key, outcome.artefact, outcome.examples, outcome.seconds, None))
            losses.append((*key, [(epoch.loss, epoch.validation) for epoch in outcome.epochs]))
    rows = registry.as_registry(
        run.spark.createDataFrame(wanted, registry.INTENDED),
        run.spark.createDataFrame(fitted, FIT_COLUMNS),
        run.read(schemas.NETWORK_BACKTESTS),
        run.config.region,
        run.key,
    )
    panel = run.lake.last_commit(schemas.PANEL_DEMAND, run.scope(schemas.PANEL_DEMAND))
    named = rows.withColumn("panel_run", F.lit(panel.run_key if panel else None))
    return named.join(run.spark.createDataFrame(losses, _LOSSES), ["panel", "model", "cutoff"])
