"""Contracts: what a source has promised of its tables, and which rows break it."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.cleaning.fate import CLEAN
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.settings.contracts import Rule
from shelfcast.sources.canonical import canonical_columns
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
# The names of the rules that a row breaks and is not refused for.
BROKEN = "_broken"


def rules_of(config: Config, table: str, *checks: str) -> list[Rule]:
    """The rules of a table, of the kinds given."""
    return [rule for rule in config.contracts if rule.table == table and (not checks or rule.check in checks)]


def require_rules(config: Config, tables: Sequence[str]) -> None:
    """Raise ConfigError for a rule of a table or a column that the source does not have, and for two of one name."""
    names = [rule.name for rule in config.contracts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"contracts: {', '.join(twice)} is there twice; wanted each name once")
    for rule in config.contracts:
        for table, columns in _columns(rule).items():
            if table not in tables:
                raise ConfigError(f"contracts.{rule.name}: no table {table}; wanted one of {', '.join(tables)}")
            known = canonical_columns(table)
            if unknown := [column for column in columns if column not in known]:
                found = f"no column {', '.join(unknown)} in {table}"
                raise ConfigError(f"contracts.{rule.name}: {found}; wanted some of {', '.join(known)}")


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
    """Adds BROKEN: the rules that a row breaks and is not refused for."""
    told = [rule for rule in rules if rule.severity != "quarantine"]
    names = [F.when(F.coalesce(broken, F.lit(False)), F.lit(name)) for name, broken in violations(told).items()]
    found = F.array_compact(F.array(*names)) if names else F.array().cast("array<string>")
    kept = [name for name in judged.columns if not name.startswith("_found_")]
    return judged.withColumn(BROKEN, found).select(*kept, BROKEN)


def mark_repeated_values(judged: DataFrame, rules: Sequence[Rule], key: Sequence[str]) -> DataFrame:
    """Rows that have what another one has, of those whose business key comes later, or the row itself where there is
    none: refused, or told of in BROKEN."""
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
        if rule.severity == "quarantine":
            judged = judged.withColumn("_fate", F.when(F.col("_again"), rule.name).otherwise(F.col("_fate")))
        else:
            broken = F.array_append(BROKEN, F.lit(rule.name))
            judged = judged.withColumn(BROKEN, F.when(F.col("_again"), broken).otherwise(F.col(BROKEN)))
        judged = judged.drop("_again")
    return judged


def count_violations(rules: Sequence[Rule]) -> list[Column]:
    """How many rows break each rule, as aggregates of a frame with BROKEN and `_fate`."""
    broken = {
        rule.name: (F.col("_fate") == rule.name)
        if rule.severity == "quarantine"
        else F.array_contains(BROKEN, rule.name)
        for rule in rules
        if not rule.is_of_table
    }
    return [F.count_if(F.coalesce(found, F.lit(False))).alias(name) for name, found in broken.items()]


def _columns(rule: Rule) -> dict[str, Sequence[str]]:
    """table -> the columns that the rule names of it."""
    named = rule.required or rule.unique or ()
    one = rule.range or rule.pattern or rule.reference or rule.freshness
    columns: dict[str, Sequence[str]] = {rule.table: (*named, *([one.column] if one else []))}
    if rule.reference and rule.reference.table:
        columns[rule.reference.table] = (rule.reference.key or rule.reference.column,)
    return columns


def _violation(rule: Rule) -> Column | None:
    if rule.required:
        return reduce(Column.__or__, [_is_empty(column) for column in rule.required])
    if rule.range:
        value = F.col(rule.range.column)
        low = value < F.lit(rule.range.at_least) if rule.range.at_least is not None else F.lit(False)
        high = value > F.lit(rule.range.at_most) if rule.range.at_most is not None else F.lit(False)
        return low | high
    if rule.pattern:
        return ~F.col(rule.pattern.column).cast("string").rlike(f"^(?:{rule.pattern.matches})$")
    if rule.reference:
        value = F.col(rule.reference.column)
        is_found = value.cast("string").isin(*rule.reference.values) if rule.reference.values else F.col(_found(rule))
        return value.isNotNull() & ~F.coalesce(is_found, F.lit(False))
    return None


def _found(rule: Rule) -> str:
    return f"_found_{rule.name}"


def _is_empty(column: str) -> Column:
    return F.col(column).isNull() | (F.trim(F.col(column).cast("string")) == "")
