"""Names as numbers, and numbers on one scale: vocabularies with index 0 for the never seen, one-hot vectors, scalers.

Each is fitted on the frame it is given: to learn from training periods alone is the caller's filter.
"""

from collections.abc import Mapping, Sequence

from pyspark.ml.feature import OneHotEncoder
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

__all__ = ["encode", "fit_scaler", "fit_vocabulary", "one_hot", "standardize", "vocabulary_sizes"]

NEVER_SEEN = 0


def fit_vocabulary(training: DataFrame, columns: Sequence[str], by: Sequence[str] = ()) -> DataFrame:
    """The values of each of `columns`, as a frame (`by`, column: string, value: string, index: int): a vocabulary per
    group of `by`.

    The most frequent value has index 1; equally frequent ones follow in the order of their text, so that the
    partitioning decides nothing. Index 0 is kept for values never seen here, and for null.
    """
    pairs = F.array(*(F.struct(F.lit(name).alias("column"), _text(name).alias("value")) for name in columns))
    # one pass over the rows for all columns
    named = training.select(*by, F.inline(pairs)).where(F.col("value").isNotNull())
    counts = named.groupBy(*by, "column", "value").count()
    by_frequency = Window.partitionBy(*by, "column").orderBy(F.desc("count"), "value")
    index = F.row_number().over(by_frequency.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return counts.select(*by, "column", "value", index.alias("index"))


def encode(frame: DataFrame, vocabulary: DataFrame, columns: Sequence[str]) -> DataFrame:
    """`frame` with `<column>_index` (int) for each of `columns`; 0 where the vocabulary does not know the value."""
    for name in columns:
        joined = frame.join(_words(vocabulary, name), _text(name) == F.col("_value"), how="left")
        index = F.coalesce("_index", F.lit(NEVER_SEEN)).cast("int")
        frame = joined.withColumn(f"{name}_index", index).drop("_value", "_index")
    return frame


def vocabulary_sizes(vocabulary: DataFrame) -> dict[str, int]:
    """How many indices each column of the vocabulary has, index 0 counted."""
    rows = vocabulary.groupBy("column").agg((F.max("index") + 1).alias("size")).collect()  # a row per column
    return {row["column"]: row["size"] for row in rows}


def one_hot(encoded: DataFrame, sizes: Mapping[str, int]) -> DataFrame:
    """`encoded` with a sparse vector `<column>_one_hot` of `sizes[column]` places for each `<column>_index`."""
    for name, size in sizes.items():
        # MLlib reads the size from here; it would otherwise take the largest index of the frame at hand
        nominal = {"ml_attr": {"type": "nominal", "num_vals": size}}
        encoded = encoded.withMetadata(f"{name}_index", nominal)
    encoder = OneHotEncoder(
        inputCols=[f"{name}_index" for name in sizes],
        outputCols=[f"{name}_one_hot" for name in sizes],
        dropLast=False,
    )
    return encoder.fit(encoded).transform(encoded)


def fit_scaler(training: DataFrame, columns: Sequence[str], by: Sequence[str] = ()) -> DataFrame:
    """Mean and standard deviation of each of `columns`, as a frame (`by`, column: string, mean: double,
    std: double): a scaler per group of `by`.

    The deviation is the population's, as scikit-learn's StandardScaler takes it, and 1 for a constant column, which
    standardizes to 0. Nulls are left out; a column of nothing else has mean 0.
    """
    moments = [_moments(F.col(name).cast("double"), name) for name in columns]
    return training.groupBy(*by).agg(F.array(*moments).alias("moments")).select(*by, F.inline("moments"))


def standardize(frame: DataFrame, scaler: DataFrame) -> DataFrame:
    """`frame` with `<column>_scaled` = (value - mean) / std for each column of the scaler; null stays null."""
    rows = scaler.collect()  # a row per column
    scaled = {f"{row['column']}_scaled": (F.col(row["column"]) - row["mean"]) / row["std"] for row in rows}
    return frame.withColumns(scaled)


def _text(name: str) -> Column:
    return F.col(name).cast("string")


def _words(vocabulary: DataFrame, name: str) -> DataFrame:
    words = vocabulary.where(F.col("column") == name)
    # names are few beside the rows they name
    return F.broadcast(words.select(F.col("value").alias("_value"), F.col("index").alias("_index")))


def _moments(values: Column, name: str) -> Column:
    std = F.stddev_pop(values)
    return F.struct(
        F.lit(name).alias("column"),
        F.coalesce(F.avg(values), F.lit(0.0)).alias("mean"),
        # Of a constant that no binary number is, rounding makes the deviation more than 0.
        F.when(F.max(values) > F.min(values), std).otherwise(1.0).alias("std"),
    )
