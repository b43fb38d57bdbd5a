"""Rows of a database put into raw: whole where they are others than those of before, else what has come since."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.commits import Commit
from shelfcast.job import Run
from shelfcast.sources import ledger
from shelfcast.sources.ledger import BEGUN, NEWEST, Intake, Line
from shelfcast.sources.raw import METADATA, as_raw, without_persons
from shelfcast.sources.selections import Bound, Selected
from shelfcast.table import Table

# What a raw table's rows were selected by, of which its commits tell.
_DESCRIBED = "described"


@dataclass(frozen=True)
class Rows:
    """What a run is to put into a raw table, in the place of what there is where it is whole; as which delivery, and
    what its commit tells."""

    intake: Intake
    frame: DataFrame
    told: Mapping[str, object]
    is_whole: bool = False


def plan(run: Run, name: str, table: Table, selected: Selected, known: Sequence[Line]) -> Rows:
    """The rows of the overlap, and all that came after it, that the lake does not hold yet, each as often as it is
    there. A first reading, another selection, other `source.persons`, and a selection without a watermark are a table
    anew, whose first delivery is all. known: the table's lines that stand."""
    last, described = run.lake.last_commit(table, run.scope(table)), {_DESCRIBED: _described(run, selected)}
    goes_on = last is not None and _goes_on(last, described[_DESCRIBED], known)
    low = selected.resume(run.read(table)) if goes_on else None
    if last is None or low is None:
        intake = ledger.plan_rows(name, (), selected.origin, run.key)
        told = {**described, NEWEST: intake.delivery, BEGUN: run.key}
        return Rows(intake, _as_raw(run, table, _received(run, selected), intake.new[0].file), told, is_whole=True)
    new = _not_held(run, table, selected, low)
    if NEWEST not in last.note:
        # Begun before deliveries were told of, whose rows are of none: it goes on as it was.
        return Rows(Intake((), ()), _as_raw(run, table, new, selected.origin), described)
    if last.run_key == run.key or new.isEmpty():
        told = {**described, NEWEST: last.note[NEWEST], BEGUN: last.note[BEGUN]}
        return Rows(Intake(tuple(known), ()), run.spark.createDataFrame([], table.schema), told)
    intake = ledger.plan_rows(name, known, selected.origin, run.key)
    told = {**described, NEWEST: intake.delivery, BEGUN: last.note[BEGUN]}
    return Rows(intake, _as_raw(run, table, new, intake.new[0].file), told)


def take_in(run: Run, table: Table, rows: Rows) -> None:
    """Put the rows into the raw table, unless a run of the same key has done so before it was killed."""
    if run.has_written(table):
        return
    if rows.is_whole:
        run.write(table, rows.frame, **rows.told)
    else:
        run.append_once(table, rows.frame, **rows.told)


def _described(run: Run, selected: Selected) -> str:
    """The selection and what becomes of persons: of others, what the lake holds would be other rows. Where there are no
    persons it is the selection alone, as lakes of before tell it."""
    persons = run.config.source.persons
    return json.dumps([selected.described, persons], sort_keys=True) if persons else selected.described


def _goes_on(last: Commit, described: str, known: Sequence[Line]) -> bool:
    """Whether rows of the same selection are there, and the ledger's lines are theirs: a run that began the table anew
    and was killed before its rows were there has left others."""
    first = [line.batch_id for line in known if line.delivery == ledger.FIRST]
    is_told = NEWEST not in last.note or first == [ledger.begun_by(last.note[BEGUN])]
    return is_told and last.note.get(_DESCRIBED) == described


def _received(run: Run, selected: Selected, low: Bound | None = None) -> DataFrame:
    return without_persons(selected.rows(low), run.config.source.persons)


def _not_held(run: Run, table: Table, selected: Selected, low: Bound) -> DataFrame:
    rows = _received(run, selected, low)
    return rows.exceptAll(run.read(table).where(low.reached_by(str(selected.watermark))).select(*rows.columns))


def _as_raw(run: Run, table: Table, rows: DataFrame, origin: str) -> DataFrame:
    """rows: without persons."""
    told = rows.withColumn(METADATA, F.struct(F.lit(origin).alias("file_name")))
    return as_raw(told, table, run.config.region, {}, run.key)
