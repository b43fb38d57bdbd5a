"""Searches for the best settings, each trial a Spark task of its own: the one module that names Hyperopt."""

import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count, islice, product
from typing import Any, NamedTuple, Protocol

import numpy as np
from hyperopt import JOB_STATE_DONE, JOB_STATE_ERROR, STATUS_FAIL, STATUS_OK, SparkTrials, Trials, fmin, hp, rand, tpe
from hyperopt.exceptions import AllTrialsFailed
from pyspark.sql import SparkSession

Parameters = dict[str, float]
# A trial's number and parameters -> its loss; None where it failed, which it has told elsewhere.
Objective = Callable[[int, Parameters], float | None]
# Hyperopt tells an objective nothing but its point: the trial's number goes with it as one of its coordinates.
_NUMBER = "number"
# Its progress is the trials' own lines; an error says why a trial was lost.
logging.getLogger("hyperopt-spark").setLevel(logging.ERROR)


class Told(NamedTuple):
    """A trial that is over, and its loss; None where it failed."""

    number: int
    parameters: Parameters
    loss: float | None


class Strategy(Protocol):
    """Which trials there are, and in what order. trials: how many of them."""

    @property
    def trials(self) -> int: ...

    def space(self) -> dict[str, Any]:
        """Name of a coordinate -> what Hyperopt draws it from."""

    def suggest(self, ids: list[int], domain: Any, trials: Any, seed: int) -> list[dict[str, Any]]:
        """Hyperopt's documents of the next trials."""

    def parameters(self, point: Mapping[str, float]) -> Parameters:
        """The parameters at a point of the space."""


@dataclass(frozen=True)
class Dimension:
    """A parameter between two bounds, both in it, that is drawn evenly, or evenly in its logarithm. whole: integers."""

    low: float
    high: float
    is_log: bool
    is_whole: bool

    def drawn(self, name: str) -> Any:
        ends = (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)
        if self.is_whole:
            return (hp.qloguniform if self.is_log else hp.quniform)(name, *ends, 1)
        return (hp.loguniform if self.is_log else hp.uniform)(name, *ends)


@dataclass(frozen=True)
class Tpe:
    """Tree-structured Parzen estimators (Bergstra et al. 2011), after `random_trials` that are drawn at random: where
    trials of small loss are dense, and others are not, the next one is made. What is given one value keeps it."""

    dimensions: Mapping[str, Dimension]
    trials: int
    random_trials: int
    seed: int

    def space(self) -> dict[str, Any]:
        return {name: own.drawn(name) for name, own in self.dimensions.items() if own.low < own.high}

    def suggest(self, ids: list[int], domain: Any, trials: Any, _: int) -> list[dict[str, Any]]:
        # By the trial's number: a search that goes on does not draw again what it has drawn before.
        (seed,) = np.random.SeedSequence((self.seed, *ids)).generate_state(1)
        suggested: list[dict[str, Any]] = tpe.suggest(
            ids, domain, trials, int(seed), n_startup_jobs=self.random_trials, verbose=False
        )
        return suggested

    def parameters(self, point: Mapping[str, float]) -> Parameters:
        return {name: float(point.get(name, own.low)) for name, own in self.dimensions.items()}


@dataclass(frozen=True)
class Grid:
    """Each value of each parameter with each value of the others, once, in the order of the numbers."""

    values: Mapping[str, Sequence[float]]

    @property
    def trials(self) -> int:
        return len(self._points())

    def space(self) -> dict[str, Any]:
        return {}

    def suggest(self, ids: list[int], domain: Any, trials: Any, seed: int) -> list[dict[str, Any]]:
        suggested: list[dict[str, Any]] = rand.suggest(ids, domain, trials, seed)
        return suggested

    def parameters(self, point: Mapping[str, float]) -> Parameters:
        return dict(zip(self.values, self._points()[int(point[_NUMBER])], strict=True))

    def _points(self) -> list[tuple[float, ...]]:
        return list(product(*[[float(value) for value in dict.fromkeys(own)] for own in self.values.values()]))


class Numbered(Trials):  # type: ignore[misc]  # Hyperopt has no types
    """Trials that take the lowest free numbers: those of a search that goes on have gaps where it was killed."""

    def new_trial_ids(self, n: int) -> list[int]:
        taken = list(islice((number for number in count() if number not in self._ids), n))
        self._ids.update(taken)
        return taken


class _InSpark(Numbered, SparkTrials):  # type: ignore[misc]
    pass


def search(
    spark: SparkSession, strategy: Strategy, objective: Objective, told: Sequence[Told], parallelism: int
) -> dict[int, tuple[Parameters, str]]:
    """Makes the trials that are not `told` of yet, at most `parallelism` and never more than are left at once.

    A trial that fails is no reason to end. Returns the parameters and the error of those that were lost with their
    worker, by number.
    """
    left = strategy.trials - len(told)
    if left <= 0:
        return {}
    trials = _InSpark(parallelism=min(parallelism, left), spark_session=spark)
    minimise(strategy, objective, told, trials)
    return {
        doc["tid"]: (strategy.parameters(_point(doc["misc"])), f"lost with its worker: {doc['misc']['error'][0]}")
        for doc in trials._dynamic_trials
        if doc["state"] == JOB_STATE_ERROR
    }


def minimise(strategy: Strategy, objective: Objective, told: Sequence[Told], trials: Trials) -> None:
    """Hyperopt's search with `trials`, less those told of."""
    numbers = max([strategy.trials, *(trial.number + 1 for trial in told)])
    space = {**strategy.space(), _NUMBER: hp.randint(_NUMBER, numbers)}
    trials.insert_trial_docs([_document(trials, space, trial) for trial in told])
    trials.refresh()
    # That none was finished is seen by what they have told. Hyperopt passes Spark's tags not on: there are none.
    with suppress(AllTrialsFailed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Spark session is not provided")
        fmin(
            partial(_try, strategy, objective),
            space,
            algo=partial(_suggest, strategy),
            max_evals=strategy.trials,
            trials=trials,
            rstate=np.random.default_rng(0),
            verbose=False,
            show_progressbar=False,
            return_argmin=False,
        )


def _suggest(strategy: Strategy, ids: list[int], domain: Any, trials: Any, seed: int) -> list[dict[str, Any]]:
    suggested = strategy.suggest(ids, domain, trials, seed)
    for document in suggested:
        document["misc"]["vals"][_NUMBER] = [document["tid"]]
    return suggested


def _try(strategy: Strategy, objective: Objective, point: Mapping[str, float]) -> dict[str, Any]:
    loss = objective(int(point[_NUMBER]), strategy.parameters(point))
    return {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}


def _document(trials: Trials, space: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """A trial that is over, as Hyperopt keeps it."""
    point = {**told.parameters, _NUMBER: told.number}
    vals = {name: [point[name]] for name in space}
    misc = {"tid": told.number, "cmd": None, "idxs": {name: [told.number] for name in space}, "vals": vals}
    result = {"status": STATUS_FAIL} if told.loss is None else {"status": STATUS_OK, "loss": told.loss}
    (document,) = trials.new_trial_docs([told.number], [None], [result], [misc])
    return {**document, "state": JOB_STATE_DONE}


def _point(misc: Mapping[str, Any]) -> dict[str, float]:
    return {name: values[0] for name, values in misc["vals"].items()}
