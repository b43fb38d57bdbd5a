"""The weeks of a series as one value of the index: a matrix of doubles, a row a week, in bytes.

A row of the index is a series then, not a week: a page reads a tenth of the rows, and they are written in a tenth of
the time.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_EPOCH = date(1970, 1, 1)


def pack(matrix: Matrix) -> bytes:
    return matrix.tobytes()


def unpack(blob: bytes, columns: int) -> Matrix:
    """The matrix of so many columns. A missing value is NaN."""
    return np.frombuffer(blob, dtype=np.float64).reshape(-1, columns)


def as_doubles(table: pa.Table, columns: Sequence[str]) -> Matrix:
    """The columns side by side, shape (rows, columns); of a date the days since 1970, of what is not known NaN."""
    return np.stack([_doubles(table[name]) for name in columns], axis=1)


def as_date(days: float) -> date:
    return _EPOCH + timedelta(days=int(days))


def starts_of(table: pa.Table, keys: Sequence[str]) -> NDArray[np.int64]:
    """The first row of each run of rows with equal keys, in a table that is sorted by them."""
    if table.num_rows == 0:
        return np.empty(0, dtype=np.int64)
    is_new = np.ones(table.num_rows, dtype=bool)
    is_new[1:] = False
    for key in keys:
        codes = table[key].combine_chunks().dictionary_encode()
        numbers = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        is_new[1:] |= numbers[1:] != numbers[:-1]
    return np.flatnonzero(is_new)


def _doubles(column: pa.ChunkedArray) -> Matrix:
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    values: Matrix = pc.cast(column, pa.float64()).to_numpy()
    return values
