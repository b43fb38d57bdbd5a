"""Examples that a network reads together."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np


class Batch(NamedTuple):
    """inputs: name of the network's input -> (n, ...). y: (n, ...). weight: (n,)."""

    inputs: dict[str, Any]
    y: Any
    weight: Any


def map_batch(function: Callable[..., Any], *batches: Batch) -> Batch:
    """The batch with `function` applied to each array, or to the arrays of several batches that belong together."""
    names = batches[0].inputs
    inputs = {name: function(*(batch.inputs[name] for batch in batches)) for name in names}
    return Batch(inputs, function(*(batch.y for batch in batches)), function(*(batch.weight for batch in batches)))


def stack_batches(batches: Iterable[Batch], most: int) -> Iterator[Batch]:
    """Up to `most` batches of one size that follow one another as one, each array with an axis more in front."""
    for _, alike in groupby(batches, lambda batch: len(batch.weight)):
        while several := list(islice(alike, most)):
            yield map_batch(lambda *arrays: np.stack(arrays), *several)
