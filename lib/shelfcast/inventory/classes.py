"""ABC by value, XYZ by how steady demand is.

ABC: products in falling order of value; those that come before `a` of the total are A, before `b` B, the rest C (Dickie
1951; Silver, Pyke and Thomas 2017, section 2.2.1). XYZ: the coefficient of variation of demand: up to `x` X, up to `y`
Y, above Z (Scholz-Reiter et al. 2012).
"""

from dataclasses import dataclass

CLASSES = tuple(f"{abc}{xyz}" for abc in "ABC" for xyz in "XYZ")


@dataclass(frozen=True)
class Borders:
    """a, b: shares of the total value, of what comes before; x, y: coefficients of variation."""

    a: float = 0.8
    b: float = 0.95
    x: float = 0.5
    y: float = 1.0
