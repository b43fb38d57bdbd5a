"""Versions: what later deliveries tell of rows that came before, and from when until when each version was known.

A row is known from the day that its source tells of (a sale from its own evening), unless it comes late: what a
delivery tells of a day that is not after the newest one known before, of its table or of sales, is known from the
delivery's day on, so that what was known then stays as it was. A file that comes again with another content overtakes
what it told before.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from shelfcast.cleaning.fate import CLEAN, DUPLICATE, SUPERSEDED, WITHDRAWN, content_hash, key_columns

DELIVERY, TOLD_UNTIL = "_delivery", "_told_until"
# From when until when a row is known for itself, and its fate, whatever others tell.
KNOWN, ENDED, ALONE = "_known", "_ended", "_fate_alone"
# The delivery with which the row's file came again.
_OVERTAKEN = "_overtaken_by"
_SO_FAR = (Window.unboundedPreceding, Window.currentRow)
# Slips of the keys: less than this share of a delivery's rows, so many days after the others.
_FEW, _GAP = 0.01, 7


def as_deliveries(ledger: DataFrame) -> DataFrame:
    """The files of one source table: batch_id, file, delivery, delivered_on, copy_of, after_sales, with_sales, and how
    they follow one another.

    What a file told stands as long as a copy of it does, whatever has become of the file.
    """
    after = F.lead("delivery").over(Window.partitionBy("file").orderBy("delivery"))
    content = Window.partitionBy(F.coalesce("copy_of", "file"), "content")
    so_far = content.orderBy("delivery").rangeBetween(*_SO_FAR)
    read_with = F.max(F.when(F.col("copy_of").isNull(), F.col("delivery"))).over(so_far)
    lines = ledger.withColumns({"_after": after, "_told_by": F.coalesce("copy_of", "file"), "_read_with": read_with})
    alike = Window.partitionBy("_told_by", "content", "_read_with")
    stands = F.max(F.col("_after").isNull()).over(alike)
    overtaken = F.when(~stands, F.max("_after").over(alike)).alias(_OVERTAKEN)
    told = ("delivered_on", "copy_of", "after_sales", "with_sales")
    return lines.select("batch_id", "file", F.col("delivery").alias(DELIVERY), *told, overtaken)


def is_again(ledger: DataFrame) -> DataFrame:
    """The lines of files that had come before with another content."""
    files = Window.partitionBy("source_table", "file").orderBy("delivery")
    return ledger.withColumn("_before", F.lag("delivery").over(files)).where("_before is not null").drop("_before")


def with_delivery(canonical: DataFrame, deliveries: DataFrame) -> DataFrame:
    """Adds which delivery a row is of, and how its file follows others. canonical: a frame with the row as `_raw`.

    A row of none ends the job: left out it would be in no account.
    """
    told = deliveries.select(F.col("batch_id").alias("_batch"), F.col("file").alias("_file"), DELIVERY, _OVERTAKEN)
    same = (F.col("_raw._batch_id") == F.col("_batch")) & (F.col("_raw._source_file") == F.col("_file"))
    said = F.format_string(
        "raw/ledger: no line of file %s in batch %s, of which a raw row is; wanted one",
        F.col("_raw._source_file"), F.col("_raw._batch_id"),
    )  # fmt: skip
    found = F.coalesce(DELIVERY, F.raise_error(said).cast("bigint"))
    joined = canonical.join(F.broadcast(told), same, how="left")
    return joined.withColumn(DELIVERY, found).drop("_batch", "_file")


def of_standing_files(told: DataFrame) -> DataFrame:
    """The rows, or the lines, of files as they came last."""
    return told.where(F.col(_OVERTAKEN).isNull())


def told_until(judged: DataFrame, deliveries: DataFrame) -> DataFrame:
    """The day of each delivery: that of its files' names, else the newest that its clean rows tell of, slips aside.
    Columns: DELIVERY, told_until."""
    told = judged.where((F.col("_fate") == CLEAN) & F.col("known_from").isNotNull())
    days = with_slips(told.groupBy(DELIVERY, "known_from").agg(F.count(F.lit(1)).alias("rows")), DELIVERY)
    newest = days.where(~F.col("_is_slip")).groupBy(DELIVERY).agg(F.max("known_from").alias("_newest"))
    return days_of(deliveries, newest)


def days_of(deliveries: DataFrame, newest: DataFrame) -> DataFrame:
    """As `told_until`. newest: the newest day of each delivery that has rows, as DELIVERY and `_newest`."""
    named = deliveries.groupBy(DELIVERY).agg(F.max("delivered_on").alias("_named"))
    return named.join(newest, DELIVERY, how="left").select(
        DELIVERY, F.coalesce("_named", "_newest").alias("told_until")
    )


def with_slips(days: DataFrame, *by: str) -> DataFrame:
    """Adds `_is_slip` to the days that rows tell of: whether but few tell of it and of what follows, far from the
    others. By a mistyped day all that comes before it would be late. days: known_from, rows; of each `by`."""
    of_all = Window.partitionBy(*by)
    in_order = of_all.orderBy("known_from")
    following = in_order.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    is_far = F.datediff("known_from", F.lag("known_from").over(in_order)) > _GAP
    begins = F.coalesce(is_far & (F.sum("rows").over(following) < _FEW * F.sum("rows").over(of_all)), F.lit(False))
    return days.withColumn("_begins", begins).select(
        *days.columns, F.max("_begins").over(in_order.rowsBetween(*_SO_FAR)).alias("_is_slip")
    )


def sales_beside(deliveries: DataFrame, sales_until: DataFrame) -> DataFrame:
    """How far sales were told before each delivery of another table, and with it: DELIVERY, sales_before, sales_with.

    deliveries: as `as_deliveries` has them. sales_until: all deliveries of sales, as `told_until` has them; of those
    that files came with again, and that were read anew since, none is there.
    """
    told = F.broadcast(sales_until.select(F.col(DELIVERY).alias("_sales"), "told_until"))
    lines = deliveries.groupBy(DELIVERY).agg(F.max("after_sales").alias("_after"), F.max("with_sales").alias("_with"))
    before = F.max(F.when(F.col("_sales") <= F.col("_after"), F.col("told_until")))
    beside = lines.join(told, F.col("_sales") <= F.col("_with"), how="left")
    return beside.groupBy(DELIVERY).agg(before.alias("sales_before"), F.max("told_until").alias("sales_with"))


def with_known_days(judged: DataFrame, until: DataFrame, beside: DataFrame | None = None) -> DataFrame:
    """`known_from` of late rows, and `known_until` of those that their file, come again, tells no more or otherwise;
    both as KNOWN and ENDED too, and `_fate` as ALONE.

    until: all deliveries, as `told_until` has them. beside: as `sales_beside` has them; None of sales.
    """
    before = F.max("told_until").over(Window.orderBy(DELIVERY).rowsBetween(Window.unboundedPreceding, -1))
    days = until.withColumn("_since", before).withColumn("_day", F.greatest("told_until", "_since"))
    if beside is not None:
        since, day = F.greatest("_since", "sales_before"), F.greatest("_day", "sales_with")
        days = days.join(beside, DELIVERY, how="left").withColumns({"_since": since, "_day": day})
    days = days.select(DELIVERY, F.col("told_until").alias(TOLD_UNTIL), "_since", "_day")
    ends = days.select(F.col(DELIVERY).alias(_OVERTAKEN), F.col("_day").alias("known_until"))
    told = judged.join(F.broadcast(days), DELIVERY, how="left").join(F.broadcast(ends), _OVERTAKEN, how="left")
    is_late = F.coalesce(F.col("known_from") <= F.col("_since"), F.lit(False))
    known = F.when(is_late, F.col("_day")).otherwise(F.col("known_from"))
    alone = {KNOWN: known, ENDED: F.col("known_until"), ALONE: F.col("_fate")}
    return told.withColumns({"known_from": known, **alone}).drop("_since", "_day")


def known_last(kept: DataFrame, key: Sequence[str]) -> DataFrame:
    """Of the versions of each key that stand, the one that is known since last. kept: rows that a clean table takes."""
    standing = kept.where("known_until is null") if "known_until" in kept.columns else kept
    versions = Window.partitionBy(*key_columns(key)).orderBy(F.desc("known_from")).rowsBetween(*_SO_FAR)
    return standing.withColumn("_version", F.row_number().over(versions)).where("_version = 1").drop("_version")


def mark_overtaken(judged: DataFrame) -> DataFrame:
    """What a file that came again had told before stands no more: withdrawn where it was known for a time."""
    return judged.withColumn("_fate", _fate_of_overtaken(F.col("_fate") == CLEAN, judged).otherwise(F.col("_fate")))


def mark_versions(judged: DataFrame, key: Sequence[str], content: Sequence[Column | str]) -> DataFrame:
    """Among clean rows of one business key, what each tells beside the others.

    For one day the newest delivery counts, and of its rows the first in the order of their content. A later delivery
    that tells again what stands is a duplicate. A version whose files have all come again without it is withdrawn.
    """
    own = key_columns(key)
    versions = ["known_from"] if "known_until" in judged.columns else []
    told = judged.withColumn("_content", content_hash(content))
    first = Window.partitionBy(*own, "_fate", *versions).orderBy(F.desc(DELIVERY), *content).rowsBetween(*_SO_FAR)
    told = told.withColumn("_stands", F.col("_content") == F.first("_content").over(first))
    following = Window.partitionBy(*own, "_fate", "_stands").orderBy(*versions, DELIVERY)
    runs = told.withColumn("_run", F.sum(_begins(versions, following)).over(following.rowsBetween(*_SO_FAR)))
    run = Window.partitionBy(*own, "_fate", "_stands", "_run")
    whole = run.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    is_overtaken = F.col(_OVERTAKEN).isNotNull()
    runs = runs.withColumns({
        "_place": F.row_number().over(run.orderBy(is_overtaken, DELIVERY).rowsBetween(*_SO_FAR)),
        "_is_clean": F.col("_fate") == CLEAN,
        **{name: F.when(_counts(), F.min(name).over(whole)).otherwise(F.col(name)) for name in versions},
        **({"known_until": F.when(_counts(), _until(whole)).otherwise(F.col("known_until"))} if versions else {}),
    })  # fmt: skip
    fate = (
        F.when(F.col("_is_clean") & ~F.col("_stands"), SUPERSEDED)
        .when(F.col("_is_clean") & (F.col("_place") > 1) & ~is_overtaken, DUPLICATE)
        .when(F.col("_is_clean") & (F.col("_place") > 1), SUPERSEDED)
    )
    ended = _fate_of_overtaken(F.col("_is_clean"), runs).otherwise(F.col("_fate"))
    settled = runs.withColumn("_fate", F.coalesce(fate, ended))
    return settled.drop("_content", "_stands", "_run", "_place", "_is_clean")


def _begins(versions: Sequence[str], following: WindowSpec) -> Column:
    """1 where a row of a key tells what the one before it does not; a file may state one version twice."""
    changed = ~F.col("_content").eqNullSafe(F.lag("_content").over(following))
    for version in versions:
        is_of_another_day = F.col(version) != F.lag(version).over(following)
        changed = changed | (is_of_another_day & (F.col(DELIVERY) <= F.lag(DELIVERY).over(following)))
    return F.coalesce(changed, F.lit(True)).cast("int")


def _counts() -> Column:
    return (F.col("_fate") == CLEAN) & F.col("_stands")


def _until(whole: WindowSpec) -> Column:
    """Null as long as any file that tells the version stands."""
    is_told = F.max(F.col(_OVERTAKEN).isNull()).over(whole)
    return F.when(~is_told, F.max("known_until").over(whole))


def _fate_of_overtaken(is_clean: Column, judged: DataFrame) -> Column:
    is_overtaken = F.col(_OVERTAKEN).isNotNull()
    was_known = F.col("known_until") > F.col("known_from") if "known_until" in judged.columns else F.lit(False)
    return F.when(is_overtaken & is_clean & F.coalesce(was_known, F.lit(False)), WITHDRAWN).when(
        is_overtaken, SUPERSEDED
    )
