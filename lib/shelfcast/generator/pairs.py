"""Which store lists which product, and how well it sells there."""

import numpy as np
import pandas as pd

from shelfcast.generator.chain import Chain
from shelfcast.generator.demand import IntArray
from shelfcast.generator.streams import stream
from shelfcast.panel import FloatArray

# A product sells in a store by the store's size, and by tastes of the neighbourhood: spread of the logarithm.
_TASTE = 0.25


def draw_pairs(chain: Chain, stores: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """A row for each store that lists one of `products` (rows of draw_products), by store, then product.

    Columns: store and product (positions in the two frames), kind, base (mean units a day before any effect), visit,
    dispersion, and what the replenishment draws: misjudged (standard normal) and opening (uniform).
    """
    breadths = zip(products.index.to_numpy(), products["breadth"], strict=True)
    drawn = [_drawn(chain.seed, int(index), breadth, len(stores)) for index, breadth in breadths]
    product = np.repeat(np.arange(len(products)), [len(part[0]) for part in drawn])
    store = np.concatenate([part[0] for part in drawn])
    taste, misjudged, opening = np.concatenate([part[1] for part in drawn], axis=1)
    kind = products["kind"].to_numpy()[product]
    shapes = chain.classes.in_order()
    least, most = np.array([shape.weekly for shape in shapes])[kind].T
    level = products["level"].to_numpy()[product] * stores["size"].to_numpy()[store] * np.exp(taste)
    frame = pd.DataFrame(
        {
            "store": store,
            "product": product,
            "kind": kind,
            "base": np.clip(level, least, most) / 7,
            "visit": np.array([shape.visit for shape in shapes])[kind],
            "dispersion": np.array([shape.dispersion for shape in shapes])[kind],
            "misjudged": misjudged,
            "opening": opening,
        }
    )
    return frame.sort_values(["store", "product"], ignore_index=True)


def _drawn(seed: int, product: int, breadth: float, stores: int) -> tuple[IntArray, FloatArray]:
    """The stores that list a product, and three rows of a number for each: taste, misjudged and opening."""
    u = stream(seed, "assortment", product).random(stores)
    # a product that no store lists would be no product
    listed = np.flatnonzero((u < breadth) | (u == u.min()))
    others = stream(seed, "pair", product)
    numbers = others.normal(0, _TASTE, stores), others.normal(size=stores), others.random(stores)
    return listed, np.stack(numbers)[:, listed]


def scaled(pairs: pd.DataFrame, scale: float) -> pd.DataFrame:
    """The pairs of a chain `scale` times as busy: the mean is exactly so, and visits are as a Poisson process so much
    denser: a busy chain has more customers, not only larger baskets."""
    return pairs.assign(base=pairs["base"] * scale, visit=1 - (1 - pairs["visit"]) ** scale)
