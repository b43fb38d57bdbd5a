"""sources -> raw/*, raw/ledger"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial, reduce
from itertools import chain, groupby
from typing import Any

from pyspark.sql import DataFrame

from shelfcast.config import Config
from shelfcast.errors import SchemaError, SourceError
from shelfcast.inbox import reachable
from shelfcast.job import Job, Run
from shelfcast.session import side_by_side
from shelfcast.settings.source import plain_name
from shelfcast.sources import Source, ledger, open_source, selected_tables
from shelfcast.sources.clock import SALES, beside_sales
from shelfcast.sources.files import content_hashes
from shelfcast.sources.ledger import BEGUN, LEDGER, NEWEST, Intake, Line
from shelfcast.sources.person_key import keep_mark
from shelfcast.sources.raw import (
    as_raw,
    lacking_persons,
    persons_in,
    require_columns_of_persons,
    unknown_columns,
    without_persons,
    without_strangers,
)
from shelfcast.sources.selected_rows import Rows, plan, take_in
from shelfcast.sources.selections import Selected
from shelfcast.table import Table

# How a raw table was read, of which its commits tell; and of columns that the configuration named later, the newest
# delivery before that: its files and older ones may lack them.
_READ_AS, _RECEIVED, _NAMED_AFTER = "read_as", "received", "named_after"
# Persons' columns that its deliveries have had.
_OF_PERSONS = "columns_of_persons"


def job(config: Config) -> Job:
    raw = open_source(config).raw
    return Job("ingest", (), (*raw.values(), LEDGER), ("source",), ingest, dated=False, stamp=source_fingerprint)


def source_fingerprint(run: Run) -> str:
    source, selected = open_source(run.config), selected_tables(run.spark, run.config)
    intakes = plan_intakes(run, source, selected)
    of_files = ledger.fingerprint(chain.from_iterable((*each.known, *each.new) for each in intakes.values()))
    return " ".join([of_files, *[table.fingerprint() for table in selected.values()]])


def ingest(run: Run) -> None:
    """Take in what is new of files and of a database, of which the ledger tells first and each raw table's own commit
    makes it true."""
    source, selected = open_source(run.config), selected_tables(run.spark, run.config)
    intakes = plan_intakes(run, source, selected)
    named_after = {name: _named_after(run, source, name) for name in intakes}
    received = side_by_side(
        run.spark, *[partial(_read, run, name, intake, named_after[name]) for name, intake in intakes.items()]
    )
    if not any(intake.known for intake in intakes.values()):
        # Before the first write: what is in the lake once stays in its history.
        frames = [part for parts in received for _, part in parts]
        require_columns_of_persons(run.config.source.persons, _described(run.config), frames)
    if "hash" in run.config.source.persons.values():
        keep_mark(run.lake, run.config.region)
    rows = plan_rows(run, source, selected)
    newest = {name: _newest_before(run, table, is_selected=name in rows) for name, table in source.raw.items()}
    # Sales that are read whole are one delivery, and none of those of before is there.
    if are_whole := SALES in rows and rows[SALES].is_whole:
        newest[SALES] = 0
    taken = beside_sales({**intakes, **{name: each.intake for name, each in rows.items()}}, newest)
    ledger.write(run, taken, source.raw, timed=not are_whole)
    of_files = [
        partial(_append, run, name, intake, named_after[name], parts)
        for (name, intake), parts in zip(intakes.items(), received, strict=True)
    ]
    of_database = [partial(take_in, run, source.raw[name], each) for name, each in rows.items()]
    side_by_side(run.spark, *of_files, *of_database)


def plan_intakes(run: Run, source: Source, selected: Collection[str]) -> Mapping[str, Intake]:
    """What is new of each source table that comes in files, and is not `selected` from a database."""
    notes = {name: _note(run, table) for name, table in source.raw.items() if name not in selected}
    lines = _lines(run, notes)
    return {name: _plan(run, source, name, lines.get(name, []), note) for name, note in notes.items()}


def plan_rows(run: Run, source: Source, selected: Mapping[str, Selected]) -> Mapping[str, Rows]:
    """What is to be taken in of each source table that is `selected` from a database."""
    lines = _lines(run, {name: _note(run, source.raw[name]) for name in selected})
    return {name: plan(run, name, source.raw[name], each, lines.get(name, [])) for name, each in selected.items()}


def _lines(run: Run, notes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Line]]:
    """The lines of the ledger that stand. notes: of each source table's last commit."""
    return ledger.read(run, {name: int(note.get(NEWEST, 0)) for name, note in notes.items()})


def _plan(run: Run, source: Source, name: str, known: Sequence[Line], note: Mapping[str, Any]) -> Intake:
    found = source.found(name, is_needed=not known)
    intake = ledger.plan(name, known, found, partial(content_hashes, run.spark), int(note.get(NEWEST, 0)))
    was_read_as, read_as = note.get(_READ_AS), source.read_as(name)
    # Appended, a Delta table would be in the lake once more for each of its commits.
    is_whole = read_as["format"] == "delta" and intake.comes_again
    if not known or (was_read_as == read_as and not is_whole):
        return intake
    try:
        return ledger.plan_anew(intake, found, is_whole)
    except SourceError as gone:
        # What came before has nothing to tell of a column that the configuration names since.
        if is_whole or not _has_gained(was_read_as, read_as):
            raise
        run.say(f"{gone}; its rows stay as they are, without the further columns")
        return intake


