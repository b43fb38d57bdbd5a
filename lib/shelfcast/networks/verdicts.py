"""Which stores keep a head of their own: those whose heads won beyond chance on weeks that were over.

At each cutoff the heads of the cutoffs before it are judged; what is behind the cutoff itself no choice has seen.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from shelfcast.metrics import LEAST_CLUSTERS, Interval, bootstrap_of_sums
from shelfcast.networks.heads import SUMS, in_store_buckets
from shelfcast.panels import by_bucket
from shelfcast.table import column_names

VERDICT_COLUMNS = (
    "panel string, model string, cutoff date, store_id string, kept boolean, gain double, lower double, upper double, "
    "cutoffs int, series int, " + ", ".join(f"{name} double" for name in (*SUMS, "units"))
)
_STORE = ("panel", "model", "store_id")
PROBABILITY = 0.9
LEAST_CUTOFFS = 2


def judge(trials: DataFrame, cutoffs: Sequence[date], now: date, buckets: int, seed: int) -> DataFrame:
    """For each head of TRIAL_COLUMNS whether it is kept, why, and what it came to behind its cutoff: VERDICT_COLUMNS.

    cutoffs: the backtest's. now: the last week known, whose heads forecast the weeks ahead. A head is kept where its
    store's heads of the cutoffs before, on the weeks known since, had less loss than the network's own, the interval of
    PROBABILITY lying above 0.
    """

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        return judge_bucket(rows, cutoffs, now, seed)

    return by_bucket(in_store_buckets(trials, buckets), buckets).applyInPandas(of_bucket, VERDICT_COLUMNS)


def judge_bucket(rows: pd.DataFrame, cutoffs: Sequence[date], now: date, seed: int) -> pd.DataFrame:
    known = rows[rows["y"].notna()]
    found = []
    for store, own in known.groupby(list(_STORE)):
        for cutoff in (*cutoffs, now):
            behind = own[own["cutoff"] == cutoff]
            if len(behind) or cutoff == now:
                verdict = weigh(own[own["week"] <= cutoff], seed)
                sums = {name: behind[name].sum(min_count=1) for name in SUMS}
                sums["units"] = behind["y"].sum(min_count=1)
                key = dict(zip(_STORE, store, strict=True))
                kept = bool(verdict.lower > 0)
                found.append({**key, "cutoff": cutoff, "kept": kept, **verdict._asdict(), **sums})
    return pd.DataFrame(found, columns=column_names(VERDICT_COLUMNS))


class Verdict(NamedTuple):
    """gain: the share of the base's loss that the heads saved, with its interval; NaN where there is too little to
    judge by. cutoffs, series: that it rests on."""

    gain: float
    lower: float
    upper: float
    cutoffs: int
    series: int


def weigh(trials: pd.DataFrame, seed: int) -> Verdict:
    """The paired interval of the gain of one store's heads, from cells of TRIAL_COLUMNS.

    The errors of a series go together, and so do those of a week: of the interval that drawing series gives and the one
    that drawing weeks gives, the one that reaches lower.
    """
    by = [trials.groupby(name)[["base_loss", "head_loss"]].sum() for name in ("item_id", "week")]
    cutoffs, series = trials["cutoff"].nunique(), len(by[0])
    if cutoffs < LEAST_CUTOFFS or min(map(len, by)) < LEAST_CLUSTERS:
        return Verdict(np.nan, np.nan, np.nan, cutoffs, series)
    lowest = min((_saved(sums, seed) for sums in by), key=lambda interval: interval.lower)
    return Verdict(*lowest, cutoffs, series)


def _saved(sums: pd.DataFrame, seed: int) -> Interval:
    base, head = (sums[name].to_numpy(dtype=np.float64) for name in ("base_loss", "head_loss"))
    return bootstrap_of_sums(base, head, base, seed, PROBABILITY)
