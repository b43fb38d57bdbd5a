"""ABC by value, XYZ by how steady demand is.

ABC: products in falling order of value; those that come before `a` of the total are A, before `b` B, the rest C (Dickie
1951; Silver, Pyke and Thomas 2017, section 2.2.1). XYZ: the coefficient of variation of demand: up to `x` X, up to `y`
Y, above Z (Scholz-Reiter et al. 2012).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CLASSES = tuple(f"{abc}{xyz}" for abc in "ABC" for xyz in "XYZ")


@dataclass(frozen=True)
class Borders:
    """a, b: shares of the total value, of what comes before; x, y: coefficients of variation."""

    a: float = 0.8
    b: float = 0.95
    x: float = 0.5
    y: float = 1.0


def abc(value: ArrayLike, borders: Borders) -> NDArray[np.str_]:
    """The class of each value, in money; without any value all are C, and equals rank in their given order.

    >>> abc([5.0, 70.0, 20.0, 5.0], Borders()).tolist()
    ['B', 'A', 'A', 'C']
    """
    value = np.asarray(value, dtype=np.float64)
    order = np.argsort(-value, kind="stable")
    before = np.empty_like(value)
    before[order] = np.cumsum(value[order]) - value[order]
    share = before / value.sum() if value.sum() > 0 else np.ones_like(value)
    return np.where(value <= 0, "C", np.where(share < borders.a, "A", np.where(share < borders.b, "B", "C")))


def xyz(variation: ArrayLike, borders: Borders) -> NDArray[np.str_]:
    """The class of each coefficient of variation, a ratio; unknown (NaN) is Z.

    >>> xyz([0.2, 0.5, 0.8, 3.0, float("nan")], Borders()).tolist()
    ['X', 'X', 'Y', 'Z', 'Z']
    """
    variation = np.asarray(variation, dtype=np.float64)
    return np.where(variation <= borders.x, "X", np.where(variation <= borders.y, "Y", "Z"))
