"""The training loop of every network, alone or in a ring of processes that each read their own share of the data.

In each step the processes add up their gradients and what these are sums over, and divide by the total: as if one had
read all of their batches. One that has read its share sends zeros until the others have read theirs.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from shelfcast.errors import ShelfcastError
from shelfcast.training.batch import Batch, stack_batches
from shelfcast.training.communicator import Communicator
from shelfcast.training.optimizer import make_optimizer
from shelfcast.training.steps import Loss, Steps

State = list[NDArray[Any]]
# Batches that one call learns from: the call itself takes as long as a small network's step.
_AT_ONCE = 32


class Data(Protocol):
    """A process's share of the data. total: examples of all processes in an epoch. empty: a batch of no examples."""

    total: int
    empty: Batch

    def training(self, epoch: int) -> Iterable[Batch]:
        """The batches of an epoch, in an order of its own."""

    def validation(self) -> Iterable[Batch]:
        """Batches that nothing is learned from; none where nothing is held back."""


class Store(Protocol):
    """Where a state outlives its process."""

    def read(self) -> State | None: ...

    def write(self, state: State) -> None: ...


@dataclass(frozen=True)
class Recipe:
    """How to train.

    learning_rate: of one process; with n it rises to n times as much in the first `warmup` epochs, for n batches make
    one step (Goyal et al. 2017), and then falls to 0 along a cosine. patience: epochs without a better validation loss
    after which training stops. seed: of the order of the examples and of dropout.
    """

    optimizer: Literal["adam", "sgd"]
    epochs: int
    learning_rate: float
    warmup: float
    weight_decay: float
    patience: int
    seed: int

    def rate(self, epochs: float, processes: int) -> float:
        """The learning rate after so many epochs, whole and parts."""
        full = self.learning_rate * processes
        if epochs < self.warmup:
            return self.learning_rate + (full - self.learning_rate) * epochs / self.warmup
        done = min((epochs - self.warmup) / max(self.epochs - self.warmup, 1e-9), 1.0)
        return full * (1 + math.cos(math.pi * done)) / 2


class Epoch(NamedTuple):
    """What an epoch came to, over all processes; validation is NaN where nothing is held back."""

    number: int
    loss: float
    validation: float


def train(
    network: keras.Model,
    loss: Loss,
    data: Data,
    recipe: Recipe,
    communicator: Communicator,
    store: Store | None = None,
    say: Callable[[str], None] | None = None,
) -> list[Epoch]:
    """Train `network` in place, to the weights of the best epoch where there is validation, else of the last.

    Goes on from the state in `store`, to which process 0 writes after each epoch. Raises ShelfcastError where the loss
    is no number, that of training or of validation.
    """
    trainer = Trainer(network, loss, data, recipe, communicator)
    trainer.resume(store)
    while not trainer.is_done:
        started, seen = time.monotonic(), trainer.seen
        epoch = trainer.run_epoch()
        if store and communicator.rank == 0:
            store.write(trainer.state())
        if say and communicator.rank == 0:
            say(_progress(trainer, epoch, trainer.seen - seen, time.monotonic() - started))
    trainer.restore_best()
    communicator.join()
    return trainer.history


def _progress(trainer: "Trainer", epoch: Epoch, examples: int, seconds: float) -> str:
    left = 0 if trainer.is_done else round(seconds * (trainer.recipe.epochs - epoch.number))
    told = "" if math.isnan(epoch.validation) else f", validation {epoch.validation:.5f}"
    return (
        f"epoch {epoch.number} of {trainer.recipe.epochs}: loss {epoch.loss:.5f}{told}, "
        f"{examples / max(seconds, 1e-9):,.0f} examples/s, at most {left // 60} min {left % 60} s left"
    )


