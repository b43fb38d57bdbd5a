"""Whether a run's rows keep the contracts: monitoring/contracts tells, and the job ends where it must."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.cleaning import fate, supply
from shelfcast.errors import ContractError
from shelfcast.job import Run
from shelfcast.judging import sizes
from shelfcast.judging.contracts import NOTHING_TOLD, RESULTS, count_violations, rules_of
from shelfcast.judging.judged import Judged, judge_all
from shelfcast.judging.since import last_deliveries
from shelfcast.settings.contracts import Freshness, Rule
from shelfcast.sources.canonical import clean_table


class Found(NamedTuple):
    """What a run found of a rule. rows: judged by it; said: what was found, and what was wanted."""

    rule: Rule
    rows: int
    violations: int
    said: str


def check(run: Run, judged: Mapping[str, Judged]) -> None:
    """Record what is found of each rule. Raises ContractError, before any clean table is written, where a fatal one is
    broken."""
    if not run.config.contracts:
        return
    newest = _newest_day(run, judged, "sales", "sold_on")
    found = [each for name in judged for each in _of_rows(run, name, judged[name])]
    # A table grows stale by what does not come.
    of_tables = [rule for rule in run.config.contracts if rule.freshness or (rule.volume and rule.table in judged)]
    found += [_of_table(run, judged, rule, newest) for rule in of_tables]
    now = datetime.now(UTC)
    rows = [
        (run.config.region, run.key, now, newest, each.rule.table, each.rule.name, each.rule.check, each.rule.severity,
         each.rows, each.violations)
        for each in found
    ]  # fmt: skip
    run.append_once(RESULTS, run.spark.createDataFrame(rows, RESULTS.schema))
    for each in found:
        if each.violations:
            run.say(f"contract {each.rule.name} ({each.rule.severity}): {each.said}")
    if broken := [each for each in found if each.violations and each.rule.severity == "fatal"]:
        raise ContractError("; ".join(f"contract {each.rule.name}: {each.said}" for each in broken))


def _of_rows(run: Run, name: str, judged: Judged) -> list[Found]:
    rules = [rule for rule in rules_of(run.config, name) if not rule.is_of_table]
    if not rules:
        return []
    counted = _standing(run, name, judged).agg(F.count(F.lit(1)).alias("_rows"), *count_violations(rules)).first()
    assert counted is not None
    rows, said = counted["_rows"], "{broken:,} of {rows:,} rows of {table} break it; wanted {wanted}"
    return [
        Found(
            rule,
            rows,
            counted[rule.name],
            said.format(broken=counted[rule.name], rows=rows, table=name, wanted=_wanted(rule)),
        )
        for rule in rules
    ]


def _standing(run: Run, name: str, judged: Judged) -> DataFrame:
    """The new rows that say something which no other one says as well or better: no version that was corrected."""
    told_elsewhere = (fate.DUPLICATE, fate.SUPERSEDED, fate.WITHDRAWN)
    rows = judged.new.where(~F.col("_fate").isin(*NOTHING_TOLD, *told_elsewhere))
    key = run.config.cleaning.key_of(name)
    if not key or "known_from" not in rows.columns:
        return rows
    versions = Window.partitionBy(*fate.key_columns(key), "_fate")
    newest = F.max("known_from").over(versions.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
    is_newest = (F.col("_fate") != fate.CLEAN) | (F.col("known_from") == F.col("_newest"))
    return rows.withColumn("_newest", newest).where(is_newest)


def _of_table(run: Run, judged: Mapping[str, Judged], rule: Rule, newest: date | None) -> Found:
    said = ""
    if rule.freshness:
        said = _stale(_newest_day(run, judged, rule.table, rule.freshness.column), rule.freshness, newest)
    elif rule.volume:
        said = sizes.unusual(run, rule.table, rule.volume)
    return Found(rule, 1, int(bool(said)), said)


def _stale(day: date | None, wanted: Freshness, newest: date | None) -> str:
    if newest is None or (day is not None and day >= newest - timedelta(days=wanted.within_days)):
        return ""
    return f"the newest {wanted.column} is {day}; wanted one at most {wanted.within_days} days before {newest}"


def _newest_day(run: Run, judged: Mapping[str, Judged], name: str, column: str) -> date | None:
    """The newest day of a column in what stands, whether it came with this run or before."""
    found = judged.get(name)
    frames = [found.kept] if found else []
    if found is None or found.then is not None:
        frames.append(_held(run, name, column))
    standing = [frame.where("known_until is null") if "known_until" in frame.columns else frame for frame in frames]
    days = [row[0] for frame in standing if (row := frame.agg(F.max(column)).first()) and row[0]]
    return max(days, default=None)


def _held(run: Run, name: str, column: str) -> DataFrame:
    """What came before: the clean table's rows or, where it does not keep the column, the received ones judged."""
    table = clean_table(name)
    if table not in run.job.writes or column not in table.names:
        return judge_all(run, name, last_deliveries(run)[name]).kept
    held = run.read(table)
    return held.where(F.col("moment") == name.removesuffix("_stock")) if table == supply.STOCK else held


def _wanted(rule: Rule) -> str:
    told = getattr(rule, rule.check)
    if isinstance(told, tuple):
        return f"{rule.check} {', '.join(told)}"
    keys = {name: value for name, value in told.model_dump(mode="json").items() if value not in (None, [], ())}
    return f"{rule.check} {', '.join(f'{name} {value}' for name, value in keys.items())}"