def _has_gained(before: Any, now: Mapping[str, Any]) -> bool:
    """Whether all that is read in another way is columns that were not read before."""
    if before is None or {**before, _RECEIVED: {}} != {**now, _RECEIVED: {}}:
        return False
    return bool({*before[_RECEIVED].items()} <= {*now[_RECEIVED].items()})


def _named_after(run: Run, source: Source, name: str) -> dict[str, int]:
    """Column that the configuration named later -> the newest delivery before that."""
    note, read_as = _note(run, source.raw[name]), source.read_as(name)
    before: Any = note.get(_READ_AS)
    known = {column: last for column, last in note.get(_NAMED_AFTER, {}).items() if column in read_as[_RECEIVED]}
    if not _has_gained(before, read_as):
        return known
    return known | dict.fromkeys({*read_as[_RECEIVED]} - {*before[_RECEIVED]}, int(note[NEWEST]))


def _note(run: Run, table: Table) -> Mapping[str, Any]:
    commit = run.lake.last_commit(table, run.scope(table))
    return commit.note if commit else {}


def _newest_before(run: Run, table: Table, *, is_selected: bool) -> int:
    """The newest delivery that the raw table had before this run, which may have been killed after it wrote it; 0
    where that was a database's table begun anew, of whose deliveries none is there."""
    last = commit = run.lake.last_commit(table, run.scope(table))
    if last and last.run_key == run.key:
        commit = run.lake.last_commit(table, run.scope(table), until=last.version - 1)
    if commit is None or last is None or (is_selected and commit.note.get(BEGUN) != last.note.get(BEGUN)):
        return 0
    return int(commit.note.get(NEWEST, 0))


def _read(run: Run, name: str, intake: Intake, named_after: Mapping[str, int]) -> list[tuple[str, DataFrame]]:
    """What is new as received, in parts, each with the name of its delivery. Raises SchemaError where a column that was
    named later is in none."""
    source, found = open_source(run.config), []

    def read_as(line: Line) -> tuple[str, frozenset[str]]:
        return line.batch_id, frozenset(column for column, last in named_after.items() if line.delivery <= last)

    for (batch_id, spare), lines in groupby(intake.to_read, key=read_as):
        files = reachable(run, [line.path for line in lines])
        found += [(batch_id, part) for part in source.read(run.spark, name, files, spare)]
    told = {column for _, part in found for column in part.columns}
    if found and (nowhere := [column for column in named_after if plain_name(column) not in told]):
        raise SchemaError(f"{name}: no column {', '.join(nowhere)} in any file; found {', '.join(sorted(told))}")
    return found


def _append(
    run: Run, name: str, intake: Intake, named_after: Mapping[str, int], received: Sequence[tuple[str, DataFrame]]
) -> None:
    """Put what is new into the raw table, unless a run of the same key has done so before it was killed. The commit
    names the delivery even where nothing is new."""
    source, persons, region = open_source(run.config), run.config.source.persons, run.config.region
    table = source.raw[name]
    if run.has_written(table):
        return
    before = _persons_before(run, table) if intake.known else set()
    of_persons = before.union(*[persons_in(part, persons) for _, part in received])
    _tell_unknown(run, name, table, of_persons, [part for _, part in received])
    none = run.spark.createDataFrame([], table.schema)
    spare = {plain_name(column) for column in named_after}
    parts = [
        as_raw(without_strangers(part, table, persons, of_persons), table, region, persons, batch_id, spare)
        for batch_id, part in received
    ]
    raw = reduce(DataFrame.unionByName, parts or [none])
    told = {NEWEST: intake.delivery, _READ_AS: source.read_as(name), _NAMED_AFTER: named_after}
    told |= {_OF_PERSONS: sorted(of_persons)} if received or _OF_PERSONS in _note(run, table) else {}
    if intake.known:
        run.append_once(table, raw, **told, **{BEGUN: _note(run, table)[BEGUN]})
    else:
        run.write(table, raw, **told, **{BEGUN: run.key})


def _persons_before(run: Run, table: Table) -> set[str]:
    """Persons' columns that the table's deliveries have had. Of a lake of before, which does not tell, all that are not
    known for another table's."""
    note = _note(run, table)
    if _OF_PERSONS in note:
        return {*note[_OF_PERSONS]}
    described = {each.name: {name.casefold() for name in each.names} for each in _described(run.config)}
    own = described.pop(table.name)
    named = {plain_name(name).casefold() for name in run.config.source.persons}
    return {name for name in named if name in own or not any(name in others for others in described.values())}


def _tell_unknown(
    run: Run, name: str, table: Table, of_persons: Collection[str], received: Sequence[DataFrame]
) -> None:
    """Say which columns are kept in `_extra`, and which of them without their values."""
    persons = run.config.source.persons
    kept: dict[str, str] = {}
    for part in received:
        lacking = lacking_persons(part, persons, of_persons)
        fate = f"withheld, since {', '.join(lacking)} of source.persons is not there" if lacking else "kept in _extra"
        kept |= dict.fromkeys(unknown_columns(without_persons(part, persons), table), fate)
    for fate in sorted({*kept.values()}):
        run.say(f"{name}: unknown columns {fate}: {', '.join(column for column in kept if kept[column] == fate)}")


def _described(config: Config) -> Collection[Table]:
    """The raw tables with the columns of persons, as the source describes them."""
    whole = config.source.model_copy(update={"persons": {}})
    return open_source(config.model_copy(update={"source": whole})).raw.values()
