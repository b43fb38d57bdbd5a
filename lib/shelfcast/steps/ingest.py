"""sources -> raw/*"""

from collections.abc import Collection, Sequence
from functools import partial, reduce
from itertools import chain

from pyspark.sql import DataFrame

from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.session import side_by_side
from shelfcast.sources import open_source, selected_tables
from shelfcast.sources.raw import (
    as_raw,
    fingerprint,
    require_columns_of_persons,
    unknown_columns,
    without_persons,
)
from shelfcast.sources.selected_rows import take_in
from shelfcast.table import Table


def job(config: Config) -> Job:
    raw = open_source(config).raw
    return Job("ingest", (), tuple(raw.values()), ("source",), ingest, dated=False, stamp=source_fingerprint)


def source_fingerprint(run: Run) -> str:
    source = open_source(run.config)
    selected = selected_tables(run.spark, run.config).values()
    of_files = fingerprint(list(chain.from_iterable(source.files(name) for name in source.raw)))
    return " ".join([of_files, *[table.fingerprint() for table in selected]])


def ingest(run: Run) -> None:
    source, selected = open_source(run.config), selected_tables(run.spark, run.config)
    of_files = [name for name in source.raw if name not in selected]
    received = side_by_side(run.spark, *[partial(source.read, run.spark, name) for name in of_files])
    # Before the first write: what is in the lake once stays in its history.
    require_columns_of_persons(run.config.source.persons, _described(run.config), [*chain.from_iterable(received)])
    of_database = [partial(take_in, run, source.raw[name], table) for name, table in selected.items()]
    tables = zip(of_files, received, strict=True)
    side_by_side(run.spark, *[partial(_ingest_table, run, name, parts) for name, parts in tables], *of_database)


def _described(config: Config) -> Collection[Table]:
    """The raw tables with the columns of persons, as the source describes them."""
    whole = config.source.model_copy(update={"persons": {}})
    return open_source(config.model_copy(update={"source": whole})).raw.values()


def _ingest_table(run: Run, name: str, parts: Sequence[DataFrame]) -> None:
    source = open_source(run.config)
    persons = run.config.source.persons
    batch_id = fingerprint(source.files(name))
    received = [unknown_columns(without_persons(part, persons), source.raw[name]) for part in parts]
    extra = dict.fromkeys(chain.from_iterable(received))
    if extra:
        run.say(f"{name}: unknown columns kept in _extra: {', '.join(extra)}")
    raw = [as_raw(part, source.raw[name], run.config.region, persons, batch_id) for part in parts]
    run.write(source.raw[name], reduce(DataFrame.unionByName, raw))
