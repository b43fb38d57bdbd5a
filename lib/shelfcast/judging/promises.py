"""Whether a run's rows keep the contracts: monitoring/contracts tells, and the job ends where it must."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.cleaning import fate, versions
from shelfcast.cleaning.account import DELIVERIES
from shelfcast.errors import ContractError
from shelfcast.job import Run
from shelfcast.judging.contracts import RESULTS, count_violations, rules_of
from shelfcast.judging.judged import Judged
from shelfcast.settings.contracts import Freshness, Rule, Volume


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
    newest = _newest_sale(run, judged)
    found = [each for name in judged for each in _of_rows(run, name, judged[name])]
    found += [each for name in judged for each in _of_table(run, name, judged[name], newest)]
    now = datetime.now(UTC).replace(tzinfo=None)
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
    counted = judged.new.agg(F.count(F.lit(1)).alias("_rows"), *count_violations(rules)).first()
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


def _of_table(run: Run, name: str, judged: Judged, newest: date | None) -> list[Found]:
    found = []
    for rule in rules_of(run.config, name, "freshness", "volume"):
        said = _stale(judged, rule.freshness, newest) if rule.freshness else ""
        if rule.volume:
            said = _unusual(run, name, judged, rule.volume)
        found.append(Found(rule, 1, int(bool(said)), said))
    return found


def _stale(judged: Judged, wanted: Freshness, newest: date | None) -> str:
    row = fate.kept(judged.now).agg(F.max(wanted.column)).first()
    day = row[0] if row else None
    if newest is None or (day is not None and day >= newest - timedelta(days=wanted.within_days)):
        return ""
    return f"the newest {wanted.column} is {day}; wanted one at most {wanted.within_days} days before {newest}"


def _unusual(run: Run, name: str, judged: Judged, wanted: Volume) -> str:
    """Of the deliveries that are new, the first whose number of rows is not as promised."""
    before = [] if judged.then is None else _rows_before(run, name)
    for rows in _rows_of(judged.new):
        usual = median(before) if before else None
        low = max(wanted.at_least or 0, wanted.of_usual[0] * usual if wanted.of_usual and usual else 0)
        tops = (wanted.at_most, wanted.of_usual[1] * usual if wanted.of_usual and usual else None)
        high = min((top for top in tops if top is not None), default=None)
        if rows < low or (high is not None and rows > high):
            most = "" if high is None else f" and at most {high:,.0f}"
            return f"a delivery of {name} has {rows:,} rows; wanted at least {low:,.0f}{most}"
        before.append(rows)
    return ""


def _rows_before(run: Run, name: str) -> list[int]:
    if not run.lake.exists(DELIVERIES):
        return []
    known = run.read(DELIVERIES).where(F.col("source_table") == name).orderBy("delivery").select("raw")
    return [row.raw for row in known.collect()]


def _rows_of(rows: DataFrame) -> list[int]:
    """How many rows each delivery has, in order."""
    if versions.DELIVERY not in rows.columns:
        return [rows.count()]
    return [row["count"] for row in rows.groupBy(versions.DELIVERY).count().orderBy(versions.DELIVERY).collect()]


def _newest_sale(run: Run, judged: Mapping[str, Judged]) -> date | None:
    sold = [run.read(schemas.SALES)] if run.lake.exists(schemas.SALES) else []
    sold += [judged["sales"].kept] if "sales" in judged else []
    days = [row[0] for frame in sold if (row := frame.agg(F.max("sold_on")).first()) and row[0]]
    return max(days, default=None)


def _wanted(rule: Rule) -> str:
    told = getattr(rule, rule.check)
    if isinstance(told, tuple):
        return f"{rule.check} {', '.join(told)}"
    keys = {name: value for name, value in told.model_dump(mode="json").items() if value not in (None, [], ())}
    return f"{rule.check} {', '.join(f'{name} {value}' for name, value in keys.items())}"
