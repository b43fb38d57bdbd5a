"""Drift: whether the newest weeks' sales are spread as those of the year before them.

The population stability index of Siddiqi (2006), "Credit Risk Scorecards", ch. 9: the sum over bins of
(found - expected) * ln(found / expected), below 0.1 no change, from 0.25 on a great one. Where nothing changed,
PSI / (1/n + 1/m) of n and m rows is chi-squared with a degree of freedom less than there are bins (Yurdakul and Naranjo
2020, "Statistical properties of the population stability index", J. Risk Model Validation 14): below that it is chance.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from math import log
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from scipy.special import chdtri

from shelfcast.monitoring.alerts import INFO, WARNING, Finding, about
from shelfcast.settings.monitoring import Monitoring

CHECK = "drift"
FEATURES = {"quantity": "quantity", "price": "unit_price"}
CATEGORY_MIX = "category mix"
OTHER = "(other)"
_DECILES = tuple(n / 10 for n in range(1, 10))
_YEAR = timedelta(weeks=52)
# An empty bin's share: its logarithm is not known, and the sum must not hang on it.
_LEAST_SHARE = 1e-4
_CATEGORIES = 20
_CHANCE = 0.001


class Bin(NamedTuple):
    """What a bin of a feature holds: the rows expected, of the year before, and found, of the newest weeks."""

    feature: str
    bin: int
    label: str
    expected: float
    found: float


def parts(expected: Sequence[float], found: Sequence[float]) -> list[float]:
    """What each bin adds to the PSI, from its shares or counts. Each is 0 or more.

    >>> [round(part, 4) for part in parts([50, 50], [60, 40])]
    [0.0182, 0.0223]
    """
    shares = [[max(each / max(sum(counts), 1e-300), _LEAST_SHARE) for each in counts] for counts in (expected, found)]
    return [(now - then) * log(now / then) for then, now in zip(*shares, strict=True)]


def psi(expected: Sequence[float], found: Sequence[float]) -> float:
    """The population stability index of two distributions over the same bins.

    >>> psi([1, 2, 3], [10, 20, 30])
    0.0
    """
    return sum(parts(expected, found))


def chance_bound(bins: int, expected: float, found: float) -> float:
    """The PSI that is exceeded once in a thousand times where nothing changed, of so many rows."""
    if bins < 2 or not expected or not found:
        return 0.0
    return float(chdtri(bins - 1, _CHANCE)) * (1 / expected + 1 / found)


def of_both_windows(sales: DataFrame, as_of: date, weeks: int) -> DataFrame:
    """The sales of the newest `weeks` weeks and of the year before them, with `is_new`."""
    since = as_of - timedelta(weeks=weeks)
    known = sales.where((F.col("sold_on") > F.lit(since - _YEAR)) & (F.col("sold_on") <= F.lit(as_of)))
    return known.withColumn("is_new", F.col("sold_on") > F.lit(since))


def deciles(windows: DataFrame) -> dict[str, list[float]]:
    """The cuts between the bins of each feature: the deciles of what is expected, each once."""
    cuts = [F.percentile(column, list(_DECILES)).alias(name) for name, column in FEATURES.items()]
    row = windows.where("not is_new").agg(*cuts).first()
    return {name: sorted({*((row and row[name]) or ())}) for name in FEATURES}


def count_bins(windows: DataFrame, cuts: dict[str, list[float]]) -> DataFrame:
    """feature, label, expected, found: rows in each decile of each feature and in each category."""
    binned = windows.select(
        "is_new", *[_decile(F.col(column), cuts[name]).alias(name) for name, column in FEATURES.items()],
        F.col("category_id").alias(CATEGORY_MIX),
    )  # fmt: skip
    counted = binned.groupBy(*FEATURES, CATEGORY_MIX, "is_new").agg(F.count(F.lit(1)).alias("rows"))
    named = [F.struct(F.lit(name).alias("feature"), F.col(f"`{name}`").cast("string").alias("label"))
             for name in (*FEATURES, CATEGORY_MIX)]  # fmt: skip
    long = counted.select("is_new", "rows", F.inline(F.array(*named)))
    then, now = (
        F.sum(F.when(F.col("is_new") == new, F.col("rows")).otherwise(0)).cast("double") for new in (False, True)
    )
    return long.where("label is not null").groupBy("feature", "label").agg(then.alias("expected"), now.alias("found"))


def _decile(value: Column, cuts: Sequence[float]) -> Column:
    """How many cuts lie below the value."""
    below = [(value > cut).cast("int") for cut in cuts]
    return reduce(Column.__add__, below, F.lit(0))


def as_bins(counted: Sequence[tuple[str, str, float, float]], cuts: dict[str, list[float]]) -> list[Bin]:
    """The bins in order: of a feature from small to large, of categories the largest and all others in one."""
    bins = []
    for name in FEATURES:
        held = {int(label): (expected, found) for feature, label, expected, found in counted if feature == name}
        bins += [Bin(name, n, _between(cuts[name], n), *held.get(n, (0.0, 0.0))) for n in range(len(cuts[name]) + 1)]
    mix = sorted((-expected, -found, label) for feature, label, expected, found in counted if feature == CATEGORY_MIX)
    bins += [Bin(CATEGORY_MIX, n, label, -then, -now) for n, (then, now, label) in enumerate(mix[:_CATEGORIES])]
    if rest := mix[_CATEGORIES:]:
        then, now = -sum(each[0] for each in rest), -sum(each[1] for each in rest)
        bins.append(Bin(CATEGORY_MIX, _CATEGORIES, OTHER, then, now))
    return bins


def _between(cuts: Sequence[float], place: int) -> str:
    if not cuts:
        return "all"
    if place == 0:
        return f"up to {cuts[0]:.4g}"
    return f"over {cuts[place - 1]:.4g}" + (f" to {cuts[place]:.4g}" if place < len(cuts) else "")


def measure(bins: Sequence[Bin]) -> list[tuple[str, int, str, float, float, float, float]]:
    """Rows of monitoring/drift without their region and date: shares, each bin's part of the PSI, and the bound of
    chance. A feature without rows in one of the two windows has none."""
    rows = []
    for feature in dict.fromkeys(each.feature for each in bins):
        held = [each for each in bins if each.feature == feature]
        expected, found = [each.expected for each in held], [each.found for each in held]
        if not sum(expected) or not sum(found):
            continue
        least = chance_bound(len(held), sum(expected), sum(found))
        rows += [
            (feature, each.bin, each.label, each.expected / sum(expected), each.found / sum(found), part, least)
            for each, part in zip(held, parts(expected, found), strict=True)
        ]
    return rows


def judge(measured: Sequence[tuple[str, int, str, float, float, float, float]], settings: Monitoring) -> list[Finding]:
    """A finding for each feature whose PSI is above the limits and above chance, with the bin that moved most."""
    findings = []
    for feature in dict.fromkeys(row[0] for row in measured):
        rows = [row for row in measured if row[0] == feature]
        total, least = sum(row[5] for row in rows), rows[0][6]
        severity = WARNING if total >= settings.psi_warning else INFO
        limit = settings.psi_warning if severity == WARNING else settings.psi_info
        if total >= max(settings.psi_info, least):
            moved = max(rows, key=lambda row: row[5])
            said = f"PSI {total:.2f}; most by {moved[2]}, {moved[4]:.0%} of sales, {moved[3]:.0%} in the year before"
            findings.append(about(CHECK, severity, f"{feature}, last {settings.drift_weeks} weeks", said, total, limit))
    return findings
