"""A network's steps as graphs of TensorFlow: what is learned from a batch alone, or from the sums of several
processes."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from shelfcast.training.batch import Batch, map_batch

# y, what the network said, weights -> the loss and what it is to be divided by, both summed over the batch
Loss = Callable[[Any, Any, Any], tuple[Any, Any]]


class Steps:
    """gradients(inputs, y, weight): of one batch the gradients of the summed loss, the loss, what it is to be divided
    by, and the rows. learn(gradients, count, rate): one step along their mean. learn_all: as both, of several batches
    one after the other, each array with an axis of batches in front. measure: the loss of what is held back.
    """

    def __init__(self, network: keras.Model, loss: Loss, optimizer: keras.optimizers.Optimizer, empty: Batch) -> None:
        """empty: a batch of no examples, to tell the arrays' shapes and types."""
        self._network, self._loss, self._optimizer = network, loss, optimizer
        # One trace for batches of any size; Keras fails at a size that is known to be 0.
        batch = map_batch(lambda values: tf.TensorSpec((None, *values.shape[1:]), values.dtype), empty)
        several = map_batch(lambda spec: tf.TensorSpec((None, *spec.shape), spec.dtype), batch)
        self.measure = tf.function(self._measure, input_signature=batch)
        self.gradients = tf.function(self._gradients, input_signature=batch)
        self.learn = tf.function(self._learn, reduce_retracing=True)
        self.learn_all = tf.function(self._learn_all, input_signature=(*several, tf.TensorSpec((None,), tf.float32)))

    def _measure(self, inputs: dict[str, Any], y: Any, weight: Any) -> tuple[Any, Any]:
        return self._loss(y, self._network(inputs, training=False), weight)

    def _gradients(self, inputs: dict[str, Any], y: Any, weight: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            loss, count = self._loss(y, self._network(inputs, training=True), weight)
        gradients = tape.gradient(loss, [variable.value for variable in self._network.trainable_variables])
        rows = tf.cast(tf.shape(y)[0], tf.float32)
        return [*map(tf.convert_to_tensor, gradients), loss, count, rows]

    def _learn(self, gradients: Sequence[Any], count: Any, rate: Any) -> None:
        """Nothing is done where nothing was counted."""

        def apply() -> Any:
            self._optimizer.learning_rate.assign(rate)
            self._optimizer.apply([gradient / count for gradient in gradients], self._network.trainable_variables)
            return rate

        tf.cond(count > 0, apply, lambda: rate)

    def _learn_all(self, inputs: dict[str, Any], y: Any, weight: Any, rates: Any) -> Any:
        """Returns the loss and what it is to be divided by, summed over the batches."""

        def step(place: Any, totals: Any) -> tuple[Any, Any]:
            batch = map_batch(lambda values: values[place], Batch(inputs, y, weight))
            *gradients, loss, count, _ = self._gradients(*batch)
            self._learn(gradients, count, rates[place])
            return place + 1, totals + tf.stack([loss, count])

        return tf.while_loop(lambda place, _: place < tf.size(rates), step, (0, tf.zeros(2)), parallel_iterations=1)[1]
