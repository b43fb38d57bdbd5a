"""Rows of a database put into raw: whole where they are others than those of before, else what has come since."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.job import Run
from shelfcast.sources.raw import METADATA, as_raw, without_persons
from shelfcast.sources.selections import Selected
from shelfcast.table import Table


def take_in(run: Run, table: Table, selected: Selected) -> None:
    """Append the rows of the overlap, and all that came after it, that the lake does not hold yet, each as often as it
    is there. A first reading, another selection, and one without a watermark replace what there is."""
    last = run.lake.last_commit(table, run.scope(table))
    is_same = last is not None and last.note.get("described") == selected.described
    low = selected.resume(run.read(table)) if is_same else None
    rows = without_persons(selected.rows(low), run.config.source.persons)
    if low is None:
        run.write(table, _as_raw(run, table, rows, selected.origin), described=selected.described)
        return
    held = run.read(table).where(low.reached_by(str(selected.watermark)))
    new = rows.exceptAll(held.select(*rows.columns))
    run.append_once(table, _as_raw(run, table, new, selected.origin), described=selected.described)


def _as_raw(run: Run, table: Table, rows: DataFrame, origin: str) -> DataFrame:
    """rows: without persons."""
    told = rows.withColumn(METADATA, F.struct(F.lit(origin).alias("file_name")))
    return as_raw(told, table, run.config.region, {}, run.key)
