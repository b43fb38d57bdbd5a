"""Fits of a panel's models and the scorer that forecasts with them: what backtests and forecasts share."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import panels
from shelfcast.code import git_commit, libraries
from shelfcast.examples import TRAINING_FRAME
from shelfcast.job import Run
from shelfcast.lineage import Lineage
from shelfcast.models import spec
from shelfcast.plan import Plan
from shelfcast.schemas import PANEL_DEMAND
from shelfcast.scoring import Scorer
from shelfcast.table import Table
from shelfcast.training.baselines import Fit


def panel_rows(run: Run, panel: str) -> DataFrame:
    return run.read(PANEL_DEMAND).where(F.col("panel") == panel)


def plan_fits(run: Run, plan: Plan, panel: str, models: Sequence[str], cutoffs: Sequence[int]) -> list[Fit]:
    """A fit for each scikit-learn model at each cutoff; the heaviest cutoffs first, so that no long task comes last."""
    files = tuple(run.read(TRAINING_FRAME).where(F.col("panel") == panel).inputFiles())
    return [
        Fit(
            panel,
            model,
            plan.last_week(cutoff),
            files,
            artefact_uri(run, panel, model, plan.last_week(cutoff)),
            run.config.runtime.seed,
            f"{run.lake.root}/{run.staging}/fits/{panel}-{model}-{plan.last_week(cutoff)}.parquet",
        )
        for cutoff in reversed(cutoffs)
        for model in models
        if spec(model).library == "scikit-learn"
    ]


def artefact_uri(run: Run, panel: str, model: str, cutoff: date) -> str:
    """Artefacts lie beside the registry, under the key of the run that fitted them."""
    return f"{run.lake.root}/{artefacts(run)}/{run.key}/{panel}-{model}-{cutoff}.skops"


def remove_old_artefacts(run: Run, folder: str) -> None:
    """Remove from `folder` what other runs of the region fitted: for a run that has just written the registry, which
    names its own alone."""
    for key in run.lake.names(f"{folder}/*"):
        if key != run.key:
            run.lake.remove(f"{folder}/{key}")


def artefacts(run: Run) -> str:
    """The folder of the lake in which each run's fitted baselines lie under its key."""
    return f"models/_artefacts/{run.config.region}"


def finished_buckets(run: Run, panel: str, what: str) -> str:
    """Where the run puts each bucket of `panel` that it has scored; another run of the same key finds it there."""
    return f"{run.lake.root}/{run.staging}/buckets/{panel}-{what}"


def make_scorer(
    run: Run, plan: Plan, panel: str, models: Sequence[str], cutoffs: Sequence[int], fits: Sequence[Fit], what: str
) -> Scorer:
    """The scorer of `models`, with the global ones as `fits` left them. what: a name for them within the run."""
    at = {plan.last_week(cutoff): cutoff for cutoff in cutoffs}
    settings = run.config.backtest
    return Scorer(
        axis=plan.axis(panel),
        cutoffs=tuple(cutoffs),
        models=tuple(models),
        sampled=settings.sampled,
        artefacts={(fit.model, at[fit.cutoff]): fit.artefact for fit in fits if fit.panel == panel},
        min_selling_weeks=least_weeks(run, panel),
        country=run.config.country,
        finished=finished_buckets(run, panel, what),
    )


def least_weeks(run: Run, panel: str) -> int:
    """Selling weeks by which a series of `panel` is forecast; those of the published selection are known from the
    start."""
    return {panels.REFERENCE: 0, panels.CATEGORY: 1, panels.PRODUCT: run.config.backtest.min_selling_weeks}[panel]


def panel_run(run: Run) -> str | None:
    """The run that made the panels that models learn from."""
    panel = run.lake.last_commit(PANEL_DEMAND, run.scope(PANEL_DEMAND))
    return panel.run_key if panel else None


def lineage_of(run: Run, *made: Table) -> Lineage:
    """Of the models that the run fits. made: the tables that it has made for them itself, perhaps before it was
    interrupted."""
    commits = {table.name: run.lake.last_commit(table, run.scope(table)) for table in made}
    versions = {name: commit.version for name, commit in commits.items() if commit}
    return Lineage({**run.reads, **versions}, run.job.code, git_commit(), libraries())
