"""Where the head of a network begins at a new company: the weights with which simple forecasts come nearest to its
demand."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import nnls

from shelfcast.models.mlp.layers import ForecastHead
from shelfcast.panel import FloatArray
from shelfcast.training.batch import Batch
from shelfcast.training.communicator import Communicator

_STEPS = 20
# Errors below this part of a series' level weigh no more than it does.
_LEAST_ERROR = 1e-3
# Cells beyond so many tell ten weights nothing new.
_CELLS = 50_000


def begin_head(head: ForecastHead, batches: Iterable[Batch], communicator: Communicator) -> None:
    """Let the head's median and mean be the weighted sums of the simple forecasts that fit the windows of all processes
    best, whatever the hidden values say: what these said of another company's demand is unlearned."""
    base, y, weight = _cells(batches, head.bases)
    # The median has the least absolute error, the mean the least squared one.
    median = fit_weights(base, y, weight, communicator, steps=_STEPS)
    head.begin_with(median, fit_weights(base, y, weight, communicator, steps=1))


def fit_weights(
    base: FloatArray, y: FloatArray, weight: FloatArray, communicator: Communicator, steps: int
) -> FloatArray:
    """Weights of the columns of `base`, (n, k), none below 0, whose sum comes nearest to `y`, (n,), over the rows of
    all processes: by least squares in one step, by least absolute error in many (iteratively reweighted)."""
    found, own = np.zeros(base.shape[1]), weight
    for _ in range(steps):
        sums = (base.T @ (base * own[:, None]), base.T @ (own * y))
        square, mixed = (np.asarray(part) for part in communicator.all_reduce([tf.constant(part) for part in sums]))
        # A forecast that another one repeats keeps the matrix from being singular.
        factor = np.linalg.cholesky(square + 1e-9 * (np.trace(square) + 1e-9) * np.eye(len(found)))
        found = nnls(factor.T, np.linalg.solve(factor, mixed))[0]
        own = weight / np.maximum(np.abs(y - base @ found), _LEAST_ERROR)
    return found


def _cells(batches: Iterable[Batch], bases: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of the known cells the simple forecasts, the demand and the weight; none where there are no batches."""
    parts = [(np.empty((0, bases)), np.empty(0), np.empty(0)), *map(_known, batches)]
    base, y, weight = (np.concatenate(each) for each in zip(*parts, strict=True))
    every = -(-len(y) // _CELLS) or 1
    return base[::every], y[::every], weight[::every]


def _known(batch: Batch) -> tuple[NDArray[np.float64], ...]:
    y = np.asarray(batch.y, dtype=np.float64)
    known = ~np.isnan(y)
    weight = np.broadcast_to(np.asarray(batch.weight, dtype=np.float64)[:, None], y.shape)
    return np.asarray(batch.inputs["base"], dtype=np.float64)[known], y[known], weight[known]
