"""sources -> raw/*"""

from functools import partial, reduce
from itertools import chain

from pyspark.sql import DataFrame

from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.session import side_by_side
from shelfcast.sources import open_source
from shelfcast.sources.raw import as_raw, fingerprint, unknown_columns, without_persons


def job(config: Config) -> Job:
    raw = open_source(config).raw
    return Job("ingest", (), tuple(raw.values()), ("source",), ingest, dated=False, stamp=source_fingerprint)


def source_fingerprint(run: Run) -> str:
    source = open_source(run.config)
    return fingerprint(list(chain.from_iterable(source.files(name) for name in source.raw)))


def ingest(run: Run) -> None:
    names = open_source(run.config).raw
    side_by_side(run.spark, *[partial(_ingest_table, run, name) for name in names])


def _ingest_table(run: Run, name: str) -> None:
    source = open_source(run.config)
    persons = run.config.source.persons
    batch_id = fingerprint(source.files(name))
    parts = source.read(run.spark, name)
    extra = unknown_columns(without_persons(parts[0], persons), source.raw[name])
    if extra:
        run.say(f"{name}: unknown columns kept in _extra: {', '.join(extra)}")
    raw = [as_raw(part, source.raw[name], run.config.region, persons, batch_id) for part in parts]
    run.write(source.raw[name], reduce(DataFrame.unionByName, raw))
