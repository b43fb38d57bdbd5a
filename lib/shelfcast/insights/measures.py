"""What a product, store or category is like: level, variation, regularity, trend and season of its weekly demand."""

from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.insights.seasonality import season_index, strengths
from shelfcast.insights.tables import CATEGORY, PRODUCT, STORE
from shelfcast.panel import Axis, FloatArray, Panel, densify
from shelfcast.panels import bucket_of, by_bucket

MEASURES = (
    "kind string, item_id string, weeks int, selling_weeks int, level double, variation double, cv2 double, "
    "adi double, trend double, season double, trend_strength double, growth double, growth_lower double, "
    "growth_upper double, is_seasonal boolean, first_week date, index array<double>, peak_week date, peak double"
)
OVER_YEARS = ("season", "trend_strength", "growth", "growth_lower", "growth_upper")
_SUMMED = ("quantity", "observed_quantity", "revenue", "discount")
_KIND_OF = {PRODUCT: "item_id", STORE: "store_id", CATEGORY: "category_id"}


def weekly_totals(weekly: DataFrame, first: date, last: date) -> DataFrame:
    """kind, item_id, week, quantity, observed_quantity, revenue, discount: of each product over all stores, and of each
    store and category over all products. weekly: product rows of demand/weekly."""
    rows = weekly.where((F.col("level") == "product") & F.col("week").between(F.lit(first), F.lit(last)))
    named = F.explode(
        F.array(*[F.struct(F.lit(kind).alias("kind"), F.col(name).alias("name")) for kind, name in _KIND_OF.items()])
    )
    sums: list[Column] = [F.sum(F.coalesce(name, F.lit(0.0))).alias(name) for name in _SUMMED]
    told = rows.select(named.alias("_named"), "week", *_SUMMED)
    return told.groupBy("_named.kind", F.col("_named.name").alias("item_id"), "week").agg(*sums)


def measure(totals: DataFrame, axis: Axis, buckets: int) -> DataFrame:
    """MEASURES of each kind and item. totals: as `weekly_totals`; axis: its whole weeks, its season a year."""
    rows = totals.select(
        F.col("kind").alias("store_id"),
        "item_id",
        F.lit("").alias("category_id"),
        "week",
        "quantity",
        F.lit(0.0).alias("promoted"),
        bucket_of(buckets).alias("bucket"),
    )

    def of_bucket(bucket: pd.DataFrame) -> pd.DataFrame:
        return measure_rows(bucket, axis)

    return by_bucket(rows, buckets).applyInPandas(of_bucket, MEASURES)


def measure_rows(rows: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """MEASURES of the series of sparse rows, as `densify` takes them with the kind for a store."""
    panel = densify(rows, axis)
    known = (~np.isnan(panel.y)).sum(axis=1)
    named = panel.ids[["store_id", "item_id"]].set_axis(["kind", "item_id"], axis=1)
    last_year = _last_year(panel.y[:, -axis.season :])
    parts = [named.assign(weeks=known.astype("int32")), last_year, _over_years(panel, known), _years(panel, known)]
    return pd.concat(parts, axis=1)


def _last_year(y: FloatArray) -> pd.DataFrame:
    """Of the weeks since the first sale: NaN is before it. All are None where nothing sold."""
    known, sold = ~np.isnan(y), np.nan_to_num(y)
    weeks, selling = known.sum(axis=1), (sold > 0).sum(axis=1)
    level = _ratio(sold.sum(axis=1), weeks)
    variance = _ratio((sold**2).sum(axis=1), weeks) - level**2
    of_sales = _ratio(sold.sum(axis=1), selling)
    cv2 = _ratio(_ratio((sold**2).sum(axis=1), selling) - of_sales**2, of_sales**2)
    return pd.DataFrame(
        {
            "selling_weeks": selling.astype("int32"),
            "level": level,
            "variation": _ratio(np.sqrt(np.maximum(variance, 0.0)), level),
            "cv2": np.where(selling > 1, np.maximum(cv2, 0.0), np.nan),
            "adi": _adi(sold),
            "trend": _trend(known, sold, level),
        }
    )


def _adi(sold: FloatArray) -> FloatArray:
    """Mean weeks from one selling week to the next; not known of one that sold once."""
    selling = sold > 0
    first, last = selling.argmax(axis=1), sold.shape[1] - 1 - selling[:, ::-1].argmax(axis=1)
    return _ratio(last - first, selling.sum(axis=1) - 1)


def _trend(known: np.ndarray, sold: FloatArray, level: FloatArray) -> FloatArray:
    """What the least-squares line rises over the known weeks, as a share of the level."""
    time = np.where(known, np.cumsum(known, axis=1) - 1.0, 0.0)
    weeks = known.sum(axis=1)
    centred = np.where(known, time - _ratio(time.sum(axis=1), weeks)[:, None], 0.0)
    slope = _ratio((centred * sold).sum(axis=1), (centred**2).sum(axis=1))
    return _ratio(slope * (weeks - 1), level)


def _over_years(panel: Panel, known: np.ndarray) -> pd.DataFrame:
    """Season and growth of the series that are known for two years; not known of the others."""
    found = np.full((5, len(panel)), np.nan)
    for weeks in np.unique(known[known >= 2 * panel.season]):
        rows = np.flatnonzero(known == weeks)
        found[:, rows] = strengths(panel.y[rows, -weeks:], panel.season)
    return pd.DataFrame(found.T, columns=list(OVER_YEARS))


def _years(panel: Panel, known: np.ndarray) -> pd.DataFrame:
    """Of each category the weeks of the year, as `_year` has them; of the rest nothing, for they are many."""
    made = [
        _year(panel, row, int(known[row])) if kind == CATEGORY else (False, None, None, None, None)
        for row, kind in enumerate(panel.ids["store_id"])
    ]
    return pd.DataFrame(made, columns=["is_seasonal", "first_week", "index", "peak_week", "peak"])


def _year(panel: Panel, row: int, known: int) -> tuple[object, ...]:
    """Over two years or more the mean of each week of the year as a multiple of the trend; else the weeks as they
    sold, as multiples of their mean."""
    is_seasonal, season = known >= 2 * panel.season, panel.season
    y = panel.y[row, len(panel.periods) - known :]
    if is_seasonal:
        index = np.roll(season_index(y[None, :], season)[0], -(known % season))
    else:
        index = y[-season:] / (y[-season:].mean() or 1.0)
    weeks = panel.periods[len(panel.periods) - len(index) :].astype(object)
    at = int(index.argmax())
    return is_seasonal, weeks[0], index.tolist(), weeks[at], float(index[at])


def _ratio(part: np.ndarray, whole: np.ndarray) -> FloatArray:
    """Not known where the whole is 0."""
    ratio = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
    return np.asarray(ratio, dtype=np.float64)
