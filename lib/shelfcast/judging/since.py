"""What of the source was judged by the last run, and whether what came since can be judged by itself."""

from collections.abc import Mapping

from pyspark.sql import functions as F

from shelfcast.cleaning.versions import is_again
from shelfcast.commits import Commit
from shelfcast.job import Run
from shelfcast.sources import open_source
from shelfcast.sources.ledger import BEGUN, FIRST, LEDGER, NEWEST
from shelfcast.table import Table


def last_deliveries(run: Run) -> dict[str, int]:
    """The newest delivery of each source table; FIRST of one that is no files, and has none."""
    return {name: int(_last(run, table).note.get(NEWEST, FIRST)) for name, table in open_source(run.config).raw.items()}


def judged_before(run: Run) -> dict[str, int] | None:
    """The newest delivery of each source table that the clean tables hold; None where all is to be judged anew: by
    other rules, after a run that was killed and whose source has changed since, or because a file came again."""
    # Whether a value was there before is asked of all rows.
    if any(rule.unique for rule in run.config.contracts):
        return None
    commits = [run.lake.last_commit(table, run.scope(table)) for table in run.job.writes]
    if not all(commit and commit.note.get("made_for") == run.made_for for commit in commits):
        return None
    older = {commit.run_key: commit for commit in commits if commit and commit.run_key != run.key}
    if len(older) != 1:
        return None
    (base,) = older.values()
    before = {name: _delivery_at(run, table, base) for name, table in open_source(run.config).raw.items()}
    known = {name: delivery for name, delivery in before.items() if delivery is not None}
    return known if len(known) == len(before) and not _came_again(run, known) else None


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


def _last(run: Run, table: Table) -> Commit:
    """The run could not have begun without one."""
    commit = run.lake.last_commit(table, run.scope(table))
    assert commit is not None
    return commit
