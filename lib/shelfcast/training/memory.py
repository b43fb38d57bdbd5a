"""Examples that a process holds in memory, and of which it learns from its share of every batch."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Communicator

# What is held back is measured in batches of so many: nothing is kept for a gradient.
_MEASURED_AT_ONCE = 8192


class InMemory:
    """The same examples in each of n processes; of every batch a process learns from each n-th example.

    total: examples to learn from. empty: a batch of none.
    """

    def __init__(
        self, learned: Batch, held_back: Batch | None, batch_size: int, seed: int, communicator: Communicator
    ) -> None:
        self._learned, self._held_back, self._batch_size, self._seed = learned, held_back, batch_size, seed
        self._rank, self._size = communicator.rank, communicator.size
        self.total, self.empty = len(learned.weight), take(learned, slice(0))

    def training(self, epoch: int) -> Iterator[Batch]:
        """Every example once, in an order that depends on the seed and the epoch."""
        shuffled = take(self._learned, np.random.default_rng((self._seed, epoch)).permutation(self.total))
        for start in range(0, self.total, self._batch_size):
            yield take(shuffled, slice(start + self._rank, start + self._batch_size, self._size))

    def validation(self) -> Iterator[Batch]:
        """What is held back, in its order."""
        if self._held_back is not None:
            own = take(self._held_back, slice(self._rank, None, self._size))
            for start in range(0, len(own.weight), _MEASURED_AT_ONCE):
                yield take(own, slice(start, start + _MEASURED_AT_ONCE))


def take(batch: Batch, rows: slice | NDArray[np.intp]) -> Batch:
    return map_batch(lambda values: values[rows], batch)
