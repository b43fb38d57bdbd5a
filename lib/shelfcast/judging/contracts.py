"""Contracts: what a source has promised of its tables, and which rows break it."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.cleaning.fate import BLANK, CLEAN
from shelfcast.config import Config
from shelfcast.settings.contracts import Rule
from shelfcast.sources.csv_files import NO_ROW
from shelfcast.table import Table

RESULTS = Table(
    "monitoring/contracts",
    # A row a rule and run of job clean. known_on: the newest day of sales then. rows: that were judged; of a rule of
    # whole tables 1 table.
    "region string, run_id string, checked_at timestamp, known_on date, source_table string, rule string, "
    "check string, severity string, rows bigint, violations bigint",
    key=("region", "run_id", "source_table", "rule"),
    operational=("checked_at",),
)
# The names of the rules that a row breaks, whether it is refused for them or not.
BROKEN = "_broken"
# The fates of a line that is no row of the table.
NOTHING_TOLD = (BLANK, *NO_ROW)


def rules_of(config: Config, table: str, *checks: str) -> list[Rule]:
    """The rules of a table, of the kinds given."""
    return [rule for rule in config.contracts if rule.table == table and (not checks or rule.check in checks)]


def join_references(canonical: DataFrame, rules: Sequence[Rule], keys: Mapping[str, DataFrame]) -> DataFrame:
    """Adds whether each value is found where the rule says. keys: rule -> the values of the other table's column."""
    for rule in rules:
        if rule.reference and rule.name in keys:
            values = keys[rule.name].toDF(rule.reference.column).distinct().withColumn(_found(rule), F.lit(True))
            canonical = canonical.join(values, rule.reference.column, how="left")
    return canonical


def violations(rules: Sequence[Rule]) -> dict[str, Column]:
    """Rule -> whether a row breaks it, of those that a row breaks by itself; null counts as not."""
    return {rule.name: broken for rule in rules if (broken := _violation(rule)) is not None}


def with_broken(judged: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Adds BROKEN; a line that is no row of the table keeps and breaks no promise."""
    is_row = ~F.col("_fate").isin(*NOTHING_TOLD)
    names = [
        F.when(is_row & F.coalesce(broken, F.lit(False)), F.lit(name)) for name, broken in violations(rules).items()
    ]
    found = F.array_compact(F.array(*names)) if names else F.array().cast("array<string>")
    kept = [name for name in judged.columns if not name.startswith("_found_")]
    return judged.withColumn(BROKEN, found).select(*kept, BROKEN)


def mark_repeated_values(judged: DataFrame, rules: Sequence[Rule], key: Sequence[str]) -> DataFrame:
    """Rows that have what another one has, of those whose business key comes later, or the row itself where there is
    none: told of in BROKEN and, where the rule says so, refused."""
    for rule in rules:
        if rule.unique is None:
            continue
        newest = F.col("known_from").desc_nulls_last() if "known_from" in judged.columns else F.lit(0)
        order = [F.col(name) for name in key] or [newest]
        values = Window.partitionBy(*rule.unique, "_fate").orderBy(*order)
        place = F.dense_rank() if key else F.row_number()
        place = place.over(values.rowsBetween(Window.unboundedPreceding, Window.currentRow))
        is_there = reduce(Column.__and__, [F.col(column).isNotNull() for column in rule.unique])
        judged = judged.withColumn("_again", (F.col("_fate") == CLEAN) & is_there & (place > 1))
        broken = F.array_append(BROKEN, F.lit(rule.name))
        judged = judged.withColumn(BROKEN, F.when(F.col("_again"), broken).otherwise(F.col(BROKEN)))
        if rule.severity == "quarantine":
            judged = judged.withColumn("_fate", F.when(F.col("_again"), rule.name).otherwise(F.col("_fate")))
        judged = judged.drop("_again")
    return judged


def count_violations(rules: Sequence[Rule]) -> list[Column]:
    """How many rows break each rule, as aggregates of a frame with BROKEN."""
    return [F.count_if(F.array_contains(BROKEN, rule.name)).alias(rule.name) for rule in rules]


def _violation(rule: Rule) -> Column | None:
    if rule.required:
        return reduce(Column.__or__, [_is_empty(column) for column in rule.required])
    if rule.range:
        value = F.col(rule.range.column)
        low = value < F.lit(rule.range.at_least) if rule.range.at_least is not None else F.lit(False)
        high = value > F.lit(rule.range.at_most) if rule.range.at_most is not None else F.lit(False)
        return low | high
    if rule.pattern:
        return ~F.col(rule.pattern.column).cast("string").rlike(rule.pattern.anchored)
    if rule.reference:
        value = F.col(rule.reference.column)
        is_found = value.cast("string").isin(*rule.reference.values) if rule.reference.values else F.col(_found(rule))
        return value.isNotNull() & ~F.coalesce(is_found, F.lit(False))
    return None


def _found(rule: Rule) -> str:
    return f"_found_{rule.name}"


def _is_empty(column: str) -> Column:
    return F.col(column).isNull() | (F.trim(F.col(column).cast("string")) == "")
