"""Layers of the networks, registered by name: a saved network loads in Keras's safe mode, without code in it."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from shelfcast.panel import FloatArray

PACKAGE = "shelfcast"
LEAST_SHARE = 0.003


@keras.saving.register_keras_serializable(PACKAGE)
class EmbeddingSum(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The sum of one row of `units` for each category: what a dense layer without bias makes of their one-hot columns,
    at a cost that does not grow with the vocabulary.

    sizes: words of each category. Codes of shape (n, len(sizes)), each below its size -> (n, units). The rows are
    those of the dense kernel, category after category.
    """

    def __init__(self, sizes: Sequence[int], units: int, initializer: str = "glorot_uniform", **rest: Any) -> None:
        super().__init__(**rest)
        self.sizes, self.units, self.initializer = tuple(sizes), units, initializer
        self.starts = [sum(self.sizes[:place]) for place in range(len(self.sizes))]

    def build(self, _: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(sum(self.sizes), self.units), initializer=self.initializer)

    def call(self, codes: Any) -> Any:
        rows = ops.take(self.kernel, codes + ops.convert_to_tensor(self.starts, dtype=codes.dtype), axis=0)
        return ops.sum(ops.cast(rows, self.compute_dtype), axis=1)

    def get_config(self) -> dict[str, Any]:
        own = {"sizes": self.sizes, "units": self.units, "initializer": self.initializer}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(PACKAGE)
class ForecastHead(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Hidden values and simple forecasts of each period ahead -> its quantiles and its mean.

    (n, h, units), (n, h, bases) -> (n, h, quantiles + 1), the mean last. A centre is a weighted average of the simple
    forecasts, stretched and shifted: where the hidden values say nothing it is their plain average. The quantiles
    below and above that at `middle` follow by steps that are never negative, so that they do not cross.
    """

    def __init__(self, quantiles: int, middle: int, **rest: Any) -> None:
        super().__init__(**{**rest, "dtype": "float32"})
        self.quantiles, self.middle = quantiles, middle

    def build(self, shapes: Any) -> None:
        (*_, units), (*_, bases) = shapes
        self.bases, self.columns = bases, 2 * (bases + 2) + self.quantiles - 1
        self.kernel = self.add_weight(name="kernel", shape=(units, self.columns), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.columns,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        hidden, base = (ops.cast(part, "float32") for part in inputs)
        said = ops.matmul(hidden, self.kernel) + self.bias
        part = self.bases + 2
        centre, mean = (self._centre(said[..., start : start + part], base) for start in (0, part))
        steps = ops.softplus(said[..., 2 * part :])
        below = ops.flip(ops.cumsum(ops.flip(steps[..., : self.middle], -1), -1), -1)
        above = ops.cumsum(steps[..., self.middle :], -1)
        return ops.concatenate([centre - below, centre, centre + above, mean], -1)

    def begin_with(self, median: FloatArray, mean: FloatArray) -> None:
        """Say these weighted sums of the simple forecasts, whatever the hidden values are. Each (bases,), none below 0.
        How far the other quantiles are from the median stays as it is."""
        kernel, bias = (np.array(part) for part in self.get_weights())
        for start, weights in ((0, median), (self.bases + 2, mean)):
            own = slice(start, start + self.bases + 2)
            # At the weight 0 itself nothing could be learned of a forecast.
            total = max(float(weights.sum()), LEAST_SHARE)
            shares = np.maximum(weights / total, LEAST_SHARE)
            kernel[:, own], bias[own] = 0.0, [*np.log(shares / shares.sum()), total - 1.0, 0.0]
        self.set_weights([kernel, bias])

    def _centre(self, said: Any, base: Any) -> Any:
        average = ops.sum(ops.softmax(said[..., : self.bases]) * base, -1, keepdims=True)
        return average * (1.0 + said[..., -2:-1]) + said[..., -1:]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "quantiles": self.quantiles, "middle": self.middle}
