"""From examples to the matrices that scikit-learn reads. Words and scales are learned from the training rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from shelfcast.events import CALENDAR_FEATURES
from shelfcast.features import CATEGORICAL_FEATURES, NUMERIC_FEATURES
from shelfcast.panel import PLANNED, RECENT, FloatArray

NEVER_SEEN = 0
# A straight line drawn through ordinary rows says nothing of one ten deviations away.
DEVIATION_LIMIT = 5.0


@dataclass(frozen=True)
class Encoder:
    """What was learned from the training rows.

    vocabularies: categorical feature -> its words, sorted; a word's code is its place + 1, NEVER_SEEN is 0.
    numeric: names of the numeric features, in the order of the columns of a matrix.
    mean, deviation: shape (numeric features,), of the known values.
    """

    vocabularies: Mapping[str, Sequence[str]]
    numeric: Sequence[str]
    mean: FloatArray
    deviation: FloatArray

    def codes(self, examples: pd.DataFrame) -> NDArray[np.int64]:
        """Shape (rows, categorical features): the code of each word."""
        columns = [
            pd.Index(words).get_indexer(pd.Index(examples[name])) + 1 for name, words in self.vocabularies.items()
        ]
        return np.stack(columns, axis=1).astype(np.int64) if columns else np.empty((len(examples), 0), dtype=np.int64)

    def standardized(self, examples: pd.DataFrame) -> FloatArray:
        """Shape (rows, numeric features): mean 0, deviation 1 over the training rows; 0 where unknown."""
        values = (examples[list(self.numeric)].to_numpy(dtype=np.float64) - self.mean) / self.deviation
        return np.clip(np.nan_to_num(values, nan=0.0), -DEVIATION_LIMIT, DEVIATION_LIMIT)

    def sparse_matrix(self, examples: pd.DataFrame) -> sparse.csr_matrix:
        """The standardized numbers, then a one-hot column a word (the first of each feature: never seen), never
        densified."""
        blocks = [sparse.csr_matrix(self.standardized(examples))]
        for codes, words in zip(self.codes(examples).T, self.vocabularies.values(), strict=True):
            rows, ones = np.arange(len(codes)), np.ones(len(codes))
            blocks.append(sparse.csr_matrix((ones, (rows, codes)), shape=(len(codes), len(words) + 1)))
        return sparse.hstack(blocks, format="csr")

    def tree_matrix(self, examples: pd.DataFrame) -> FloatArray:
        """The raw numbers (NaN where unknown), then the codes: what trees read."""
        return np.hstack([examples[list(self.numeric)].to_numpy(dtype=np.float64), self.codes(examples)])


def fit_encoder(examples: pd.DataFrame) -> Encoder:
    """Learns the words of the categorical features that `examples` has, and the scales of the numeric ones known there.

    Without the calendar of the target: it repeats by the year, and where the history is shorter than two a model takes
    the accidents of single weeks for the calendar's doing.
    """
    planned = sorted(str(name) for name in examples if str(name).startswith((PLANNED, RECENT)))
    # A year ago is not known to any row of a short history: such a feature says nothing, and binning it fails.
    names = [name for name in NUMERIC_FEATURES if name not in CALENDAR_FEATURES]
    numeric = [name for name in (*names, *planned) if examples[name].notna().any()]
    named = [name for name in CATEGORICAL_FEATURES if name in examples]
    deviation = examples[numeric].std(ddof=0).to_numpy()
    return Encoder(
        vocabularies={name: sorted(examples[name].unique()) for name in named},
        numeric=numeric,
        mean=examples[numeric].mean().to_numpy(),
        deviation=np.where(deviation > 0, deviation, 1.0),
    )
