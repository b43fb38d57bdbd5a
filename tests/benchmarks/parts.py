"""What a long benchmark has made so far: a file a part, so that one which was stopped goes on."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from shelfcast.panel import FloatArray

AGAIN = 75


class TimeIsUpError(Exception):
    """The minutes are over before all parts are made; those that are stay."""


class Parts:
    """Arrays in files under `folder`; none is begun when so many `minutes` are over."""

    def __init__(self, folder: Path, minutes: float) -> None:
        self.folder, self._deadline = folder, time.monotonic() + 60 * minutes
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, settings: object, make: Callable[[], FloatArray]) -> FloatArray:
        """The part of that name, made with these settings; now, where it is not there yet.

        Raises TimeIsUpError.
        """
        digest = hashlib.sha256(repr(settings).encode()).hexdigest()[:8]
        file = self.folder / f"{name}-{digest}.npy"
        if not file.exists():
            if time.monotonic() > self._deadline:
                raise TimeIsUpError(f"{name}: not made yet; the same command goes on from here")
            started = time.perf_counter()
            half = file.with_suffix(".half.npy")
            np.save(half, make())
            half.replace(file)
            print(f"  {name}: {time.perf_counter() - started:.0f} s", flush=True)
        return np.asarray(np.load(file))
