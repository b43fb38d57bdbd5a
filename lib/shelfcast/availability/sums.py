"""Sums by group: what every estimate here is made of."""

import numpy as np
from numpy.typing import NDArray

from shelfcast.panel import FloatArray

IntArray = NDArray[np.int64]


def sums_of(groups: IntArray, values: FloatArray, n: int) -> FloatArray:
    """The sum of `values` of each of `n` groups, 0..; 0 where there are none."""
    return np.asarray(np.bincount(groups, values, n), dtype=np.float64)
