"""Fine-tuning of a network to single stores: its first layers stay as they are, and the head is trained on one store's
windows, by the loop and the loss that trained the network.

What the first layers make of a window does not change, so it is computed once, and training a head is cheap.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast import artefacts
from shelfcast.models.mlp.forecaster import Forecaster, encode, loads
from shelfcast.models.mlp.head import Parts, flatten, split
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.windows import Float32
from shelfcast.training.batch import Batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe, Trainer
from shelfcast.training.memory import InMemory

# A worker goes through its stores with the networks of a few cutoffs.
_LOADED_AT_ONCE = 16


class HeadTrainer:
    """Trains heads of one network, each from the network's own on: what TensorFlow has traced serves every store."""

    def __init__(self, parts: Parts, recipe: Recipe, batch_size: int) -> None:
        self.parts, self.recipe, self.batch_size = parts, recipe, batch_size
        parts.head.set_weights(parts.weights)
        shapes = {name: (0, *tensor.shape[1:]) for name, tensor in parts.head.input.items()}
        inputs = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        nothing = Batch(inputs, np.zeros(shapes["hidden"][:2], np.float32), np.zeros(0, np.float32))
        self._trainer = Trainer(parts.head, loss_sums, InMemory(nothing, None, batch_size, 0, Alone()), recipe, Alone())
        self._start = [np.array(part) for part in self._trainer.state()]

    def fit(self, windows: Batch) -> Float32:
        """The head trained on these windows, flat."""
        trainer = self._trainer
        trainer.data = InMemory(windows, None, self.batch_size, self.recipe.seed, Alone())
        trainer.restore(self._start)
        while not trainer.is_done:
            trainer.run_epoch()
        return flatten(trainer.best)


def read_windows(rows: pd.DataFrame, forecaster: Forecaster, known: int) -> Batch:
    """Windows as the network reads them. rows: of features/windows. known: weeks; what comes after them is NaN. The
    weight is the scale."""
    flat = {name: _matrix(rows, name) for name in ("history", "level", "ahead", "base", "y")}
    y = flat.pop("y")
    weeks = rows["origin"].to_numpy()[:, None] + np.arange(1, y.shape[1] + 1)
    inputs: dict[str, NDArray[Any]] = {"codes": encode(rows, forecaster.words), **flat}
    inputs |= {name: flat[name].reshape(*y.shape, -1) for name in ("ahead", "base")}
    return Batch(inputs, np.where(weeks <= known, y, np.float32("nan")), rows["scale"].to_numpy(dtype=np.float32))


def activate(windows: Batch, parts: Parts) -> Batch:
    """Windows as the head reads them. The weight is the scale over their mean: errors then count in units."""
    inputs = {"hidden": parts.hidden(windows.inputs), "base": windows.inputs["base"]}
    return Batch(inputs, windows.y, windows.weight / windows.weight.mean())


def _matrix(rows: pd.DataFrame, name: str) -> Float32:
    """A column of lists of one length, a row each."""
    return np.array(rows[name].tolist(), dtype=np.float32)


@lru_cache(maxsize=_LOADED_AT_ONCE)
def load_parts(uri: str) -> Parts:
    """The network at `uri` in its two parts, kept by the process that loads it."""
    return split(loads(artefacts.read_bytes(uri), uri))


@lru_cache(maxsize=_LOADED_AT_ONCE)
def load_trainer(uri: str, recipe: Recipe, batch_size: int) -> HeadTrainer:
    """A trainer of heads of the network at `uri`, kept by the process."""
    return HeadTrainer(load_parts(uri), recipe, batch_size)
