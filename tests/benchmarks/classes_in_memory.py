"""ABC and XYZ of a few values in memory: what the classes of a lake's rows are compared with."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shelfcast.inventory.classes import Borders


def abc(value: ArrayLike, borders: Borders) -> NDArray[np.str_]:
    """The class of each value, in money; without any value all are C, and equals rank in their given order."""
    value = np.asarray(value, dtype=np.float64)
    order = np.argsort(-value, kind="stable")
    before = np.empty_like(value)
    before[order] = np.cumsum(value[order]) - value[order]
    share = before / value.sum() if value.sum() > 0 else np.ones_like(value)
    return np.where(value <= 0, "C", np.where(share < borders.a, "A", np.where(share < borders.b, "B", "C")))


def xyz(variation: ArrayLike, borders: Borders) -> NDArray[np.str_]:
    """The class of each coefficient of variation, a ratio; unknown (NaN) is Z."""
    variation = np.asarray(variation, dtype=np.float64)
    return np.where(variation <= borders.x, "X", np.where(variation <= borders.y, "Y", "Z"))
