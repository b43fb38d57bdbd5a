"""The rows of a source table with their fates: all of them, or those that new deliveries bring and touch."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.cleaning import fate, versions
from shelfcast.cleaning.account import DELIVERIES
from shelfcast.job import Run
from shelfcast.judging.contracts import rules_of
from shelfcast.judging.rows import VERSIONED, judge, settle
from shelfcast.sources import open_source
from shelfcast.sources.ledger import FIRST, LEDGER
from shelfcast.sources.raw import BATCH


@dataclass(frozen=True)
class Judged:
    """now: the rows with their fates. then: those of them that were there before, with the fates that they had; None
    where all rows are judged. before: the newest delivery that was judged before; 0 where none counts."""

    now: DataFrame
    then: DataFrame | None = None
    before: int = 0

    @property
    def arrived(self) -> DataFrame:
        """The rows that came since."""
        return self.now.where(F.col(versions.DELIVERY) > self.before) if self.before else self.now

    @property
    def new(self) -> DataFrame:
        """The rows that no clean table has yet, or that are to be written anew."""
        return self.now if self.then is None else self.arrived

    @property
    def kept(self) -> DataFrame:
        """The new rows that a clean table takes."""
        return fate.kept(self.new)

    def staged(self, run: Run, name: str) -> "Judged":
        return replace(self, now=run.stage(name, self.now))


def judge_all(run: Run, name: str, last: int, sales_until: DataFrame | None = None) -> Judged:
    """Every row of a source table. last: its newest delivery; FIRST where there is no other. sales_until: as
    `clock.sales_until` has it."""
    raw = run.read(open_source(run.config).raw[name])
    if last <= FIRST:
        return Judged(settle(run.config, name, judge(run.config, name, raw, keys=_keys(run, name))))
    deliveries = deliveries_of(run, name)
    judged = judge(run.config, name, raw, deliveries, _keys(run, name))
    if name in VERSIONED:
        until = versions.told_until(judged, deliveries)
        judged = versions.with_known_days(judged, until, _beside(deliveries, sales_until))
    return Judged(settle(run.config, name, judged))


def judge_new(run: Run, name: str, before: int, sales_until: DataFrame | None = None) -> Judged:
    """The rows of the deliveries after `before`, and those of the same keys that came earlier. sales_until: as
    `clock.sales_until` has it."""
    deliveries, keys = deliveries_of(run, name), _keys(run, name)
    since = deliveries.where(F.col(versions.DELIVERY) > before)
    batches = [row[0] for row in since.select("batch_id").distinct().collect()]
    raw, is_new = run.read(open_source(run.config).raw[name]), F.col(BATCH).isin(*batches)
    fresh = run.stage(f"fresh_{name}", judge(run.config, name, raw.where(is_new), deliveries, keys))
    older = _touched(run, name, raw.where(~is_new), fresh)
    judged = fresh if older is None else fresh.unionByName(judge(run.config, name, older, deliveries, keys))
    if name in VERSIONED:
        told = told_before(run, name, before)
        until = versions.days_of(deliveries.where(F.col(versions.DELIVERY) <= before), told)
        until = until.unionByName(versions.told_until(fresh, since))
        judged = versions.with_known_days(judged, until, _beside(deliveries, sales_until))
    judged = run.stage(f"touched_{name}", judged)
    then = settle(run.config, name, judged.where(F.col(versions.DELIVERY) <= before))
    return Judged(run.stage(f"judged_{name}", settle(run.config, name, judged)), then, before)


def told_before(run: Run, name: str, until: int | None = None) -> DataFrame:
    """The newest day that each delivery of a source table tells of, up to delivery `until`, as the account has it:
    DELIVERY, `_newest`."""
    told = run.read(DELIVERIES).where(F.col("source_table") == name)
    told = told if until is None else told.where(F.col("delivery") <= until)
    return told.select(F.col("delivery").alias(versions.DELIVERY), F.col("told_until").alias("_newest"))


def _beside(deliveries: DataFrame, sales_until: DataFrame | None) -> DataFrame | None:
    return None if sales_until is None else versions.sales_beside(deliveries, sales_until)


def _touched(run: Run, name: str, raw: DataFrame, fresh: DataFrame) -> DataFrame | None:
    """The raw rows of the business keys that new rows have, of which the others tell no more than their key; None where
    rows have none."""
    key = run.config.cleaning.key_of(name)
    if not key:
        return None
    own = {column: F.col(column).alias(f"_of_{column}") for column in key}
    keys = fresh.where(F.col("_fate") == fate.CLEAN).select(*own.values()).distinct()
    canonical = open_source(run.config).canonical(name, raw).select("_raw", *key)
    # What goes on everywhere is of no store: of its key a part is null.
    same = [F.col(column).eqNullSafe(F.col(f"_of_{column}")) for column in key]
    return canonical.join(keys, reduce(and_, same), how="semi").select("_raw.*")


def _keys(run: Run, name: str) -> dict[str, DataFrame]:
    """What each rule of the table that refers to another one is looked up in: the values received there."""
    source, found = open_source(run.config), {}
    for rule in rules_of(run.config, name, "reference"):
        if rule.reference and rule.reference.table:
            told = source.canonical(rule.reference.table, run.read(source.raw[rule.reference.table]))
            found[rule.name] = told.select(rule.reference.key or rule.reference.column)
    return found


def deliveries_of(run: Run, name: str) -> DataFrame:
    """The files of a source table, as `versions.as_deliveries` has them; none of a table that comes in no files."""
    return versions.as_deliveries(run.read(LEDGER).where(F.col("source_table") == name))
