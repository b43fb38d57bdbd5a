"""Products and stores side by side: what each sold, its class, and where it lies among the others."""

from collections.abc import Callable
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.encoding import fit_scaler, standardize
from shelfcast.insights.tables import PRODUCT, STORE
from shelfcast.inventory.classes import Borders
from shelfcast.inventory.classing import abc_class, with_shares, xyz_class

_KEY = ["kind", "item_id"]
_MEASURED = ("weeks", "selling_weeks", "level", "variation", "cv2", "adi", "trend", "season")
_SUMMED = ("quantity", "observed_quantity", "revenue", "discount")
_MOST_TREND = 2.0


def _log(value: Column) -> Column:
    return F.log(value)


def _root(value: Column) -> Column:
    return F.sqrt(value)


def _as_it_is(value: Column) -> Column:
    return value


def _bounded(value: Column) -> Column:
    return F.least(F.greatest(value, F.lit(-_MOST_TREND)), F.lit(_MOST_TREND))


# Sizes differ by factors: their logarithms are compared. A CV2 or a share of 0 is no oddity, so that they are rooted.
_COMPARED: dict[str, Callable[[Column], Column]] = {
    "level": _log,
    "cv2": _root,
    "adi": _log,
    "price": _log,
    "trend": _bounded,
    "season": _as_it_is,
    "discounted": _root,
    "breadth": _log,
}
FEATURES = tuple(_COMPARED)
COORDINATES = tuple(f"{name}_scaled" for name in FEATURES)
TOO_FEW = "sold too seldom to tell"
_LEAST_STD = 1e-6
# Sums of doubles differ by their order in the last digits; who is drawn must not.
_DIGITS = 6


def describe(measured: DataFrame, totals: DataFrame, weekly: DataFrame, series: DataFrame, first: date) -> DataFrame:
    """A row a product and a row a store that is listed anywhere: the columns of inventory/segments up to breadth, but
    for the class.

    measured: `measures.measure`; totals: `measures.weekly_totals`; weekly: product rows of demand/weekly; series: rows
    of demand/series; first: week of the last year.
    """
    recent = totals.where((F.col("week") >= F.lit(first)) & F.col("kind").isin(PRODUCT, STORE))
    sums = recent.groupBy(*_KEY).agg(*[F.sum(name).alias(name) for name in _SUMMED])
    sold = sums.select(
        *_KEY,
        F.col("quantity").alias("units"),
        "revenue",
        F.try_divide("revenue", "observed_quantity").alias("price"),
        F.try_divide(F.col("discount"), F.col("revenue") + F.col("discount")).alias("discounted"),
    )
    known = measured.select(*_KEY, *[_number(name) for name in _MEASURED])
    pairs = weekly.where(F.col("week") >= F.lit(first)).select("store_id", "item_id").distinct()
    described = _listed(series)
    for part in (sold, known, _named(pairs).groupBy(*_KEY).agg(F.count(F.lit(1)).alias("breadth"))):
        described = described.join(part, _KEY, how="left")
    return described.na.fill(0, ["units", "revenue", "level", "weeks", "selling_weeks", "breadth"])


def with_class(products: DataFrame, borders: Borders) -> DataFrame:
    """Adds up_to, the share of revenue up to and with the product, and its class over all stores."""
    shared = with_shares(products, "revenue", "item_id")
    abc = abc_class(F.col("before"), F.col("revenue"), borders)
    return shared.withColumn("class", F.concat(abc, xyz_class(F.col("variation"), borders))).drop("before")


def with_coordinates(items: DataFrame) -> DataFrame:
    """Adds COORDINATES: each feature compared with its mean among these items, in standard deviations, 0 where it is
    not known."""
    compared = [_finite(of(F.col(name))).alias(name) for name, of in _COMPARED.items()]
    numbers = items.select(*_KEY, *compared)
    scaler = fit_scaler(numbers, FEATURES)
    # What is the same of all items differs by the rounding of its mean.
    scaler = scaler.withColumn("std", F.when(F.col("std") < _LEAST_STD, 1.0).otherwise(F.col("std")))
    scaled = standardize(numbers, scaler)
    rounded = [F.round(F.coalesce(name, F.lit(0.0)), _DIGITS).alias(name) for name in COORDINATES]
    return items.join(scaled.select(*_KEY, *rounded), _KEY)


def sample(items: DataFrame, most: int, seed: int) -> DataFrame:
    """COORDINATES of at most `most` items, drawn by the hash of what they are like: whatever they are called, and on
    whatever partitions they lie."""
    drawn = F.xxhash64(F.lit(seed), *COORDINATES)
    return items.select(*COORDINATES).orderBy(drawn, *COORDINATES).limit(most)


def with_oddest(items: DataFrame) -> DataFrame:
    """Adds `oddest`, the feature in which an item is farthest from the mean, in place of COORDINATES."""
    far = [F.struct(F.abs(F.col(f"{name}_scaled")).alias("far"), F.lit(name).alias("name")) for name in FEATURES]
    return items.withColumn("oddest", F.array_max(F.array(*far))["name"]).drop(*COORDINATES)


def unplaced(items: DataFrame) -> DataFrame:
    """Items that sold too seldom to be told from one another, as segment 0."""
    return items.withColumns({"segment": F.lit(0), "label": F.lit(TOO_FEW), "is_outlier": F.lit(False)})


def _listed(series: DataFrame) -> DataFrame:
    of_products = series.where("level = 'product'")
    products = of_products.groupBy("item_id").agg(F.min("category_id").alias("category_id"))
    stores = of_products.select(F.col("store_id").alias("item_id")).distinct()
    named = stores.select(F.lit(STORE).alias("kind"), "item_id", F.lit(None).cast("string").alias("category_id"))
    return products.select(F.lit(PRODUCT).alias("kind"), "item_id", "category_id").unionByName(named)


def _named(pairs: DataFrame) -> DataFrame:
    """Each pair of store and product as one of its product and one of its store."""
    kinds = {PRODUCT: "item_id", STORE: "store_id"}
    both = F.array(*[F.struct(F.lit(kind).alias("kind"), F.col(name).alias("item_id")) for kind, name in kinds.items()])
    return pairs.select(F.inline(both))


def _number(name: str) -> Column:
    """pandas says NaN for what is not known."""
    value = F.col(name)
    return value if name.endswith("weeks") else F.when(~F.isnan(value), value).alias(name)


def _finite(value: Column) -> Column:
    """The logarithm of nothing is no number."""
    return F.when(value.isNotNull() & ~F.isnan(value) & (F.abs(value) < float("inf")), value)
