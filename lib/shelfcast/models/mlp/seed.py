"""The published study's network: one-hot inputs, hidden layers of 50 and 100 (elu), one output, squared error, Adam."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from shelfcast.models.mlp.layers import EmbeddingSum

HIDDEN = (50, 100)


def make_seed_network(sizes: Sequence[int], numbers: int, seed: int) -> keras.Model:
    """codes (n, categories), numbers (n, numbers) -> (n, 1).

    sizes: words of each category. The first layer is the dense one of one-hot columns beside the numbers: its rows for
    the categories are an embedding sum.
    """
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    codes = keras.Input((len(sizes),), dtype="int32", name="codes")
    numeric = keras.Input((numbers,), name="numbers")
    first = layers.Add()([EmbeddingSum(sizes, HIDDEN[0], name="one_hot")(codes), layers.Dense(HIDDEN[0])(numeric)])
    second = layers.Dense(HIDDEN[1], activation="elu")(layers.Activation("elu")(first))
    return keras.Model({"codes": codes, "numbers": numeric}, layers.Dense(1)(second), name="seed")


def squared_error_sums(y: Any, said: Any, weight: Any) -> tuple[Any, Any]:
    """The weighted squared error and the weights, both summed over a batch. y, said: (n, 1); weight: (n,)."""
    weights = ops.expand_dims(weight, -1)
    return ops.sum(weights * (y - said) ** 2), ops.sum(weights)
