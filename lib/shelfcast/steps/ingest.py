"""sources -> raw/*"""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.sources import open_source
from shelfcast.sources.raw import as_raw, fingerprint, unknown_columns, without_persons


def job(config: Config) -> Job:
    raw = open_source(config).raw
    return Job("ingest", (), tuple(raw.values()), ("source",), ingest, dated=False, stamp=source_fingerprint)


def source_fingerprint(run: Run) -> str:
    source = open_source(run.config)
    return fingerprint(list(chain.from_iterable(source.files(name) for name in source.raw)))


def ingest(run: Run) -> None:
    """Side by side: a Parquet file of one row group is read by one core."""
    names = list(open_source(run.config).raw)
    with ThreadPoolExecutor(len(names)) as tables:
        list(tables.map(lambda name: _ingest_table(run, name), names))


def _ingest_table(run: Run, name: str) -> None:
    source = open_source(run.config)
    persons = run.config.source.persons
    batch_id = fingerprint(source.files(name))
    received = source.read(run.spark, name)
    extra = unknown_columns(without_persons(received, persons), source.raw[name])
    if extra:
        run.say(f"{name}: unknown columns kept in _extra: {', '.join(extra)}")
    run.write(source.raw[name], as_raw(received, source.raw[name], run.config.region, persons, batch_id))
