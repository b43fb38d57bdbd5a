"""Windows and plans of the networks: what their training and their tuning share."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.job import Run
from shelfcast.modelling import least_weeks, panel_rows
from shelfcast.plan import Plan
from shelfcast.schemas import VOCABULARIES
from shelfcast.settings.networks import Kind, Networks
from shelfcast.table import Table
from shelfcast.training.networks import NetworkPlan, make_design, make_recipe
from shelfcast.training.stream import Source
from shelfcast.windows import sample_training_windows


def write_windows(run: Run, plan: Plan, table: Table, last_origin: int) -> None:
    """The windows of all panels to `last_origin`, unless an interrupted run has left them: made anew they would come in
    another order, and a training that goes on from its checkpoint end elsewhere."""
    written = run.lake.last_commit(table, run.scope(table))
    if written is None or written.run_key != run.key:
        drawn = [_windows(run, plan, panel, last_origin) for panel in run.config.networks.panels]
        run.write(table, reduce(DataFrame.unionByName, drawn))


def _windows(run: Run, plan: Plan, panel: str, last_origin: int) -> DataFrame:
    runtime = run.config.runtime
    return sample_training_windows(
        panel_rows(run, panel),
        plan.axis(panel),
        range(run.config.training.min_history, last_origin + 1),
        least_weeks(run, panel),
        run.config.networks.windows,
        runtime.buckets,
        runtime.seed,
        run.config.country,
    )


def plan_networks(
    run: Run,
    plan: Plan,
    table: Table,
    panel: str,
    settings: Mapping[Kind, Networks],
    cutoffs: Sequence[int],
    held_back: int,
) -> list[NetworkPlan]:
    """Each kind of network at each cutoff, on the windows in `table` and what was known then, less the last `held_back`
    weeks, which it is validated on."""
    of_panel = F.col("panel") == panel
    windows, words = (tuple(run.read(read).where(of_panel).inputFiles()) for read in (table, VOCABULARIES))
    return [
        NetworkPlan(
            panel=panel,
            model=kind,
            cutoff=plan.last_week(cutoff),
            source=Source(windows, {}, plan.horizon, cutoff - held_back, cutoff),
            vocabulary=words,
            design=make_design(kind, plan.horizon, own),
            recipe=make_recipe(own, run.config.runtime.seed),
            batch_size=own.batch_size,
            country=run.config.country,
        )
        for kind, own in settings.items()
        for cutoff in cutoffs
    ]
