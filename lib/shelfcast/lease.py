"""The lease of a region: one run at a time, and a run that was killed stands in nobody's way for long.

A lease is an empty file whose name says all: host, within what its processes are numbered, process, since when, until
when, and a token of the run. Each run makes a file of its own and then looks for others: of two that start at once none
can miss the other, on any file system that lists what has been written. (To make one file that must not be there yet is
a look and a write to most of them.)
"""

import os
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from uuid import uuid4

from py4j.protocol import Py4JError, Py4JJavaError

from shelfcast.errors import LakeError, TransientError
from shelfcast.failures import innermost
from shelfcast.folder import Folder
from shelfcast.processes import is_running, own_numbering

# A host that died with its run is waited for so long; a run that lives renews its lease five times in it.
LASTS_SECONDS = 900
_RENEWED_SECONDS = LASTS_SECONDS / 5
# What file systems say where a folder is not this user's to write to, or can be none.
_REFUSED = re.compile(
    r"Mkdirs failed to create|Permission denied|Read-only file system|Access ?Denied|AccessControlException"
    r"|ParentNotDirectoryException|NotADirectoryException",
    re.IGNORECASE,
)
_WANTED = "wanted a folder that this user may write to"
# Who holds it keeps runs of all regions away, of those too that have no rows yet. No region has capitals.
EVERY_REGION = "ALL"


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, since when and until when (seconds since 1970). numbering: within what the host numbers the
    process, as of a container; code of before did not tell it."""

    host: str
    numbering: str
    pid: int
    since: int
    until: int
    token: str

    @classmethod
    def of(cls, name: str) -> "Holder":
        """As the name of the file says."""
        place, pid, since, until, token = name.rsplit("~", 4)
        host, _, numbered = place.partition("~")
        return cls(host, numbered, int(pid), int(since), int(until), token)

    @property
    def name(self) -> str:
        place = "~".join(filter(None, (self.host, self.numbering)))
        return f"{place}~{self.pid}~{self.since}~{self.until}~{self.token}"

    @property
    def is_alive(self) -> bool:
        """Whether it has not expired and, where it can be asked after, its process is there."""
        return time.time() < self.until and (not self._is_near or is_running(self.pid))

    @property
    def is_this_process(self) -> bool:
        return self._is_near and self.pid == os.getpid()

    @property
    def _is_near(self) -> bool:
        return (self.host, self.numbering) == (socket.gethostname(), own_numbering())

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC)
        return f"process {self.pid} on {self.host} since {since:%Y-%m-%d %H:%M:%S} UTC"


class Lease:
    """The lease of `region`, or of another thing, which is `named` so; held inside `with`, which may be entered again
    within itself.

    Raises TransientError, naming the holder, where another run holds it, LakeError where the lake cannot be written.
    """

    def __init__(self, folder: Folder, region: str, named: str | None = None) -> None:
        self._folder = folder
        self._region = region
        self._named = named or f"region {region}"
        self._is_region = named is None
        self._token = uuid4().hex[:12]
        self._depth = 0
        self._name = ""
        self._released = threading.Event()
        self._keeper = threading.Thread()

    def __enter__(self) -> "Lease":
        if self._depth == 0:
            self._take()
        self._depth += 1
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._released.set()
            self._keeper.join()
            # Where the JVM is gone the error that ended it counts, and the lease goes with the process.
            with suppress(Py4JError, OSError):
                self._remove(self._name)

    @contextmanager
    def awaited(self, seconds: float) -> Iterator[None]:
        """Held inside `with`, once whoever holds it is done. Raises TransientError after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            try:
                self._take()
                break
            except TransientError:
                if time.monotonic() > until:
                    raise
            # Two that look at the same time both step back: they are not to come again together.
            time.sleep(random.uniform(0.1, 1.0))
        self._depth += 1
        try:
            yield
        finally:
            self.__exit__(None, None, None)

    def _take(self) -> None:
        since, self._name = int(time.time()), ""
        try:
            self._renew(since)
        except Py4JJavaError as error:
            if not _REFUSED.search(str(error)):
                raise
            raise LakeError(f"lake {self._folder.root}: cannot be written ({innermost(error)}); {_WANTED}") from error
        others = [other for other in self._holders(self._region) if other.token != self._token]
        # Who holds all regions takes one after the other.
        of_all = [other for other in self._holders(EVERY_REGION) if not other.is_this_process]
        for other in (*others, *(of_all if self._is_region else ())):
            if other.is_alive:
                self._remove(self._name)
                raise TransientError(f"{self._named}: {other} is at work on it; wanted one run at a time")
        for other in others:
            self._remove(other.name)
        self._released = threading.Event()
        self._keeper = threading.Thread(target=self._keep, args=(since,), daemon=True)
        self._keeper.start()

    def _holders(self, name: str) -> list[Holder]:
        return [Holder.of(each) for each in self._folder.names(f"_leases/{name}/*~*")]

    def _keep(self, since: int) -> None:
        while not self._released.wait(_RENEWED_SECONDS):
            # What fails now is tried again well before the lease is over.
            with suppress(Py4JError, OSError):
                self._renew(since)

    def _renew(self, since: int) -> None:
        """The new file before the old one goes: at no time is there none."""
        until = int(time.time()) + LASTS_SECONDS
        holder = Holder(socket.gethostname(), own_numbering(), os.getpid(), since, until, self._token)
        self._folder.create(self._path(holder.name))
        old, self._name = self._name, holder.name
        if old not in ("", holder.name):
            self._remove(old)

    def _remove(self, name: str) -> None:
        self._folder.remove(self._path(name))

    def _path(self, name: str) -> str:
        return f"_leases/{self._region}/{name}"
