"""The champion of the products, scored in this process: its members as the index holds them, averaged by weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from shelfcast import stored
from shelfcast.api.index.reading import Index
from shelfcast.api.whatif.series import stack
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

    def predict(self, panels: Sequence[Panel], horizon: int) -> FloatArray:
        """The means of the weeks ahead of the first series of each panel, in units, shape (panels, horizon). The
        further ones are what its item sold elsewhere. The panels, of as many series each, are of one item."""
        parts = [member.weight * self._by(member, panels, horizon) for member in self.members]
        return np.asarray(np.sum(parts, axis=0))

    def _by(self, member: Member, panels: Sequence[Panel], horizon: int) -> FloatArray:
        stacked, known = stack(panels), panels[0].y.shape[1]
        own = np.arange(len(panels)) * len(panels[0])
        if member.library == "numpy":
            return np.asarray(forecast(member.name, stacked, horizon).values[own])
        if member.library == "statsforecast":
            # Fitted series by series: to those that are asked for alone.
            return np.asarray(forecast(member.name, stacked.take(own), horizon).values)
        if member.library == "scikit-learn":
            examples = make_examples(stacked, [known], horizon, country=self.country)
            wanted = examples[examples["series"].isin(own)].assign(item_id=panels[0].ids["item_id"].iloc[0])
            return sklearn_models.predict(member.loaded, wanted).reshape(len(panels), horizon)
        said = np.stack([member.loaded.predict(panel, known)[0] for panel in panels])
        return np.asarray(said[:, :, 1] if member.name.endswith(MEDIAN_SUFFIX) else said[:, :, -1])


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
