"""The forecasts that were made at several cutoffs, as they stand before a week."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from shelfcast.inventory.level import level_since
from shelfcast.panel import FloatArray

# Cutoff, in weeks known -> means of the weeks after it, shape (n, steps).
Means = dict[int, FloatArray]


def made_of(rows: pd.DataFrame, weeks: Sequence[date], cutoffs: Sequence[int]) -> Means:
    """rows: forecasts, arrays of (cutoff, step, y_hat), the cutoff as the Monday of its last week."""
    at = {weeks[cutoff - 1]: cutoff for cutoff in cutoffs}
    steps = max(entry["step"] for entries in rows["forecasts"] for entry in entries)
    made = {cutoff: np.zeros((len(rows), steps)) for cutoff in cutoffs}
    for row, entries in enumerate(rows["forecasts"]):
        for entry in entries:
            made[at[entry["cutoff"]]][row, entry["step"] - 1] = entry["y_hat"]
    return made


def means_of(made: Means, week: int, ahead: int) -> FloatArray:
    """The means of the weeks from `week` on; beyond the last step they stay as they are there."""
    cutoff = _newest(made, week)
    steps = np.minimum(np.arange(week - cutoff, week - cutoff + ahead), made[cutoff].shape[1] - 1)
    return made[cutoff][:, steps]


def level_of(made: Means, weekly: FloatArray, dispersion: FloatArray, variance: float) -> FloatArray:
    """By what factor each series has sold above its newest forecast since that was made, shape (n,). weekly: units
    until now, shape (n, weeks); dispersion, variance: as in level_since."""
    cutoff = _newest(made, weekly.shape[1])
    came = weekly[:, cutoff:][:, : made[cutoff].shape[1]]
    return level_since(came, made[cutoff][:, : came.shape[1]], dispersion, variance)


def _newest(made: Means, week: int) -> int:
    """The last cutoff that is known before `week`."""
    return max(cutoff for cutoff in made if cutoff <= week)
