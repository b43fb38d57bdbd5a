"""One trial of the tuning: a network trained with given parameters by one Spark task, and the row that tells of it."""

import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf

from shelfcast import artefacts
from shelfcast.errors import ShelfcastError
from shelfcast.logs import say
from shelfcast.settings.networks import Networks
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Epoch
from shelfcast.training.networks import NetworkPlan, learn, use_device
from shelfcast.tuning.trials import FAILED, FINISHED, with_parameters

_LONGEST_ERROR = 300


@dataclass(frozen=True)
class TrialTask:
    """What the trials of a search have in common.

    plan: a network with the settings as configured. folder: where each trial leaves its row once it is over: a search
    that is killed has lost none of them.
    """

    plan: NetworkPlan
    settings: Networks
    method: str
    folder: str

    def path(self, number: int) -> str:
        return f"{self.folder}/{number:05d}.json"


def run_trial(task: TrialTask, number: int, parameters: dict[str, float]) -> float | None:
    """The validation loss of the network with these parameters, None where it failed; its row says why."""
    started, epochs, loss, error = time.monotonic(), list[Epoch](), None, None
    try:
        epochs = _train(task, parameters)
        loss = _loss(epochs, task.settings)
    # Whatever parameters can do to a training is what the trial has found.
    except Exception as problem:
        error = f"{type(problem).__name__}: {' '.join(str(problem).split())}"[:_LONGEST_ERROR]
    row = as_row(task, number, parameters, epochs, loss, time.monotonic() - started, error)
    artefacts.write_bytes(json.dumps(row).encode(), task.path(number))
    said = error or f"loss {loss:.5f}"
    say(f"  {task.plan.panel}, {task.plan.model}, trial {number}, {row['seconds']:.0f} s: {said} ({_told(parameters)})")
    return loss


def as_row(
    task: TrialTask,
    number: int,
    parameters: Mapping[str, float],
    epochs: list[Epoch],
    loss: float | None,
    seconds: float,
    error: str | None,
) -> dict[str, Any]:
    """A row of models/trials, less region and panel_run."""
    return {
        "panel": task.plan.panel,
        "model": task.plan.model,
        "trial": number,
        "method": task.method,
        "status": FAILED if loss is None else FINISHED,
        "loss": loss,
        "parameters": dict(parameters),
        "losses": [(epoch.loss, epoch.validation) for epoch in epochs],
        "seconds": seconds,
        "error": error,
    }


def _train(task: TrialTask, parameters: Mapping[str, float]) -> list[Epoch]:
    _use_one_core()
    # A worker trains one network after the other: Keras would keep them all.
    keras.utils.clear_session()
    use_device(Alone(), task.settings.mixed_precision)
    plan = task.plan.with_settings(with_parameters(task.settings, parameters))
    if not task.settings.held_back_weeks:
        plan = replace(plan, recipe=replace(plan.recipe, patience=plan.recipe.epochs))
    return learn(Alone(), plan).epochs


def _use_one_core() -> None:
    """Spark gives a task one core; TensorFlow would take them all. A worker that has computed keeps what it has."""
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _loss(epochs: list[Epoch], settings: Networks) -> float:
    """Of the weights that train_mlp would keep: where it holds weeks back those of the best epoch, else of the last."""
    losses = [epoch.validation for epoch in epochs]
    loss = min(losses) if settings.held_back_weeks else losses[-1]
    if not math.isfinite(loss):
        raise ShelfcastError(f"validation: found a loss of {loss}, wanted a number")
    return loss


def _told(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())
