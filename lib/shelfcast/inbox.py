"""Files of the driver's machine where executors elsewhere find them: in the run's own folder of the lake."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from shelfcast import storage
from shelfcast.errors import SourceError
from shelfcast.job import Run


def reachable(run: Run, files: Sequence[str]) -> list[str]:
    """The files as executors reach them: those of a cluster get a copy of what is named without a scheme, which is gone
    when the run ends or fails. A file of a store, or one named `file://`, as on a disk that all machines share, stays
    there.

    Raises SourceError where a folder, such as a Delta table, would have to be copied.
    """
    if str(run.spark.sparkContext.master).startswith("local"):
        return list(files)
    return [file if "://" in file else _staged(run, file) for file in files]


def _staged(run: Run, file: str) -> str:
    """The copy of a file under its own name. What a run of the same key has copied before it was killed is there."""
    told = storage.about(file)
    if not told.is_file:
        raise SourceError(
            f"{file}: a folder of this machine; wanted it in a store, or on a shared disk as file://{file}"
        )
    place = sha256(str(Path(file).absolute()).encode()).hexdigest()[:12]
    copy = run.lake.path(f"{run.inbox}/{place}/{Path(file).name}")
    # Of a copy that failed a store keeps what it had got.
    if storage.about(copy).size != told.size:
        storage.copy(file, copy)
    return copy
