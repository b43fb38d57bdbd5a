"""The optimizers by name. Small networks take a step in less time than Keras takes to pass over their weights."""

from typing import Any

import keras
import tensorflow as tf


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    """Keras's Adam by one kernel a variable: the same numbers, where Keras's own step passes over it a dozen times."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value, variable.dtype) + 1.0
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


def make_optimizer(name: str, learning_rate: float, weight_decay: float) -> keras.optimizers.Optimizer:
    """`adam`, with decoupled decay of the weights (Loshchilov and Hutter 2019) where it is above 0, or plain `sgd`."""
    if name == "sgd":
        return keras.optimizers.SGD(learning_rate)
    return FusedAdam(learning_rate, weight_decay=weight_decay or None)
