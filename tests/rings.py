"""Several processes as threads of one: what they send one another is added up where they meet."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Ring:
    def __init__(self, size: int) -> None:
        self.size = size
        self.meeting = threading.Barrier(size, timeout=60)
        self.sent: list[Sequence[Any]] = [()] * size

    def run(self, work: Callable[["Member"], T]) -> list[T]:
        """What `work` returns in each member, by rank."""
        with ThreadPoolExecutor(self.size) as threads:
            running = [threads.submit(work, Member(self, rank)) for rank in range(self.size)]
            return [done.result() for done in running]

    def exchange(self, rank: int, values: Sequence[Any]) -> list[Sequence[Any]]:
        """What each member has sent, by rank."""
        self.sent[rank] = values
        self.meeting.wait()
        received = list(self.sent)
        self.meeting.wait()
        return received


class Member:
    """A communicator of a ring."""

    def __init__(self, ring: Ring, rank: int) -> None:
        self.ring, self.rank, self.local_rank, self.size = ring, rank, rank, ring.size

    def all_reduce(self, tensors: Sequence[Any]) -> list[Any]:
        import tensorflow as tf

        return [tf.add_n(list(each)) for each in zip(*self.ring.exchange(self.rank, tensors), strict=True)]

    def broadcast(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.array(array) for array in self.ring.exchange(self.rank, arrays)[0]]

    def join(self) -> None:
        self.ring.exchange(self.rank, ())
