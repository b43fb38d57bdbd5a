"""How processes that train together speak to one another: the interface, and the process that trains alone."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Communicator(Protocol):
    """rank: 0 .. size - 1; local_rank: that among the processes of one machine. Every process calls the same methods
    in the same order, with tensors of the same shapes."""

    rank: int
    size: int
    local_rank: int

    def all_reduce(self, tensors: Sequence[Any]) -> list[Any]:
        """Each tensor summed over the processes."""

    def broadcast(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """The arrays of process 0."""

    def join(self) -> None:
        """Wait until every process is here."""


class Alone:
    """A process that trains by itself."""

    rank, size, local_rank = 0, 1, 0

    def all_reduce(self, tensors: Sequence[Any]) -> list[Any]:
        return list(tensors)

    def broadcast(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        return [np.asarray(array) for array in arrays]

    def join(self) -> None:
        pass
