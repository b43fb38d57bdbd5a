"""features/panel_demand, features/vocabularies -> features/tuning_windows, models/trials"""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from shelfcast import artefacts, demand, schemas
from shelfcast.code import installed
from shelfcast.config import Config
from shelfcast.errors import NotEnoughHistoryError, ShelfcastError
from shelfcast.job import Job, Run
from shelfcast.modelling import panel_run
from shelfcast.networks.modelling import plan_networks, write_windows
from shelfcast.plan import Plan
from shelfcast.settings.networks import Kind
from shelfcast.settings.tuning import PARAMETERS
from shelfcast.steps.build_features import plan_of
from shelfcast.tuning.search import Dimension, Grid, Strategy, Told, Tpe, search
from shelfcast.tuning.trial import TrialTask, as_row, run_trial
from shelfcast.tuning.trials import FAILED, TRIALS
from shelfcast.windows import TUNING_WINDOWS

_READS = (schemas.PANEL_DEMAND, schemas.VOCABULARIES, demand.KNOWN_STORES)
_WRITES = (TUNING_WINDOWS, TRIALS)
_COMPUTING = ("keras", "tensorflow", "tensorflow-cpu", "hyperopt")
_SETTINGS = ("backtest", "training", "networks", "tuning", "runtime", "country")
# What a trial does not depend on: with another value of these a search goes on with the trials that it has.
_NOT_OF_A_TRIAL = {
    "networks": {"panels", "kinds", "processes", "timeline", "tuned", *PARAMETERS},
    "tuning": {"trials", "parallelism", "max_failed"},
}
_EVENLY = ("blocks", "dropout")
Row = dict[str, Any]


def job(config: Config) -> Job:
    return Job("tune_mlp", _READS, _WRITES, _SETTINGS, tune_mlp, stamp=lambda _: repr(installed(_COMPUTING)))


def tune_mlp(run: Run) -> None:
    """The trials of every search, however they end; then, where too many have failed, the failure."""
    plan, networks = plan_of(run), run.config.networks
    _require_history(run, plan)
    write_windows(run, plan, TUNING_WINDOWS, plan.cutoffs[0] - plan.horizon)
    searches = [_search(run, plan, panel, kind) for panel in networks.panels for kind in networks.kinds]
    rows = _as_frame(run, [row for trials in searches for row in trials])
    if failures := [said for trials in searches if (said := _failure(trials, run.config.tuning.max_failed))]:
        # Noted as another run's: this one is not up to date.
        run.lake.replace(TRIALS, rows, run.scope(TRIALS), {**run.note, "run_key": f"{run.key}, failed"})
        raise ShelfcastError(f"tune_mlp: {'; '.join(failures)}")
    run.write(TRIALS, rows)
    for name in run.lake.names(f"{_trials(run)}/*"):
        if name != _search_key(run):
            run.lake.remove(f"{_trials(run)}/{name}")


def _require_history(run: Run, plan: Plan) -> None:
    first, wanted = plan.cutoffs[0], run.config.training.min_history + plan.horizon + 1
    if first < wanted:
        raise NotEnoughHistoryError(
            f"tune_mlp: the backtest's first cutoff is after {first} weeks, wanted {wanted} or more: the last "
            f"{plan.horizon} of them validate, training.min_history={run.config.training.min_history} come before"
        )


def _search(run: Run, plan: Plan, panel: str, kind: Kind) -> list[Row]:
    """The rows of all trials of one network on one panel: those that are stored, and those that were still to make."""
    networks, tuning, first = run.config.networks, run.config.tuning, plan.cutoffs[0]
    folder = f"{_trials(run)}/{_search_key(run)}/{panel}-{kind}"
    (planned,) = plan_networks(run, plan, TUNING_WINDOWS, panel, {kind: networks}, (first,), plan.horizon)
    task = TrialTask(planned, networks, tuning.method, f"{run.lake.root}/{folder}")
    strategy, stored = make_strategy(run.config), _stored(run, folder)
    run.say(f"{panel}, {kind}: {strategy.trials} trials, {len(stored)} of them made before")
    told = [Told(row["trial"], row["parameters"], row["loss"]) for row in stored]
    lost = search(run.spark, strategy, partial(run_trial, task), told, tuning.parallelism)
    rows = _stored(run, folder)
    rows += [as_row(task, number, parameters, [], None, 0.0, error) for number, (parameters, error) in lost.items()]
    finished = [(row["loss"], row["trial"]) for row in rows if row["status"] != FAILED]
    run.say(f"{panel}, {kind}: {_said(finished, rows)}")
    return rows


def _said(finished: Sequence[tuple[float, int]], rows: Sequence[Row]) -> str:
    failed = f"{len(rows) - len(finished)} of {len(rows)} trials failed"
    if not finished:
        return failed
    loss, trial = min(finished)
    return f"trial {trial} is the best, loss {loss:.5f}; {failed}"


def make_strategy(config: Config) -> Strategy:
    tuning = config.tuning
    if tuning.method == "grid":
        return Grid(tuning.grid.model_dump())
    bounds = {name: getattr(tuning.space, name) for name in PARAMETERS}
    dimensions = {
        name: Dimension(own.low, own.high, name not in _EVENLY, isinstance(own.low, int))
        for name, own in bounds.items()
    }
    return Tpe(dimensions, tuning.trials, tuning.random_trials, config.runtime.seed)


def _stored(run: Run, folder: str) -> list[Row]:
    """What trials have told, in the order of their numbers: as many at most as the configuration asks for."""
    files = run.lake.names(f"{folder}/*.json")
    return [json.loads(artefacts.read_bytes(f"{run.lake.root}/{folder}/{file}")) for file in files]


def _trials(run: Run) -> str:
    return f"models/_trials/{run.config.region}"


def _search_key(run: Run) -> str:
    """What all that a trial depends on amounts to."""
    identity = {
        "as_of": str(run.as_of),
        "code": run.job.code,
        "computing": repr(installed(_COMPUTING)),
        "inputs": [commit.run_key for table in _READS if (commit := run.lake.last_commit(table, run.scope(table)))],
        "settings": run.config.model_dump(mode="json", include=set(_SETTINGS), exclude=_NOT_OF_A_TRIAL),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def _failure(rows: Sequence[Row], most: float) -> str | None:
    """What to say where more than the share `most` of a search's trials failed, or all."""
    failed = [row for row in rows if row["status"] == FAILED]
    if len(failed) < len(rows) and len(failed) <= most * len(rows):
        return None
    first = failed[0]
    return (
        f"{first['panel']}, {first['model']}: found {len(failed)} of {len(rows)} trials failed, wanted at most "
        f"{most:.0%} (tuning.max_failed) and one finished; trial {first['trial']}: {first['error']}"
    )


def _as_frame(run: Run, rows: Sequence[Row]) -> DataFrame:
    shared = {"region": run.config.region, "panel_run": panel_run(run)}
    full = [{**row, **shared} for row in rows]
    return run.spark.createDataFrame([tuple(row[name] for name in TRIALS.names) for row in full], TRIALS.schema)
