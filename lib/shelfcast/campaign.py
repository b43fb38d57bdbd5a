"""Models fitted and forecasts made at given cutoffs: the one path of backtests and forecasts."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.examples import TRAINING_FRAME
from shelfcast.job import Run
from shelfcast.modelling import least_weeks, make_scorer, panel_rows, plan_fits
from shelfcast.models import spec
from shelfcast.panels import deal_largest
from shelfcast.plan import Plan
from shelfcast.schemas import SCALERS, VOCABULARIES
from shelfcast.session import side_by_side
from shelfcast.training import mllib
from shelfcast.training.baselines import FIT_COLUMNS, fit_in_tasks

Models = Mapping[str, Sequence[str]]
Parts = tuple[list[DataFrame], DataFrame]


def fit_and_forecast(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> tuple[DataFrame, DataFrame]:
    """Fits each panel's models at each cutoff and forecasts from there: rows of SCORED_COLUMNS, and of FIT_COLUMNS.

    models: panel -> names. MLlib's fits are Spark jobs of their own, beside the tasks in which scikit-learn's run.
    """
    parts = side_by_side(
        run.spark,
        partial(_fit_in_mllib, run, plan, models, cutoffs),
        partial(_fit_in_tasks, run, plan, models, cutoffs),
    )
    scored = [frame for frames, _ in parts for frame in frames]
    return reduce(DataFrame.unionByName, scored), reduce(DataFrame.unionByName, [fitted for _, fitted in parts])


def _fit_in_tasks(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> Parts:
    """scikit-learn's models and the statistical ones. A model that failed is left out of the forecasts."""
    fits = [fit for panel, names in models.items() for fit in plan_fits(run, plan, panel, names, cutoffs)]
    fitted = run.stage(f"fits-{'-'.join(models)}", fit_in_tasks(run.spark, fits))
    failed = {row["artefact"] for row in fitted.where("error is not null").toLocalIterator()}
    whole = [fit for fit in fits if fit.artefact not in failed]
    scored, buckets = [], run.config.runtime.buckets
    for panel, names in models.items():
        rows, own = panel_rows(run, panel), [name for name in names if spec(name).library != "MLlib"]
        slow = [name for name in own if name in run.config.backtest.sampled]
        quick = [name for name in own if name not in slow]
        if quick:
            scored.append(make_scorer(run, plan, panel, quick, cutoffs, whole, "quick").score(rows, buckets))
        if slow:
            # Most of the largest series are of a few items: they would all be one bucket's work.
            scorer = make_scorer(run, plan, panel, slow, cutoffs, (), "slow")
            scored.append(scorer.score(deal_largest(rows, buckets), buckets))
    return scored, fitted


def _fit_in_mllib(run: Run, plan: Plan, models: Models, cutoffs: Sequence[int]) -> Parts:
    """Each cutoff beside the others: a fit is many short stages with the driver's work between them."""
    wanted = {panel: [name for name in names if spec(name).library == "MLlib"] for panel, names in models.items()}
    fits = [
        partial(_fit_at, run, plan, panel, names, cutoff)
        for panel, names in wanted.items()
        for cutoff in cutoffs
        if names
    ]
    done = side_by_side(run.spark, *fits)
    outcomes = [row for _, rows in done for row in rows]
    return [frame for frames, _ in done for frame in frames], run.spark.createDataFrame(outcomes, FIT_COLUMNS)


def _fit_at(
    run: Run, plan: Plan, panel: str, models: Sequence[str], cutoff: int
) -> tuple[list[DataFrame], list[mllib.Outcome]]:
    last_week = plan.last_week(cutoff)
    words, scaler = (
        run.read(table).where((F.col("panel") == panel) & (F.col("cutoff") == F.lit(last_week)))
        for table in (VOCABULARIES, SCALERS)
    )
    frame = run.read(TRAINING_FRAME).where((F.col("panel") == panel) & (F.col("week") <= F.lit(last_week)))
    rows, least, runtime = panel_rows(run, panel), least_weeks(run, panel), run.config.runtime
    to_score = run.stage(
        f"score-{panel}-{last_week}",
        mllib.examples_at(rows, plan.axis(panel), cutoff, least, runtime.buckets, run.config.country),
    )
    training, scoring = (mllib.assemble(examples, words, scaler) for examples in (frame, to_score))
    return mllib.fit_and_score(models, training, scoring, panel, last_week, runtime.seed)
