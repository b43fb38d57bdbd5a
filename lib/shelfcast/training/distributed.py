"""Processes that train together, as Spark tasks: the one module that names Horovod."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from shelfcast.errors import ConfigError, ShelfcastError, TransientError
from shelfcast.training.communicator import Alone

T = TypeVar("T")
# What the launcher says of the first process that did not end well.
_FIRST_FAILURE = re.compile(r"Process name: (\d+)\s+Exit code: (-?\d+)")
# A process that a signal ends has this and the signal's number, or the number below 0.
_FIRST_SIGNAL = 128
# A retried or doubled rank waits for ever for the others, which do not know it.
_SUBMITTED_WITH = {
    "spark.task.maxFailures": ("1", "4"),
    "spark.speculation": ("false", "false"),
    "spark.dynamicAllocation.enabled": ("false", "false"),
}


class HorovodCommunicator:
    """Horovod's ring of the processes that one `run` started."""

    def __init__(self) -> None:
        import horovod.tensorflow as hvd

        hvd.init()
        self._hvd = hvd
        self.rank, self.size, self.local_rank = hvd.rank(), hvd.size(), hvd.local_rank()

    def all_reduce(self, tensors: Sequence[Any]) -> list[Any]:
        return list(self._hvd.grouped_allreduce(list(tensors), op=self._hvd.Sum, name=f"sum_{len(tensors)}"))

    def broadcast(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        return [
            np.asarray(self._hvd.broadcast(array, root_rank=0, name=f"state_{place}"))
            for place, array in enumerate(arrays)
        ]

    def join(self) -> None:
        # Horovod's TensorFlow part has no barrier: what each waits to hear of all others is one.
        self.all_reduce([np.zeros((), dtype=np.float32)])


def run(
    spark: SparkSession, work: Callable[..., T], arguments: Sequence[Any], processes: int, timeline: str | None = None
) -> list[T]:
    """`work(communicator, *arguments)` in so many processes at once, a Spark task each; what each returned, by rank.

    One process does the same without Horovod. timeline: a file of process 0's machine for the trace of what was sent
    when (Chrome's format). Raises TransientError where a process was killed and ShelfcastError where it failed,
    with its rank, and ConfigError where Spark would start it again.
    """
    if processes == 1:
        return spark.sparkContext.parallelize([arguments], 1).map(lambda given: work(Alone(), *given)).collect()
    require_settings(dict(spark.sparkContext.getConf().getAll()))
    import cloudpickle
    import horovod.spark

    environment = {"HOROVOD_TIMELINE": timeline} if timeline else {}
    starting = _starter(_archives(spark), cloudpickle.dumps((work, tuple(arguments))))
    try:
        results: list[T] = horovod.spark.run(starting, num_proc=processes, env=environment, use_gloo=True, verbose=0)
    except RuntimeError as error:
        raise _failure(error, processes) from None
    return results


def _failure(error: RuntimeError, processes: int) -> Exception:
    """Who ended first, and how; the error itself where it does not tell."""
    failed = _FIRST_FAILURE.search(str(error))
    if failed is None:
        return error
    rank, code = failed[1], int(failed[2])
    ended = f"training: process {rank} of {processes} ended with exit code {code}; wanted 0"
    if 0 <= code < _FIRST_SIGNAL:
        return ShelfcastError(f"{ended}. What it said is above, behind [{rank}]")
    return TransientError(f"{ended}. The same command goes on from the last checkpoint")


def _starter(archives: Sequence[str], pickled: bytes) -> Callable[[], Any]:
    """What each process runs. Horovod starts it beside Spark's worker, where nothing knows the archives that were
    submitted: a function within a function travels whole, and shows the way to them before it needs them."""

    def start() -> Any:
        import os
        import sys

        sys.path[:0] = [os.path.abspath(path) for path in archives if os.path.exists(path)]
        import cloudpickle

        from shelfcast.training.distributed import HorovodCommunicator

        work, arguments = cloudpickle.loads(pickled)
        return work(HorovodCommunicator(), *arguments)

    return start


def _archives(spark: SparkSession) -> list[str]:
    """Where a process may find what --py-files named: with the driver in local mode, else in its executor's folder."""
    submitted = filter(None, spark.sparkContext.getConf().get("spark.submit.pyFiles", "").split(","))
    names = [path.rpartition("/")[2] for path in submitted]
    return [*names, *(f"{SparkFiles.getRootDirectory()}/{name}" for name in names)]


def require_settings(conf: Mapping[str, str]) -> None:
    """Raise ConfigError where Spark's settings would start a process that failed, or is slow, a second time."""
    if conf.get("spark.master", "").startswith("local"):
        return
    for key, (wanted, default) in _SUBMITTED_WITH.items():
        if (found := conf.get(key, default)) != wanted:
            raise ConfigError(f"{key}: found {found}, wanted {wanted} for processes that train together (--conf)")
