"""What a forecasting network minimises: sums over the cells of a batch, so that processes can add theirs up."""

from typing import Any

from keras import ops

from shelfcast.models.mlp.network import QUANTILES

# Squares outgrow the pinball losses where a series jumps: beyond so many multiples of its level an error is linear. No
# lower than inputs reach: the mean of lumpy demand lives on rare large orders, and with a limit of 5 lost a fifth.
MEAN_LIMIT = 20.0
MEAN_WEIGHT = 0.5


def loss_sums(y: Any, said: Any, weight: Any) -> tuple[Any, Any]:
    """The loss and the number of known cells, both summed over a batch.

    y: (n, h), NaN where not known; said: (n, h, QUANTILES and the mean); both multiples of the scale. weight: (n,), the
    scale over the mean scale: errors then count in units.
    """
    known = ops.cast(ops.logical_not(ops.isnan(y)), "float32")
    cells = known * cell_losses(ops.where(known > 0, y, ops.zeros_like(y)), said)
    return ops.sum(cells * ops.expand_dims(weight, -1)), ops.sum(known)


def cell_losses(y: Any, said: Any) -> Any:
    """The loss of each cell, (n, h), multiples of the scale.

    Of the quantiles the pinball loss, which asks no distribution of an intermittent count, halved so that the median's
    is the absolute error; of the mean the squared error over the level, as befits a variance that grows with the level
    (a count's does).
    """
    error = ops.expand_dims(y, -1) - said
    nominal = ops.convert_to_tensor(QUANTILES, dtype="float32")
    pinball = ops.sum(2.0 * ops.maximum(nominal * error[..., :-1], (nominal - 1.0) * error[..., :-1]), -1)
    size = ops.abs(error[..., -1])
    square = ops.where(size < MEAN_LIMIT, size**2, MEAN_LIMIT * (2.0 * size - MEAN_LIMIT))
    return pinball + MEAN_WEIGHT * square
