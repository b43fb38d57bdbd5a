"""The study's inputs as matrices: categories as codes, from which the one-hot matrix and the ordered codes are made."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from shelfcast.panel import FloatArray

Codes = NDArray[np.int32]

CATEGORIES = ("product_id", "store_id", "classification", "vendor_id")
NUMBERS = ("size", "price", "excise_tax", "purchase_price")
UNSEEN = -1


@dataclass(frozen=True)
class Inputs:
    """`n` rows, four categories and up to four numbers.

    codes: shape (n, 4), from 0 in each column; UNSEEN where the training rows lack the category.
    numbers: shape (n, numbers that are stated), standardized by the training rows' mean and standard deviation.
    sizes: how many categories the training rows have in each column.
    """

    codes: Codes
    numbers: FloatArray
    sizes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Encoder:
    """What the training rows teach of the inputs: their categories, and the numbers' means and deviations."""

    vocabularies: tuple[pd.Index, ...]
    numbers: tuple[str, ...]
    means: FloatArray
    deviations: FloatArray

    @classmethod
    def fit(cls, rows: pd.DataFrame) -> "Encoder":
        """Learn from training rows with columns CATEGORIES and NUMBERS. A category not stated is one of its own; a
        number that no row states is no input."""
        vocabularies = tuple(pd.Index(np.sort(_stated(rows[name]).unique())) for name in CATEGORIES)
        stated = tuple(name for name in NUMBERS if rows[name].notna().any())
        numbers = rows[[*stated]].astype(float)
        deviations = numbers.std(ddof=0)
        return cls(vocabularies, stated, numbers.mean().to_numpy(), deviations.where(deviations > 0, 1.0).to_numpy())

    def encode(self, rows: pd.DataFrame) -> Inputs:
        """The inputs of `rows`; a number that is not stated takes the training rows' mean."""
        pairs = zip(CATEGORIES, self.vocabularies, strict=True)
        codes = np.column_stack([vocabulary.get_indexer(pd.Index(_stated(rows[name]))) for name, vocabulary in pairs])
        numbers = (rows[[*self.numbers]].to_numpy(dtype=float) - self.means) / self.deviations
        sizes = tuple(len(vocabulary) for vocabulary in self.vocabularies)
        return Inputs(codes.astype(np.int32), np.nan_to_num(numbers, nan=0.0), sizes)


def one_hot(inputs: Inputs) -> sparse.csr_matrix:
    """A column per category, then the numbers: shape (n, sum(sizes) + numbers). A category not seen has no column."""
    seen = inputs.codes != UNSEEN
    offsets = np.concatenate([[0], np.cumsum(inputs.sizes)[:-1]])
    starts = np.concatenate([[0], np.cumsum(seen.sum(axis=1))])
    shape = (len(inputs), sum(inputs.sizes))
    columns = (inputs.codes + offsets)[seen]
    indicators = sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=shape)
    return sparse.hstack([indicators, sparse.csr_matrix(inputs.numbers)], format="csr")


def order_by_mean(codes: Codes, size: int, y: FloatArray, weights: FloatArray) -> NDArray[np.int32]:
    """Places of the categories by their weighted mean of `y`, last that of one not seen, shape (size + 1,).

    Of all ways to part categories in two groups, that of least squared error is a cut of this order (Fisher 1958;
    Breiman et al. 1984, theorem 4.5): a threshold on the places finds it. One without weight is at the overall mean.
    """
    counts = np.bincount(codes, weights=weights, minlength=size + 1)
    sums = np.bincount(codes, weights=weights * y, minlength=size + 1)
    overall = sums.sum() / (counts.sum() or 1.0)
    means = np.divide(sums, counts, out=np.full(size + 1, overall), where=counts > 0)
    places = np.empty(size + 1, dtype=np.int32)
    places[np.argsort(means, kind="stable")] = np.arange(size + 1)
    return places


def _stated(categories: pd.Series) -> pd.Series:
    return categories.fillna("")
