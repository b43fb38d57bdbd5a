"""What becomes of each row: clean, blank, quarantined by a named rule, duplicate or superseded. Nothing is lost."""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import chain

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StringType, StructField, StructType

from shelfcast.table import Table

DAY_COUNTS = Table(
    "clean/day_counts",
    # What became of the sales received of a store's day, those that were told since `known_from`, by files that stood
    # until `known_until`; rows that do not name both are in clean/row_counts alone.
    "region string, store_id string, day date, known_from date, known_until date, raw bigint, clean bigint, "
    "quarantined bigint, duplicates bigint, superseded bigint",
    key=("region", "store_id", "day", "known_from", "known_until"),
    checks={"counts_add_up": "raw = clean + quarantined + duplicates + superseded"},
)
CLEAN, BLANK, DUPLICATE, SUPERSEDED = "clean", "blank", "duplicate", "superseded"
# Told by a file that came again without it: kept for the days on which it was known, and counted as superseded.
WITHDRAWN = "withdrawn"
_COUNTED = {"clean": (CLEAN,), "blank": (BLANK,), "duplicates": (DUPLICATE,), "superseded": (SUPERSEDED, WITHDRAWN)}


def with_fate(frame: DataFrame, rules: Mapping[str, Column]) -> DataFrame:
    """Adds `_fate`: blank where every column of the raw row is empty, else the first rule that the row violates, else
    clean.

    frame: canonical columns and `_raw`. rules: name -> what is true of a row to refuse; null counts as not violated,
    so a rule must ask for null itself.
    """
    refused = [F.when(F.coalesce(violated, F.lit(False)), F.lit(name)) for name, violated in rules.items()]
    return frame.withColumn("_fate", F.coalesce(F.when(_is_blank(frame), F.lit(BLANK)), *refused, F.lit(CLEAN)))


def mark_repeated(frame: DataFrame, key: Sequence[str], content: Sequence[Column | str]) -> DataFrame:
    """Among clean rows of one business key, keeps the first in the order of their content, so that the choice is the
    same on any cluster; the others are duplicates where their content is equal to it, superseded where it differs."""
    frame = frame.withColumn("_content", content_hash(content))
    rows = Window.partitionBy(*key_columns(key), "_fate").orderBy(*content)
    so_far = rows.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    repeated = (F.col("_fate") == CLEAN) & (F.row_number().over(so_far) > 1)
    same = F.col("_content") == F.first("_content").over(so_far)
    fate = F.when(repeated & same, DUPLICATE).when(repeated, SUPERSEDED).otherwise(F.col("_fate"))
    return frame.withColumn("_fate", fate).drop("_content")


def comparable(field: StructField) -> Column:
    """The column in a form that can be hashed and sorted by, which a map cannot."""
    column = F.col(field.name)
    return F.array_sort(F.map_entries(column)) if isinstance(field.dataType, MapType) else column


def content_hash(content: Sequence[Column | str]) -> Column:
    """What tells two versions of a row apart."""
    return F.xxhash64(*content)


def key_columns(key: Sequence[str]) -> list[Column | str]:
    """What rows of one key are brought together by. Rows are sorted by their partition first: a number that differs
    tells them apart sooner than texts that agree."""
    return [F.xxhash64(*key), *key]


def kept(judged: DataFrame) -> DataFrame:
    """The rows that a clean table holds."""
    return judged.where(F.col("_fate").isin(CLEAN, WITHDRAWN))


def without_raw_of_the_kept(frame: DataFrame) -> DataFrame:
    """`_raw` null but where a rule refuses the row: what is not going to quarantine need not be shuffled and staged."""
    return frame.withColumn("_raw", F.when(is_refused(), F.col("_raw")))


def quarantined(frame: DataFrame, region: str, source_table: str) -> DataFrame:
    """The refused rows whole, as clean/quarantine keeps them."""
    return frame.where(is_refused()).select(
        F.lit(region).alias("region"),
        F.lit(source_table).alias("source_table"),
        F.col("_fate").alias("rule"),
        F.to_json(F.struct(*[f"_raw.{name}" for name in _received(frame)])).alias("row"),
        F.col("_raw._batch_id").alias("batch_id"),
    )


def tally() -> list[Column]:
    """How many rows met each fate, as aggregates of a frame with `_fate`: raw, clean, blank, duplicates, superseded,
    quarantined."""

    def rows(condition: Column) -> Column:
        return F.count(F.when(condition, F.lit(1)))

    return [
        F.count(F.lit(1)).alias("raw"),
        *[rows(F.col("_fate").isin(*fates)).alias(name) for name, fates in _COUNTED.items()],
        rows(is_refused()).alias("quarantined"),
    ]


def tally_by_day(judged: DataFrame, known_from: Column, known_until: Column) -> DataFrame:
    """The tally of each store and day that rows name, and of when they were known: store_id, day, known_from,
    known_until, raw, clean, quarantined, duplicates, superseded.

    judged: sales with `_fate`.
    """
    named = judged.where("store_id is not null and sold_on is not null")
    known = (known_from.alias("known_from"), known_until.alias("known_until"))
    return named.groupBy("store_id", F.col("sold_on").alias("day"), *known).agg(*tally()).drop("blank")


def all_clean(rows: int) -> dict[str, int]:
    """The tally of rows of which none met another fate."""
    return {"raw": rows, **dict.fromkeys(_COUNTED, 0), "clean": rows, "quarantined": 0}


def is_refused(fate: str = "_fate") -> Column:
    return ~F.col(fate).isin(*chain.from_iterable(_COUNTED.values()))


def _received(frame: DataFrame) -> list[str]:
    """The columns of the raw row that came from the source: all but where they came from and when."""
    raw = frame.schema["_raw"].dataType
    assert isinstance(raw, StructType)
    return [name for name in raw.names if name == "_extra" or not (name.startswith("_") or name == "region")]


def _is_blank(frame: DataFrame) -> Column:
    raw = frame.schema["_raw"].dataType
    assert isinstance(raw, StructType)
    return reduce(lambda blank, name: blank & _is_empty(raw[name]), _received(frame), F.lit(True))


def _is_empty(item: StructField) -> Column:
    column = F.col(f"_raw.{item.name}")
    is_text = isinstance(item.dataType, StringType)
    return column.isNull() | (F.trim(column) == "") if is_text else column.isNull()
