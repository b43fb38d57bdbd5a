"""Models fitted and forecasts made at given cutoffs: the one path of backtests and forecasts."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.examples import TRAINING_FRAME
from shelfcast.job import Run
from shelfcast.modelling import least_weeks, make_scorer, panel_rows, plan_fits
from shelfcast.models import spec
from shelfcast.plan import Plan
from shelfcast.schemas import SCALERS, VOCABULARIES
from shelfcast.training import mllib
from shelfcast.training.baselines import FIT_COLUMNS, fit_in_tasks

Models = Mapping[str, Sequence[str]]
Parts = tuple[list[DataFrame], DataFrame]


def fit_and_forecast(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> tuple[DataFrame, DataFrame]:
    """Fits each panel's models at each cutoff and forecasts from there: rows of SCORED_COLUMNS, and of FIT_COLUMNS.

    models: panel -> names. MLlib's fits are Spark jobs of their own, beside the tasks in which scikit-learn's run.
    """
    with ThreadPoolExecutor(2) as threads:
        in_tasks = threads.submit(_fit_in_tasks, run, plan, models, cutoffs)
        in_mllib = threads.submit(_fit_in_mllib, run, plan, models, cutoffs)
        (scored, fitted), (scored_by_mllib, fitted_by_mllib) = in_tasks.result(), in_mllib.result()
    return reduce(DataFrame.unionByName, scored + scored_by_mllib), fitted.unionByName(fitted_by_mllib)


def _fit_in_tasks(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> Parts:
    """scikit-learn's models and the statistical ones. A model that failed is left out of the forecasts."""
    fits = [fit for panel, names in models.items() for fit in plan_fits(run, plan, panel, names, cutoffs)]
    fitted = run.stage(f"fits-{'-'.join(models)}", fit_in_tasks(run.spark, fits))
    failed = {row["artefact"] for row in fitted.where("error is not null").toLocalIterator()}
    whole = [fit for fit in fits if fit.artefact not in failed]
    in_tasks = {panel: [name for name in names if spec(name).library != "MLlib"] for panel, names in models.items()}
    scored = [
        make_scorer(run, plan, panel, names, cutoffs, whole).score(panel_rows(run, panel))
        for panel, names in in_tasks.items()
        if names
    ]
    return scored, fitted


def _fit_in_mllib(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> Parts:
    scored: list[DataFrame] = []
    outcomes: list[mllib.Outcome] = []
    for panel, names in models.items():
        wanted = [model for model in names if spec(model).library == "MLlib"]
        for cutoff in cutoffs if wanted else ():
            frames, rows = _fit_at(run, plan, panel, wanted, cutoff)
            scored += frames
            outcomes += rows
    return scored, run.spark.createDataFrame(outcomes, FIT_COLUMNS)


def _fit_at(
    run: Run, plan: Plan, panel: str, models: Sequence[str], cutoff: int
) -> tuple[list[DataFrame], list[mllib.Outcome]]:
    last_week = plan.last_week(cutoff)
    words, scaler = (
        run.read(table).where((F.col("panel") == panel) & (F.col("cutoff") == F.lit(last_week)))
        for table in (VOCABULARIES, SCALERS)
    )
    frame = run.read(TRAINING_FRAME).where((F.col("panel") == panel) & (F.col("week") <= F.lit(last_week)))
    to_score = run.stage(
        f"score-{panel}-{last_week}",
        mllib.examples_at(
            panel_rows(run, panel), plan.axis(panel), cutoff, least_weeks(run, panel), run.config.country
        ),
    )
    training, scoring = (mllib.assemble(rows, words, scaler) for rows in (frame, to_score))
    return mllib.fit_and_score(models, training, scoring, panel, last_week, run.config.runtime.seed)
