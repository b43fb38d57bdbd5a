"""features/panel_demand, features/vocabularies -> features/windows, forecasts/network_backtests,
models/network_registry"""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, registry, schemas
from shelfcast.code import TRAINING_PACKAGES, installed
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.lineage import as_text
from shelfcast.modelling import (
    finished_buckets,
    least_weeks,
    lineage_of,
    panel_rows,
    panel_run,
    remove_old_artefacts,
)
from shelfcast.models.mlp import FAMILY, MEDIAN_SUFFIX
from shelfcast.networks.modelling import plan_networks, write_windows
from shelfcast.networks.scoring import NetworkScorer
from shelfcast.plan import Plan
from shelfcast.settings.networks import Kind, Networks
from shelfcast.steps.build_features import plan_of
from shelfcast.training import distributed
from shelfcast.training.baselines import FIT_COLUMNS
from shelfcast.training.networks import NetworkFit, Outcome, fit_networks
from shelfcast.tuning.trials import TRIALS, Best, best_trials, parameters_of, with_parameters
from shelfcast.windows import WINDOWS

_READS = (schemas.PANEL_DEMAND, schemas.VOCABULARIES, demand.KNOWN_STORES)
_WRITES = (WINDOWS, schemas.NETWORK_BACKTESTS, schemas.NETWORK_REGISTRY)
_LEARNED = (
    "panel string, model string, cutoff date, losses array<struct<loss:double,validation:double>>, "
    "parameters map<string,double>"
)
BestTrials = Mapping[tuple[str, str], Best]
NOT_TUNED: BestTrials = {}


def job(config: Config) -> Job:
    return Job(
        "train_mlp",
        _READS,
        _WRITES,
        ("backtest", "training", "networks", "runtime", "country"),
        train_mlp,
        optional=(TRIALS,) if config.networks.tuned else (),
        stamp=lambda _: repr(installed(TRAINING_PACKAGES)),
    )


def train_mlp(run: Run) -> None:
    plan, settings = plan_of(run), run.config.networks
    write_windows(run, plan, WINDOWS, len(plan.weeks) - 1)
    best = _tuned(run)
    fits = [fit for panel in settings.panels for fit in plan_fits(run, plan, panel, settings.kinds, best)]
    arguments = (fits, settings.mixed_precision)
    outcomes, *_ = distributed.run(run.spark, fit_networks, arguments, settings.processes, settings.timeline)
    publish(run, plan, fits, outcomes, [fit.hyperparameters for fit in fits], best)


def publish(
    run: Run,
    plan: Plan,
    fits: Sequence[NetworkFit],
    outcomes: Sequence[Outcome],
    made_with: Sequence[Mapping[str, str]],
    best: BestTrials = NOT_TUNED,
) -> None:
    """Score the networks, register them in the tables of the job, and remove those of earlier runs.

    made_with: the hyperparameters of each fit.
    """
    _, backtests, rows = run.job.writes
    scored = [_score(run, plan, panel, fits) for panel in run.config.networks.panels]
    region = F.lit(run.config.region).alias("region")
    run.write(backtests, reduce(DataFrame.unionByName, scored).select(region, "*"))
    run.write(rows, _registered(run, outcomes, made_with, best))
    remove_old_artefacts(run, _artefacts(run))


def _tuned(run: Run) -> BestTrials:
    """By panel and network the trial whose settings are used; none of those that nobody has tuned on the data of now,
    or where the configuration asks for none."""
    networks = run.config.networks
    if not networks.tuned:
        return {}
    rows, made = run.find(TRIALS), panel_run(run)
    found = best_trials(rows, made) if rows is not None and made is not None else {}
    for panel, kind in product(networks.panels, networks.kinds):
        best = found.get((panel, kind))
        run.say(f"{panel}, {kind}: {f'settings of trial {best.trial}' if best else 'not tuned on the data of now'}")
    return found


def _settings(run: Run, panel: str, kind: str, best: BestTrials) -> Networks:
    found = best.get((panel, kind))
    return with_parameters(run.config.networks, found.parameters) if found else run.config.networks


def plan_fits(
    run: Run, plan: Plan, panel: str, kinds: Sequence[Kind], best: BestTrials = NOT_TUNED
) -> list[NetworkFit]:
    """A fit for each kind of network at each cutoff and now, on the windows that the job has written."""
    networks, folder = run.config.networks, f"{run.lake.root}/{_artefacts(run)}/{run.key}"
    settings = {kind: _settings(run, panel, kind, best) for kind in kinds}
    return [
        NetworkFit(
            **vars(planned),
            artefact=f"{folder}/{panel}-{planned.model}-{planned.cutoff}.zip",
            checkpoint=f"{run.lake.root}/{run.staging}/{panel}-{planned.model}-{planned.cutoff}.npz",
        )
        for planned in plan_networks(
            run, plan, run.job.writes[0], panel, settings, plan.origins, networks.held_back_weeks
        )
    ]


def _artefacts(run: Run) -> str:
    return f"models/_networks/{run.job.name}/{run.config.region}"


def _score(run: Run, plan: Plan, panel: str, fits: Sequence[NetworkFit]) -> DataFrame:
    """Of the networks of the cutoffs: the weeks ahead are the business of job forecast."""
    at = {plan.last_week(cutoff): cutoff for cutoff in plan.cutoffs}
    artefacts = {(fit.model, at[fit.cutoff]): fit.artefact for fit in fits if fit.panel == panel and fit.cutoff in at}
    finished = finished_buckets(run, panel, "networks")
    scorer = NetworkScorer(plan.axis(panel), artefacts, least_weeks(run, panel), finished=finished)
    return scorer.score(panel_rows(run, panel), run.config.runtime.buckets)


def _registered(
    run: Run, outcomes: Sequence[Outcome], made_with: Sequence[Mapping[str, str]], best: BestTrials
) -> DataFrame:
    """A row for each mean and each median of a network."""
    wanted, fitted, learned, networks = [], [], [], run.config.networks
    by_all = as_text({"processes": networks.processes, "mixed_precision": networks.mixed_precision})
    for outcome, own in zip(outcomes, made_with, strict=True):
        trial = best.get((outcome.panel, outcome.model))
        detail = f"settings of trial {trial.trial}" if trial else None
        used = parameters_of(_settings(run, outcome.panel, outcome.model, best))
        for suffix, minimises in (("", "mean"), (MEDIAN_SUFFIX, "median")):
            key = (outcome.panel, outcome.model + suffix, outcome.cutoff)
            wanted.append((*key, FAMILY, minimises, True, detail, registry.IN_ARTEFACT, {**own, **by_all}))
            fitted.append((*key, run.lake.below(outcome.artefact), outcome.examples, outcome.seconds, None))
            losses = [(epoch.loss, epoch.validation) for epoch in outcome.epochs]
            learned.append((*key, losses, used))
    rows = registry.as_registry(
        run.spark.createDataFrame(wanted, registry.INTENDED),
        run.spark.createDataFrame(fitted, FIT_COLUMNS),
        run.read(run.job.writes[1]),
        run.config.region,
        run.key,
        lineage_of(run, run.job.writes[0]),
    )
    named = rows.withColumn("panel_run", F.lit(panel_run(run)))
    return named.join(run.spark.createDataFrame(learned, _LEARNED), ["panel", "model", "cutoff"])
