"""The state of a training, kept after each epoch: numbers alone, whole or not at all."""

import io
from dataclasses import dataclass

import numpy as np

from shelfcast import artefacts
from shelfcast.training.loop import State


@dataclass(frozen=True)
class Checkpoint:
    """A state at `uri`."""

    uri: str

    def read(self) -> State | None:
        """The state; None where none was written."""
        if not artefacts.exists(self.uri):
            return None
        with np.load(io.BytesIO(artefacts.read_bytes(self.uri)), allow_pickle=False) as arrays:
            return [arrays[f"arr_{place}"] for place in range(len(arrays.files))]

    def write(self, state: State) -> None:
        packed = io.BytesIO()
        np.savez(packed, *state)
        artefacts.write_bytes(packed.getvalue(), self.uri)