class Trainer:
    """A network in training: the same state in every process."""

    def __init__(
        self, network: keras.Model, loss: Loss, data: Data, recipe: Recipe, communicator: Communicator
    ) -> None:
        self.network, self.data, self.recipe, self.communicator = network, data, recipe, communicator
        self.optimizer = make_optimizer(recipe.optimizer, recipe.learning_rate, recipe.weight_decay)
        self.optimizer.build(network.trainable_variables)
        self.best: State = [np.array(weight) for weight in network.get_weights()]
        self.history: list[Epoch] = []
        self.seen = 0
        self._steps = Steps(network, loss, self.optimizer, data.empty)

    @property
    def is_done(self) -> bool:
        return len(self.history) >= self.recipe.epochs or self._since_best() >= self.recipe.patience

    def run_epoch(self) -> Epoch:
        """One pass over the data of all processes, and what it came to. Each process comes to the same numbers."""
        number = len(self.history) + 1
        self._sow(number)
        learn = self._learn_alone if self.communicator.size == 1 else self._learn_together
        totals = learn(self.data.training(number), self.seen)
        loss = _require_number(_mean(totals), "loss", number)
        epoch = Epoch(number, loss, self._validate(number))
        self.history.append(epoch)
        if self._since_best() == 0:
            self.best = [np.array(weight) for weight in self.network.get_weights()]
        return epoch

    def restore_best(self) -> None:
        self.network.set_weights(self.best)

    def state(self) -> State:
        """All that the next epoch depends on."""
        history = np.array([(epoch.loss, epoch.validation) for epoch in self.history]).reshape(-1, 2)
        padded = np.full((self.recipe.epochs, 2), np.nan)
        padded[: len(history)] = history
        own = [variable.numpy() for variable in (*self.network.weights, *self.optimizer.variables)]
        return [np.array(len(history)), padded, *own, *self.best]

    def resume(self, store: Store | None) -> None:
        """Take up process 0's state, from the store where one is there."""
        found = store.read() if store and self.communicator.rank == 0 else None
        self.restore(self.communicator.broadcast(found or self.state()))

    def restore(self, state: State) -> None:
        """Take up a state, as `state` gave it."""
        count, padded, *arrays = state
        self.history = [Epoch(n + 1, float(loss), float(held)) for n, (loss, held) in enumerate(padded[: int(count)])]
        variables = (*self.network.weights, *self.optimizer.variables)
        for variable, array in zip(variables, arrays[: len(variables)], strict=True):
            variable.assign(array)
        self.best = arrays[len(variables) :]

    def _learn_alone(self, batches: Iterable[Batch], before: int) -> NDArray[np.float64]:
        """Learn from an epoch's batches, many in one call: the summed loss, and what it is to be divided by."""
        totals = np.zeros(2)
        for several in stack_batches(batches, _AT_ONCE):
            steps, rows = several.weight.shape
            rates = [self._rate(self.seen - before + step * rows) for step in range(steps)]
            totals += self._steps.learn_all(*several, np.array(rates, np.float32)).numpy()
            self.seen += steps * rows
        return totals

    def _learn_together(self, batches: Iterable[Batch], before: int) -> NDArray[np.float64]:
        """As `_learn_alone`, of all processes: a batch of each is one step."""
        totals, own, rows = np.zeros(2), iter(batches), 1
        while rows:
            *sums, rows = self._step(next(own, self.data.empty), self._rate(self.seen - before))
            totals += sums
            self.seen += rows
        return totals

    def _rate(self, seen: int) -> float:
        """The learning rate after so many examples of the epoch."""
        return self.recipe.rate(len(self.history) + seen / max(self.data.total, 1), self.communicator.size)

    def _step(self, batch: Batch, rate: float) -> tuple[float, float, int]:
        """Learn from one batch of each process: the summed loss, what it is to be divided by, and the rows; none where
        every process has read all that it has."""
        *gradients, loss, count, rows = self.communicator.all_reduce(self._steps.gradients(*batch))
        self._steps.learn(gradients, count, tf.constant(rate, tf.float32))
        return float(loss), float(count), int(rows)

    def _validate(self, number: int) -> float:
        """The validation loss of the epoch; NaN where nothing is held back."""
        totals = np.zeros(2)
        for inputs, y, weight in self.data.validation():
            totals += [float(part) for part in self._steps.measure(inputs, y, weight)]
        loss, count = map(float, self.communicator.all_reduce([tf.constant(total) for total in totals]))
        return _require_number(loss / count, "validation loss", number) if count > 0 else math.nan

    def _since_best(self) -> int:
        """Epochs since the one with the least validation loss; 0 where nothing is held back."""
        losses = [epoch.validation for epoch in self.history]
        if not losses or math.isnan(losses[-1]):
            return 0
        return len(losses) - 1 - int(np.argmin(losses))

    def _sow(self, epoch: int) -> None:
        """Dropout draws from (seed, process, epoch) alone: an epoch is the same after a new start."""
        mixed = np.random.SeedSequence((self.recipe.seed, self.communicator.rank, epoch)).generate_state(2)
        for variable in self.network.variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign(mixed.astype(variable.dtype))


def _require_number(loss: float, what: str, epoch: int) -> float:
    """Raise ShelfcastError where a loss is no number: as one of validation it would be the least for ever."""
    if not math.isfinite(loss):
        raise ShelfcastError(f"training: the {what} of epoch {epoch} is {loss}; wanted a number")
    return loss


def _mean(totals: NDArray[np.float64]) -> float:
    return float(totals[0] / totals[1]) if totals[1] > 0 else math.nan
