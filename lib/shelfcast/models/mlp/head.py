"""A network in two parts: its first layers, which all stores share, and the head, of which a store may have its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from shelfcast.models.mlp.forecaster import Forecaster
from shelfcast.models.mlp.network import QUANTILES, Design
from shelfcast.models.mlp.windows import BASES, Float32

Weights = Sequence[Float32]
_AT_ONCE = 4096


@dataclass(frozen=True)
class Parts:
    """trunk: the network's inputs -> hidden values (n, h, units). head: {hidden, base: (n, h, BASES)} -> (n, h,
    QUANTILES and the mean); it holds the weights of whoever used it last. weights: the head's in the network."""

    forecaster: Forecaster
    trunk: keras.Model
    head: keras.Model
    weights: Weights

    def hidden(self, inputs: Mapping[str, NDArray[np.generic]]) -> Float32:
        """What the first layers make of windows: shape (n, h, units)."""
        count = len(inputs["history"])
        parts = [
            keras.ops.convert_to_numpy(self.trunk({name: rows[at : at + _AT_ONCE] for name, rows in inputs.items()}))
            for at in range(0, count, _AT_ONCE)
        ]
        return np.concatenate(parts).astype(np.float32)

    def say(self, weights: Weights, hidden: Float32, base: Float32) -> Float32:
        """What a head of these weights says of the hidden values."""
        self.head.set_weights(weights)
        return np.asarray(keras.ops.convert_to_numpy(self.head({"hidden": hidden, "base": base})))

    def unflatten(self, values: Float32) -> Weights:
        """The weights of a head from one row of numbers, as `flatten` gave them."""
        ends = np.cumsum([part.size for part in self.weights])
        pieces = np.split(np.asarray(values, dtype=np.float32), ends[:-1])
        return [piece.reshape(part.shape) for piece, part in zip(pieces, self.weights, strict=True)]


def flatten(weights: Weights) -> Float32:
    """The weights of a head as one row of numbers."""
    return np.concatenate([np.ravel(part) for part in weights]).astype(np.float32)


def split(forecaster: Forecaster) -> Parts:
    """The two parts of a network, which stays as it is."""
    layer = forecaster.network.get_layer("head")
    steps, simple = layer.input
    hidden, base = keras.Input(steps.shape[1:], name="hidden"), keras.Input(simple.shape[1:], name="base")
    own = type(layer).from_config(layer.get_config())
    head = keras.Model({"hidden": hidden, "base": base}, own([hidden, base]), name="head")
    weights = [np.array(part) for part in layer.get_weights()]
    head.set_weights(weights)
    return Parts(forecaster, keras.Model(forecaster.network.input, steps, name="trunk"), head, weights)


def count_weights(design: Design) -> int:
    """How many numbers a head of the network has: units and a bias for each of its columns."""
    return (design.units + 1) * (2 * (len(BASES) + 2) + len(QUANTILES) - 1)
