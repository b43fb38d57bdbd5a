"""Runs of days without a sale: how improbable they are while the product is there, and what that says.

A series sells on a share of its days that is known from so many of them. The chance that it is silent for r days more
is that of a beta-geometric distribution: days drawn by a share that is itself drawn, which allows for what a few days
do not tell and for demand that comes and goes. Bayes' rule makes of it the probability that the product was not there.
"""

import numpy as np
import pandas as pd
from scipy.special import betaln

from shelfcast.panel import FloatArray

# A share drifts with the seasons: what a series' whole past says of it counts as so many days at most.
_MOST_DAYS = 30.0
# Jeffreys' prior of a share.
_PRIOR = 0.5


def log_chance_of_silence(selling_days: FloatArray, days: FloatArray, silent_days: FloatArray) -> FloatArray:
    """log P(no sale in `silent_days` open days with stock) of a series that sold on `selling_days` of `days`.

    >>> np.exp(log_chance_of_silence(np.array([45.0]), np.array([90.0]), np.array([1.0, 10.0]))).round(4)
    array([0.5   , 0.0031])
    """
    sold, silent = selling_days + _PRIOR, np.maximum(days - selling_days, 0.0) + _PRIOR
    weight = np.minimum(1.0, _MOST_DAYS / (sold + silent))
    sold, silent = sold * weight, silent * weight
    return np.asarray(betaln(sold, silent + silent_days) - betaln(sold, silent))


def probability_of_absence(log_chance: FloatArray, prior: float) -> FloatArray:
    """P(the product was not there | it was silent). prior: the share of such runs that are absences before one looks at
    how long they are.

    >>> probability_of_absence(np.log(np.array([1.0, 0.02, 0.0001])), 0.02).round(3)
    array([0.02 , 0.505, 0.995])
    """
    return np.asarray(prior / (prior + (1 - prior) * np.exp(log_chance)))


def find_gaps(sold: pd.DataFrame, last_day: int) -> pd.DataFrame:
    """The runs of days between a series' sales, and that after its last: series, first, last, is_open.

    sold: series, day, a row for each selling day.
    """
    ordered = sold[["series", "day"]].sort_values(["series", "day"], ignore_index=True)
    following = ordered.groupby("series")["day"].shift(-1)
    gaps = pd.DataFrame(
        {
            "series": ordered["series"],
            "first": ordered["day"] + 1,
            "last": following.fillna(last_day + 1).astype(np.int64) - 1,
            "is_open": following.isna(),
        }
    )
    return gaps[gaps["first"] <= gaps["last"]].reset_index(drop=True)
