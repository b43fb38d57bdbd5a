"""Exact nearest neighbours in the one-hot metric, without measuring every pair.

Two rows that differ in a category differ in two indicators, so the squared distance is
2 * (categories that differ) + the squared distance of the numbers. Cut the categories into two blocks: rows that differ
within both are at least 4 apart. Whoever is nearer shares a whole block, and is found in the group of those who do.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shelfcast.panel import FloatArray
from shelfcast.study.representation import UNSEEN, Codes, Inputs

# The product, and all else: store, classification and vendor.
BLOCKS = ((0,), (1, 2, 3))
# Squared: rows outside both of a query's groups are at least so far.
OUTSIDE = 4.0
# Distances held at a time: 16 MB of them.
_PAIRS = 2_000_000

Rows = NDArray[np.intp]


def nearest(train: Inputs, queries: Inputs, k: int) -> tuple[Rows, FloatArray]:
    """The `k` training rows nearest to each query and their squared distances, shape (queries, k).

    Of equally near rows the earlier one. Needs at least `k` training rows.
    """
    found = [_nearest_in_group(train, queries, k, block) for block in range(len(BLOCKS))]
    rows, distances = _merge(found, k)
    # A category that was never seen is as far from all training rows (1, not 2): the bound does not hold there.
    unproven = np.flatnonzero((distances[:, -1] >= OUTSIDE) | (queries.codes == UNSEEN).any(axis=1))
    rows[unproven], distances[unproven] = nearest_of_all(train, _take(queries, unproven), k)
    return rows, distances


def nearest_of_all(train: Inputs, queries: Inputs, k: int) -> tuple[Rows, FloatArray]:
    """As `nearest`, by measuring every pair: for the few queries whose neighbours the groups do not prove."""
    rows = np.empty((len(queries), k), dtype=np.intp)
    distances = np.empty((len(queries), k))
    for part in _parts(np.arange(len(queries)), len(train)):
        rows[part], distances[part] = _smallest(_distances(train, _take(queries, part)), k)
    return rows, distances


def _nearest_in_group(train: Inputs, queries: Inputs, k: int, block: int) -> tuple[Rows, FloatArray]:
    """The nearest rows that share the block and no earlier one; infinitely far where they are too few."""
    rows = np.zeros((len(queries), k), dtype=np.intp)
    distances = np.full((len(queries), k), np.inf)
    for members, asking in _groups(train.codes, queries.codes, BLOCKS[block]):
        group = _take(train, members)
        for part in _parts(asking, len(members)):
            apart = _distances(group, _take(queries, part))
            for earlier in BLOCKS[:block]:
                apart[_equal(group.codes, queries.codes[part], earlier)] = np.inf
            width = min(k, len(members))
            place, distances[part, :width] = _smallest(apart, width)
            rows[part, :width] = members[place]
    return rows, distances


def _groups(train: Codes, queries: Codes, columns: tuple[int, ...]) -> Iterator[tuple[Rows, Rows]]:
    """Training rows and queries with the same categories in `columns`, both in their own order."""
    both = np.concatenate([train, queries])[:, columns]
    _, labels = np.unique(both, axis=0, return_inverse=True)
    members, asking = _by_label(labels[: len(train)]), _by_label(labels[len(train) :])
    yield from ((members[label], rows) for label, rows in asking.items() if label in members)


def _by_label(labels: NDArray[np.intp]) -> dict[int, Rows]:
    order = np.argsort(labels, kind="stable")
    values, starts = np.unique(labels[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, starts[1:]), strict=True)) if len(labels) else {}


def _parts(rows: Rows, width: int) -> Iterator[Rows]:
    """`rows` in parts whose distances to `width` others fit in _PAIRS."""
    step = max(1, _PAIRS // width)
    yield from (rows[start : start + step] for start in range(0, len(rows), step))


def _distances(train: Inputs, queries: Inputs) -> FloatArray:
    """Squared distances, shape (queries, train)."""
    apart = np.zeros((len(queries), len(train)))
    for column in range(train.numbers.shape[1]):
        apart += (queries.numbers[:, column, None] - train.numbers[:, column]) ** 2
    for column in range(train.codes.shape[1]):
        asked = queries.codes[:, column, None]
        differ = asked != train.codes[:, column]
        apart += differ * np.where(asked == UNSEEN, 1.0, 2.0)
    return apart


def _equal(train: Codes, queries: Codes, columns: tuple[int, ...]) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (queries[:, None, columns] == train[None, :, columns]).all(axis=2)
    return equal


def _smallest(apart: FloatArray, k: int) -> tuple[Rows, FloatArray]:
    """The `k` smallest of each row, in order, the first of equals first. Changes `apart`."""
    rows = np.arange(len(apart))
    places = np.empty((len(apart), k), dtype=np.intp)
    values = np.empty((len(apart), k))
    for rank in range(k):
        # argmin passes five times faster than a sort, and takes the first of equals
        places[:, rank] = apart.argmin(axis=1)
        values[:, rank] = apart[rows, places[:, rank]]
        apart[rows, places[:, rank]] = np.inf
    return places, values


def _merge(found: list[tuple[Rows, FloatArray]], k: int) -> tuple[Rows, FloatArray]:
    rows = np.concatenate([part for part, _ in found], axis=1)
    distances = np.concatenate([part for _, part in found], axis=1)
    order = np.lexsort((rows, distances), axis=1)[:, :k]
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _take(inputs: Inputs, rows: Rows) -> Inputs:
    return Inputs(inputs.codes[rows], inputs.numbers[rows], inputs.sizes)
