"""A small regression that processes learn together, for tests of the training loop."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

import keras
import numpy as np

from shelfcast.models.mlp.seed import make_seed_network, squared_error_sums
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Communicator
from shelfcast.training.loop import Epoch, Recipe, Store, train

SIZES = (4, 3)
BATCH = 16
# Keras draws all weights from one state: threads that make networks at once would share its numbers out by chance.
_MAKING = threading.Lock()
RECIPE = Recipe("sgd", epochs=5, learning_rate=0.02, warmup=0.0, weight_decay=0.0, patience=99, seed=3)


def rows(count: int, seed: int = 1) -> Batch:
    draw = np.random.default_rng(seed)
    codes = np.stack([draw.integers(0, size, count) for size in SIZES], axis=1).astype("int32")
    numbers = draw.normal(size=(count, 2)).astype("float32")
    y = (codes[:, :1] - numbers[:, 1:] + draw.normal(0, 0.1, (count, 1))).astype("float32")
    return Batch({"codes": codes, "numbers": numbers}, y, draw.uniform(0.5, 1.5, count).astype("float32"))


def cut(batch: Batch, at: Sequence[int] | np.ndarray) -> Batch:
    return map_batch(lambda values: values[np.asarray(at, dtype=int)], batch)


class Task:
    """Global batches of BATCH rows, the last one smaller; of each this process has its share: `shares` of all rows, by
    rank."""

    def __init__(self, count: int, rank: int, shares: Sequence[float], held: int = 0) -> None:
        self.total, self.empty = count, cut(rows(1), [])
        batches = np.split(np.arange(count), range(BATCH, count, BATCH))
        bounds = np.cumsum([0.0, *shares])
        self.own = [batch[round(bounds[rank] * len(batch)) : round(bounds[rank + 1] * len(batch))] for batch in batches]
        self.all, self.held = rows(count), np.array_split(np.arange(held), len(shares))[rank]

    def training(self, _: int) -> Iterable[Batch]:
        # A process whose share of a batch is empty has read all it has: the empty ones are the last.
        return [cut(self.all, batch) for batch in self.own if len(batch)]

    def validation(self) -> Iterable[Batch]:
        return [cut(rows(100, seed=2), self.held)] if len(self.held) else []


def fit(
    communicator: Communicator,
    recipe: Recipe = RECIPE,
    count: int = 150,
    shares: Sequence[float] | None = None,
    held: int = 0,
    store: Store | None = None,
) -> tuple[list[np.ndarray], list[Epoch]]:
    """The weights and the epochs. The step is as large as that of one process: n of them take n times theirs."""
    with _MAKING:
        network = make_seed_network(SIZES, 2, seed=communicator.rank)
    own = replace(recipe, learning_rate=recipe.learning_rate / communicator.size)
    shares = shares or [1 / communicator.size] * communicator.size
    history = train(network, squared_error_sums, Task(count, communicator.rank, shares, held), own, communicator, store)
    return network.get_weights(), history


def with_dropout() -> keras.Model:
    inputs = {"codes": keras.Input((2,), dtype="int32", name="codes"), "numbers": keras.Input((2,), name="numbers")}
    hidden = keras.layers.Dropout(0.5, seed=1)(keras.layers.Dense(8)(inputs["numbers"]))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))
