"""Builds the index of a region: a read-only file of SQLite made of what its newest publication names, whole or not at
all.

It is made under another name and then renamed: who looks for the index finds the old one or the new one.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from shelfcast.api.index.before import write_before
from shelfcast.api.index.champion import write_champion
from shelfcast.api.index.conditions import write_conditions
from shelfcast.api.index.contest import write_contest
from shelfcast.api.index.elasticity import write_elasticities
from shelfcast.api.index.parts import PACKED, ROWS
from shelfcast.api.index.sums import write_sums
from shelfcast.api.index.writing import insert, write_packed, write_rows
from shelfcast.api.reader import Lake, Publication, Snapshot
from shelfcast.code import code_version

_PART = ".part"
_UNPROTECTED = ("journal_mode = off", "synchronous = off", "cache_size = -200000", "temp_store = memory")


def index_name(publication: Publication) -> str:
    """The name of the file: the region, and what the index depends on. The same publication, read by the same code,
    has the same name."""
    told = {**asdict(publication), "tables": sorted(publication.tables.items()), "code": code_version(__name__)}
    digest = hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()[:16]
    return f"{publication.region}-{digest}.sqlite"


def build(lake: Lake, publication: Publication, folder: Path) -> Path:
    """Build the index of the publication into `folder`, and return its file.

    Raises LakeError, naming the table, where a version that is published is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / index_name(publication)
    part = path.with_suffix(f"{path.suffix}{_PART}{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        _write(lake, publication, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def remove_others(folder: Path, kept: Iterable[str], region: str) -> None:
    """Remove the region's indexes but those `kept`, and what builds that were killed have left of it."""
    for path in folder.glob(f"{region}-*.sqlite*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _write(lake: Lake, publication: Publication, path: Path) -> None:
    snapshot = lake.snapshot(publication)
    file = sqlite3.connect(path, isolation_level=None)
    try:
        for setting in _UNPROTECTED:
            file.execute(f"pragma {setting}")
        file.execute("begin")
        for packed in PACKED:
            write_packed(file, packed, *snapshot.rows(packed.source))
        for rows in ROWS:
            write_rows(file, rows, *snapshot.rows(rows.source))
        write_before(file, lake, publication.before)
        write_sums(file)
        _write_refusals(file, snapshot)
        write_contest(file, snapshot)
        write_champion(file, snapshot)
        write_conditions(file, snapshot)
        write_elasticities(file, snapshot)
        _write_lineage(file, snapshot)
        _write_origin(file, publication)
        file.execute("commit")
        file.execute("analyze")
    finally:
        file.close()
    _flush(path)


def _write_refusals(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    """How many rows each rule has refused."""
    file.execute("create table refusals (source_table, rule, rows, primary key (source_table, rule)) without rowid")
    for source in snapshot.rows("clean/quarantine"):
        rules = source.to_table(["source_table", "rule"]).group_by(["source_table", "rule"])
        counted = rules.aggregate([([], "count_all")])
        insert(file, "refusals", ("source_table", "rule", "rows"), zip(*counted.to_pydict().values(), strict=True))


def _write_lineage(file: sqlite3.Connection, snapshot: Snapshot) -> None:
    columns = ("table_name", "version", "run_key", "job", "code_version", "reads")
    file.execute(f"create table lineage ({', '.join(columns)}, primary key (table_name)) without rowid")
    commits = {name: snapshot.commit(name) for name in snapshot.publication.tables}
    told = [
        (name, snapshot.publication.tables[name], it.run_key, it.job, it.code_version, json.dumps(dict(it.reads)))
        for name, it in commits.items()
    ]
    insert(file, "lineage", columns, told)


def _write_origin(file: sqlite3.Connection, publication: Publication) -> None:
    """What the index is of, in one row."""
    columns = ("region", "forecast_date", "run_id", "published_at", "built_at", "last_week")
    file.execute(f"create table origin ({', '.join(columns)})")
    last = file.execute("select max(last_week) from series").fetchone()[0]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    day, at = publication.forecast_date.isoformat(), publication.published_at.isoformat()
    insert(file, "origin", columns, [(publication.region, day, publication.run_id, at, now, last)])


def _flush(path: Path) -> None:
    """Its bytes reach the disk before its name does."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
