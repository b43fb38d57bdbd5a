"""The champion of the products, scored in this process: its members as the index holds them, averaged by weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from shelfcast import stored
from shelfcast.api.index.reading import Index
from shelfcast.errors import ArtefactError
from shelfcast.features import make_examples
from shelfcast.models import forecast, sklearn_models
from shelfcast.models.mlp import MEDIAN_SUFFIX
from shelfcast.panel import FloatArray, Panel

# What another index has taken the place of is let go with its champion: its file is gone, and its disk is not free
# before it is closed.
_LOADED: WeakKeyDictionary[Index, dict[str, "Scorer"]] = WeakKeyDictionary()


class NoScorerError(ArtefactError):
    """The champion cannot be scored here."""


@dataclass(frozen=True)
class Member:
    """A model of the champion. loaded: what its artefact holds, None where it has none."""

    name: str
    weight: float
    library: str
    loaded: Any


@dataclass(frozen=True)
class Scorer:
    """The champion. country: whose holidays its calendar knows."""

    name: str
    members: Sequence[Member]
    country: str

    def predict(self, panel: Panel, horizon: int) -> FloatArray:
        """The means of the weeks ahead of the first series of the panel, in units, shape (horizon,). The further ones
        are what its item sold elsewhere."""
        parts = [member.weight * self._by(member, panel, horizon) for member in self.members]
        return np.asarray(np.sum(parts, axis=0))

    def _by(self, member: Member, panel: Panel, horizon: int) -> FloatArray:
        known, own = panel.y.shape[1], np.zeros(1, dtype=np.int64)
        if member.library in ("numpy", "statsforecast"):
            # What is fitted series by series is fitted to the first alone.
            wanted = panel if member.library == "numpy" else panel.take(own)
            return np.asarray(forecast(member.name, wanted, horizon).values[0])
        if member.library == "scikit-learn":
            examples = make_examples(panel, [known], horizon, country=self.country)
            return sklearn_models.predict(member.loaded, examples[examples["series"] == 0])
        said = member.loaded.predict(panel, known)[0]
        return np.asarray(said[:, 1] if member.name.endswith(MEDIAN_SUFFIX) else said[:, -1])


def scorer_of(index: Index, country: str) -> Scorer:
    """The champion of the index's region, loaded once. Raises NoScorerError where it cannot be scored here."""
    loaded = _LOADED.setdefault(index, {})
    if country not in loaded:
        loaded[country] = _load(index, country)
    return loaded[country]


def _load(index: Index, country: str) -> Scorer:
    rows = index.rows("select * from scorers order by member")
    if not rows:
        raise NoScorerError(f"region {index.origin['region']}: nobody is champion of the products")
    members = [Member(row["member"], row["weight"], row["library"], _loaded(row)) for row in rows]
    return Scorer(rows[0]["champion"], members, country)


def _loaded(row: dict[str, Any]) -> Any:
    name, library, packed = row["member"], row["library"], row["artefact"]
    if library in ("numpy", "statsforecast"):
        return None
    if library == "MLlib":
        raise NoScorerError(
            f"champion {row['champion']}: {name} is scored by Spark alone; wanted a model of another kind"
        )
    if packed is None:
        raise NoScorerError(f"champion {row['champion']}: the file of {name} is gone; wanted the forecast made anew")
    if library == "scikit-learn":
        return stored.loads(packed, name)
    # Keras takes seconds to load, and most champions need none of it.
    from shelfcast.models.mlp.forecaster import loads

    return loads(packed, name)
