"""What a rule must be, so that it can be kept and broken: told before any row is judged."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession

from shelfcast.cleaning.fate import BLANK, CLEAN, DUPLICATE, SUPERSEDED, WITHDRAWN
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.judging.rows import names_of_refusals
from shelfcast.settings.contracts import Pattern, Range, Rule
from shelfcast.sources.canonical import canonical_columns

_FATES = {BLANK, CLEAN, DUPLICATE, SUPERSEDED, WITHDRAWN}


def require_rules(config: Config, tables: Sequence[str]) -> None:
    """Raise ConfigError for a rule of a table or a column that the source does not have or that is of another type,
    for a name that is taken, and for a text that is no regular expression."""
    names = [rule.name for rule in config.contracts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"contracts: {', '.join(twice)} is there twice; wanted each name once")
    for rule in config.contracts:
        for table, columns in _columns(rule).items():
            _require_columns(rule, table, columns, tables)
        _require_types(rule)
        if rule.name in _FATES | names_of_refusals(config, rule.table):
            raise ConfigError(f"contracts.{rule.name}: the name of a fate that rows meet; wanted one of its own")
        if rule.pattern:
            _require_expression(rule, rule.pattern)


def _require_columns(rule: Rule, table: str, columns: Sequence[str], tables: Sequence[str]) -> None:
    if table not in tables:
        raise ConfigError(f"contracts.{rule.name}: no table {table}; wanted one of {', '.join(tables)}")
    known = canonical_columns(table)
    if unknown := [column for column in columns if column not in known]:
        found = f"no column {', '.join(unknown)} in {table}"
        raise ConfigError(f"contracts.{rule.name}: {found}; wanted some of {', '.join(known)}")


def _require_types(rule: Rule) -> None:
    """A bound of another type than its column's is none, and a text has no days."""
    kinds = canonical_columns(rule.table)
    if rule.freshness and kinds[rule.freshness.column] != "date":
        wanted = ", ".join(column for column, kind in kinds.items() if kind == "date")
        raise ConfigError(f"contracts.{rule.name}: {rule.freshness.column} has no days; wanted one of {wanted}")
    if rule.range and (found := kinds[rule.range.column]) != _kind(rule.range):
        raise ConfigError(
            f"contracts.{rule.name}: {rule.range.column} is {found}; wanted a {_kind(rule.range)}, as its bounds are"
        )


def _kind(bounded: Range) -> str:
    return "date" if isinstance(bounded.bounds[0], date) else "double"


def _require_expression(rule: Rule, pattern: Pattern) -> None:
    """Java compiles it, as it will for the rows."""
    jvm: Any = SparkSession.active().sparkContext._jvm
    try:
        jvm.java.util.regex.Pattern.compile(pattern.anchored)
    except IllegalArgumentException as error:
        found = f"found {pattern.matches!r}, which is none ({str(error).splitlines()[0]})"
        raise ConfigError(f"contracts.{rule.name}: {found}; wanted a regular expression of Java") from None


def _columns(rule: Rule) -> dict[str, Sequence[str]]:
    """table -> the columns that the rule names of it."""
    named = rule.required or rule.unique or ()
    one = rule.range or rule.pattern or rule.reference or rule.freshness
    columns: dict[str, Sequence[str]] = {rule.table: (*named, *([one.column] if one else []))}
    if rule.reference and rule.reference.table:
        columns[rule.reference.table] = (rule.reference.key or rule.reference.column,)
    return columns
