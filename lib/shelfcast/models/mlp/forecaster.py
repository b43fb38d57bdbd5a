"""A trained network with the words that it knows: from a panel to forecasts in units, and to bytes without code."""

import dataclasses
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.errors import ArtefactError
from shelfcast.models.mlp.network import QUANTILES, Design
from shelfcast.models.mlp.windows import Float32, Windows, make_windows
from shelfcast.panel import FloatArray, Panel

_NETWORK, _WORDS = "network.keras", "forecaster.json"
_AT_ONCE = 4096


@dataclass(frozen=True)
class Forecaster:
    """words: identity column -> its words; a word's code is its place + 1, 0 is for the never seen. non_negative:
    demand never was below 0 in training."""

    design: Design
    network: keras.Model
    words: Mapping[str, Sequence[str]]
    non_negative: bool
    country: str

    def predict(self, panel: Panel, origin: int) -> FloatArray:
        """The h periods after the first `origin` of every series: shape (n, h, QUANTILES and the mean), units.

        0 for a series that has not sold. Of demand that is counted in whole units a quantile is one, too.
        """
        windows = make_windows(panel, origin, self.design.horizon, self.country)
        said = self._run(windows, encode(panel.ids.iloc[windows.series], self.words))
        units = self.in_units(said, windows.scale, windows.counted)
        forecast = np.zeros((len(panel), *units.shape[1:]))
        forecast[windows.series] = units
        return forecast

    def in_units(self, said: FloatArray | Float32, scale: Float32, counted: NDArray[np.bool_]) -> FloatArray:
        """What the network said of windows, (n, h, QUANTILES and the mean), as it is published."""
        units: FloatArray = said.astype(np.float64) * scale[:, None, None].astype(np.float64)
        units = np.maximum(units, 0.0) if self.non_negative else units
        quantiles = units[..., : len(QUANTILES)]
        units[..., : len(QUANTILES)] = np.where(counted[:, None, None], np.round(quantiles), quantiles)
        return units

    def _run(self, windows: Windows, codes: NDArray[np.int32]) -> FloatArray:
        inputs = network_inputs(windows, codes)
        parts = [
            keras.ops.convert_to_numpy(self.network({name: rows[at : at + _AT_ONCE] for name, rows in inputs.items()}))
            for at in range(0, len(windows), _AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.design.horizon, len(QUANTILES) + 1))


def network_inputs(windows: Windows, codes: NDArray[np.int32]) -> dict[str, NDArray[np.generic]]:
    """What a network reads, by the names of its inputs."""
    return {
        "history": windows.history,
        "level": windows.level,
        "codes": codes,
        "ahead": windows.ahead,
        "base": windows.base,
    }


def encode(ids: pd.DataFrame, words: Mapping[str, Sequence[str]]) -> NDArray[np.int32]:
    """Shape (n, identities): the code of each word."""
    columns = [pd.Index(known).get_indexer(pd.Index(ids[name])) + 1 for name, known in words.items()]
    return np.stack(columns, axis=1).astype(np.int32)


def dumps(forecaster: Forecaster) -> bytes:
    """The forecaster as a zip of Keras's own file and JSON."""
    told = {
        "design": dataclasses.asdict(forecaster.design),
        "words": {name: list(known) for name, known in forecaster.words.items()},
        "non_negative": forecaster.non_negative,
        "country": forecaster.country,
    }
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w") as archive:
        forecaster.network.save(Path(folder) / _NETWORK)
        archive.write(Path(folder) / _NETWORK, _NETWORK)
        archive.writestr(_WORDS, json.dumps(told))
    return packed.getvalue()


def read_design(packed: bytes) -> Design:
    """The design alone of what `dumps` made."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return Design(**json.loads(archive.read(_WORDS))["design"])


def loads(packed: bytes, name: str = _NETWORK) -> Forecaster:
    """What `dumps` made. Keras's safe mode runs no code that lies in it.

    Raises ArtefactError, which names the file `name`, where it holds code, or what no network is made of.
    """
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(packed)) as archive:
        told = json.loads(archive.read(_WORDS))
        try:
            network = keras.saving.load_model(archive.extract(_NETWORK, folder), compile=False, safe_mode=True)
        except (TypeError, ValueError) as refusal:
            found = str(refusal).partition(". ")[0]
            raise ArtefactError(f"{name}: Keras's safe mode says: {found}; wanted a network without code") from None
    return Forecaster(Design(**told["design"]), network, told["words"], told["non_negative"], told["country"])
