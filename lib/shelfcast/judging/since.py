"""What of the source was judged by the last run, and whether what came since can be judged by itself."""

from collections.abc import Mapping

from pyspark.sql import functions as F

from shelfcast.cleaning.versions import is_again
from shelfcast.commits import Commit
from shelfcast.job import Run
from shelfcast.judging.contracts import RESULTS
from shelfcast.sources import open_source
from shelfcast.sources.ledger import BEGUN, FIRST, LEDGER, NEWEST
from shelfcast.table import Table


def last_deliveries(run: Run) -> dict[str, int]:
    """The newest delivery of each source table; FIRST of one that is no files, and has none."""
    return {name: int(_last(run, table).note.get(NEWEST, FIRST)) for name, table in open_source(run.config).raw.items()}


def judged_before(run: Run) -> dict[str, int] | None:
    """The newest delivery of each source table that the clean tables hold; None where all is to be judged anew: by
    other rules, after a run that was killed and whose source has changed since, because a file came again, or because
    rows that were put aside may be in order now."""
    # Whether a value was there before is asked of all rows.
    if any(rule.unique for rule in run.config.contracts):
        return None
    # A run that a fatal rule has ended tells what it found, and has written no clean table.
    clean = [table for table in run.job.writes if table != RESULTS]
    commits = [run.lake.last_commit(table, run.scope(table)) for table in clean]
    if not all(commit and commit.note.get("made_for") == run.made_for for commit in commits):
        return None
    older = {commit.run_key: commit for commit in commits if commit and commit.run_key != run.key}
    if len(older) != 1:
        return None
    (base,) = older.values()
    before = {name: _delivery_at(run, table, base) for name, table in open_source(run.config).raw.items()}
    known = {name: delivery for name, delivery in before.items() if delivery is not None}
    if len(known) < len(before) or _came_again(run, known) or _has_more_to_look_up(run, known):
        return None
    return known


def _delivery_at(run: Run, table: Table, base: Commit) -> int | None:
    """The newest delivery that the raw table had when `base` was made of it; None where it was begun anew since, or is
    of no files."""
    version = base.note.get("reads", {}).get(table.name)
    if version is None:
        return None
    then, now = run.lake.commit(table, version).note, _last(run, table).note
    return int(then[NEWEST]) if BEGUN in then and then[BEGUN] == now.get(BEGUN) else None


def _came_again(run: Run, before: Mapping[str, int]) -> bool:
    since = [(F.col("source_table") == name) & (F.col("delivery") > delivery) for name, delivery in before.items()]
    again = is_again(run.read(LEDGER)).where(since[0])
    for other in since[1:]:
        again = again.unionByName(is_again(run.read(LEDGER)).where(other))
    return not again.isEmpty()


def _has_more_to_look_up(run: Run, before: Mapping[str, int]) -> bool:
    """Whether a table has a new delivery that tells which rows of others are put aside."""
    references = [rule.reference for rule in run.config.contracts if rule.severity == "quarantine" and rule.reference]
    last = last_deliveries(run)
    return any(last[each.table] > before[each.table] for each in references if each.table)


def _last(run: Run, table: Table) -> Commit:
    """The run could not have begun without one."""
    commit = run.lake.last_commit(table, run.scope(table))
    assert commit is not None
    return commit
