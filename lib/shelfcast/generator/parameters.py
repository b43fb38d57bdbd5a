"""Draws what the chain is: its stores, vendors and products.

Every number has a stream of its own purpose, drawn in the order of the entities. Days count from the first day, money
is in cents.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.generator import names
from shelfcast.generator.chain import Chain
from shelfcast.generator.streams import stream
from shelfcast.panel import FloatArray

# Monday to Sunday: a downtown store lives on the working week's end, a suburban one on Saturday.
_WEEKDAYS = np.array([[0.8, 0.85, 0.95, 1.05, 1.45, 1.2, 0.7], [0.75, 0.75, 0.8, 0.95, 1.35, 1.6, 0.8]])
# Vendors differ in how long an order takes: at least so many days, and so many more on average.
_LEAD_LEAST, _LEAD_MORE = (3, 8), (1.0, 5.0)
# Dollars for a 750 mL bottle: median, and the standard deviation of the logarithm.
_PRICES = {names.SPIRITS: (20.0, 0.55), names.WINE: (13.0, 0.6)}
_COST_SHARE = {names.SPIRITS: 0.745, names.WINE: 0.66}
_PACKS = (1, 3, 6, 12)
# Products differ in how many stores list them: from nearly everywhere to a store or two.
_BREADTH_CONCENTRATION = 2.0


def draw_stores(chain: Chain) -> pd.DataFrame:
    """A row a store: number, city, size (factor on demand), weekday (7 factors of mean 1, Monday first)."""
    n = chain.stores
    kinds = stream(chain.seed, "weekday").integers(len(_WEEKDAYS), size=n)
    weekday = _WEEKDAYS[kinds] * np.exp(stream(chain.seed, "weekday noise").normal(0, 0.05, (n, 7)))
    return pd.DataFrame(
        {
            "number": np.arange(1, n + 1),
            "city": [names.city(number) for number in range(n)],
            "size": np.exp(stream(chain.seed, "store size").normal(-0.08, 0.4, n)),
            "weekday": list(weekday / weekday.mean(axis=1, keepdims=True)),
        }
    )


def draw_vendors(chain: Chain) -> pd.DataFrame:
    """A row a vendor: number, name, review_weekday (0 is Monday), terms (days from invoice to payment) and the lead
    time in days from order to receipt: lead_least + Poisson(lead_more)."""
    n = chain.vendors
    return pd.DataFrame(
        {
            "number": 100 + np.cumsum(stream(chain.seed, "vendor number").integers(1, 180, n)),
            "name": [names.vendor(number) for number in range(n)],
            "lead_least": stream(chain.seed, "lead least").integers(*_LEAD_LEAST, n),
            "lead_more": stream(chain.seed, "lead more").uniform(*_LEAD_MORE, n),
            "review_weekday": stream(chain.seed, "review").integers(6, size=n),
            "terms": stream(chain.seed, "terms").integers(24, 46, n),
        }
    )


def draw_products(chain: Chain) -> pd.DataFrame:
    """A row a product: what the files say of it, and its demand's level, season, trend, elasticity and breadth.

    Neighbours (0 and 1, 2 and 3 ...) are rivals of one category. season: 53 factors by ISO week; trend: growth of the
    logarithm a year; breadth: the chance that a store lists it; level: mean units a week in a store of size 1.
    """
    n, seed = chain.products, chain.seed
    couple = np.arange(n) // 2
    is_wine = stream(seed, "category").random(n)[couple] < 0.65
    classification = np.where(is_wine, names.WINE, names.SPIRITS)
    sizes = [_size(kind, u) for kind, u in zip(classification, stream(seed, "size").random(n), strict=True)]
    frame = pd.DataFrame(
        {
            "number": 50 + np.cumsum(stream(seed, "product number").integers(1, 9, n)),
            "description": [names.label(number, kind) for number, kind in enumerate(classification)],
            "size": [size.text for size in sizes],
            "catalogue_size": [size.catalogue for size in sizes],
            "volume": [size.volume for size in sizes],
            "classification": classification,
            "vendor": _vendors(chain),
            "pack": np.array(_PACKS)[stream(seed, "pack").integers(len(_PACKS), size=n)],
            "season": list(_seasons(seed, is_wine)),
            "trend": stream(seed, "trend").normal(0.02, 0.12, n),
            "elasticity": stream(seed, "elasticity").uniform(0.8, 2.8, n),
            "breadth": stream(seed, "breadth").beta(
                _BREADTH_CONCENTRATION * chain.assortment, _BREADTH_CONCENTRATION * (1 - chain.assortment), n
            ),
        }
    )
    return frame.join(_prices(seed, frame)).join(_levels(chain))


def _size(classification: int, u: float) -> names.Size:
    weights = names.SIZES[classification]
    bounds = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(bounds, u * bounds[-1], side="right"))]


def _vendors(chain: Chain) -> NDArray[np.int64]:
    """A few vendors have most products: the square of a uniform number is dense near 0."""
    return (stream(chain.seed, "vendor").random(chain.products) ** 2 * chain.vendors).astype(np.int64)


def _seasons(seed: int, is_wine: NDArray[np.bool_]) -> FloatArray:
    """Two harmonics of the year and the peak before Christmas, shape (n, 53); their mean over 52 weeks is 1."""
    n = len(is_wine)
    angle = 2 * np.pi * np.arange(53) / 52
    summer = stream(seed, "season summer").normal(0.0, 0.12, n) - 0.05 * is_wine
    half = stream(seed, "season half").normal(0.0, 0.06, n)
    christmas = np.abs(stream(seed, "season christmas").normal(0.35, 0.2, n))
    peak = np.exp(-0.5 * ((np.arange(53) - 50) / 1.2) ** 2)
    factors = np.exp(-np.outer(summer, np.cos(angle)) + np.outer(half, np.cos(2 * angle)) + np.outer(christmas, peak))
    return np.asarray(factors / factors[:, :52].mean(axis=1, keepdims=True))


def _prices(seed: int, frame: pd.DataFrame) -> pd.DataFrame:
    """Shelf prices end in .49 or .99, as a shop's do; larger bottles cost less a litre."""
    is_wine = frame["classification"].to_numpy() == names.WINE
    median, spread = (np.where(is_wine, _PRICES[names.WINE][part], _PRICES[names.SPIRITS][part]) for part in (0, 1))
    dollars = median * np.exp(stream(seed, "price").normal(0, 1, len(frame)) * spread)
    bottles = frame["volume"].replace(0, 750).to_numpy() / 750
    price = np.maximum(np.rint(dollars * bottles**0.8 * 2), 2).astype(np.int64) * 50 - 1
    share = np.where(is_wine, _COST_SHARE[names.WINE], _COST_SHARE[names.SPIRITS])
    cost = price * (share + stream(seed, "cost").normal(0, 0.03, len(frame)))
    return pd.DataFrame({"price": price, "purchase_price": np.maximum(np.rint(cost), 1).astype(np.int64)})


def _levels(chain: Chain) -> pd.DataFrame:
    shapes = chain.classes.in_order()
    bounds = np.cumsum([shape.share for shape in shapes])
    # Each class has its share of the products to the last one, not as chance would have it.
    place = (stream(chain.seed, "class").permutation(chain.products) + 0.5) / chain.products
    kind = np.searchsorted(bounds[:-1], place, side="right")
    low, high = (np.log([shape.weekly[part] for shape in shapes])[kind] for part in (0, 1))
    level = np.exp(low + (high - low) * stream(chain.seed, "level").random(chain.products))
    return pd.DataFrame({"kind": kind, "level": level})
