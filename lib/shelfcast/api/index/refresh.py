"""Keeps the indexes those of the newest publications: looks for new ones, and has their indexes built."""

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from pathlib import Path

from shelfcast.api.index.build import index_name, remove_others
from shelfcast.api.index.reading import Index, Indexes
from shelfcast.api.metrics import BUILD_SECONDS, BUILDS
from shelfcast.api.reader import Lake, Publication
from shelfcast.errors import LakeError

Deed = Callable[[], None]
_LOG = logging.getLogger(__name__)
_MOST_SECONDS = 3600
# What says all that there is to say in a line.
_FORESEEN = (LakeError, OSError, sqlite3.Error)


class Refresh:
    """Looks for new publications every `seconds`, in a thread of its own, until it is stopped.

    An index is built in another process: requests are answered meanwhile, and the memory that it took is free again.
    One that cannot be built leaves the index before it in its place, and is tried again.

    also: what else is done at each look, by what the log is to call it.
    """

    def __init__(
        self,
        root: str,
        folder: Path,
        indexes: Indexes,
        seconds: float,
        also: Mapping[str, Deed] | None = None,
    ) -> None:
        self._lake, self._root, self._folder, self._indexes = Lake(root), root, folder, indexes
        self._seconds, self._deeds = seconds, {"index": self.refresh, **(also or {})}
        self._stopping = threading.Event()
        self._building: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        building = self._building
        if building is not None:
            building.terminate()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Put the index of each region's newest publication in place, built where it is not there.

        Raises LakeError where the lake cannot be read, or an index cannot be built: those of other regions are.
        """
        failed: list[Exception] = []
        for _, publication in sorted(self._lake.newest_publications().items()):
            if self._stopping.is_set():
                break
            try:
                self._renew(publication)
            except Exception as error:
                failed.append(error)
        if failed:
            raise failed[0] if len(failed) == 1 else _all_of(failed)

    def _renew(self, publication: Publication) -> None:
        region, name = publication.region, index_name(publication)
        current = self._indexes.find(region)
        if current is not None and current.name == name:
            return
        path = self._folder / name
        if not path.exists():
            self._build(publication)
        # Where another was published meanwhile that one has been built: the next look finds it.
        if path.exists():
            self._indexes.put(Index(path))
            remove_others(self._folder, {name, *([current.name] if current else [])}, region)

    def _run(self) -> None:
        self._reopen()
        while not self._stopping.is_set():
            self.problem = "; ".join(filter(None, starmap(_attempt, self._deeds.items()))) or None
            self._stopping.wait(self._seconds)

    def _reopen(self) -> None:
        """What was served last is served until the lake has been looked at."""
        for path in sorted(self._folder.glob("*.sqlite"), key=lambda path: path.stat().st_mtime):
            try:
                self._indexes.put(Index(path))
            except sqlite3.Error as error:
                _LOG.error("index %s: cannot be read, and is built anew: %s", path.name, error)
                path.unlink(missing_ok=True)

    def _build(self, publication: Publication) -> None:
        started, region = time.monotonic(), publication.region
        command = [sys.executable, "-m", "shelfcast.api.index", self._root, region, str(self._folder)]
        self._building = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            _, told = self._building.communicate(timeout=_MOST_SECONDS)
        except subprocess.TimeoutExpired:
            self._building.kill()
            _, told = self._building.communicate()
        status = self._building.returncode
        BUILDS.labels(region, "failed" if status else "built").inc()
        if status:
            why = told.strip().splitlines()[-1:] or [f"status {status}"]
            raise LakeError(f"index of region {region}: not built: {why[0]}")
        BUILD_SECONDS.labels(region).set(time.monotonic() - started)
        _LOG.info("index of region %s: built in %.1f s", region, time.monotonic() - started)


def _all_of(failed: Sequence[Exception]) -> LakeError:
    """One error of several regions; its cause is what was not foreseen among them."""
    error = LakeError("; ".join(map(str, failed)))
    unforeseen = [one for one in failed if not isinstance(one, _FORESEEN)]
    error.__cause__ = ExceptionGroup("of several regions", unforeseen) if unforeseen else None
    return error


def _attempt(name: str, deed: Deed) -> str | None:
    """What has failed."""
    try:
        deed()
    # Whatever it is: a thread that ended would leave all as it is for ever, and nobody told.
    except Exception as error:
        is_said = isinstance(error, _FORESEEN) and error.__cause__ is None
        _LOG.error("%s: %s", name, error, exc_info=None if is_said else error)
        return str(error)
    return None
