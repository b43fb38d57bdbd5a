"""Columns of a file as Arrow text: a chain has more rows than Python can format one by one."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shelfcast.generator.demand import IntArray
from shelfcast.generator.files import LINE_END


def texts_of(values: IntArray, form: Callable[[int], str] = str) -> pa.Array:
    """Each value as text; `form` is asked once for each distinct value."""
    encoded = pa.array(values).dictionary_encode()
    return pc.take(pa.array([form(value) for value in encoded.dictionary.to_pylist()], pa.string()), encoded.indices)


def picked(texts: Sequence[str], places: IntArray) -> pa.Array:
    """The text at each of `places`."""
    return pc.take(pa.array(texts, pa.string()), pa.array(places))


def rows_of(*columns: pa.Array) -> pa.Array:
    """Whole rows: the columns' texts with commas between them, and the line's end."""
    return pc.binary_join_element_wise(pc.binary_join_element_wise(*columns, ","), LINE_END, "")


def bytes_of(texts: pa.ChunkedArray) -> bytes:
    """All texts, one after another."""
    return b"".join(_bytes_of_chunk(chunk) for chunk in texts.chunks if len(chunk))


def _bytes_of_chunk(chunk: pa.Array) -> memoryview:
    _, offsets, data = chunk.buffers()
    bounds = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[bounds[0] : bounds[-1]]
