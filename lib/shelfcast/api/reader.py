"""The lake as readers without Spark see it, through delta-rs: the only module that names deltalake.

Tables are known here by their names, each opened at the version that its region's newest publication names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from shelfcast import artefacts, storage
from shelfcast.errors import LakeError

PUBLICATIONS = "monitoring/publications"
_COLUMNS = ["region", "forecast_date", "run_id", "published_at", "tables"]


@dataclass(frozen=True)
class Publication:
    """A row of monitoring/publications. published_at: in UTC. tables: name -> version. before: the newest of an earlier
    day."""

    region: str
    forecast_date: date
    run_id: str
    published_at: datetime
    tables: Mapping[str, int]
    before: "Publication | None" = None


@dataclass(frozen=True)
class Commit:
    """Which run wrote a version of a table, from which versions of others, by which code; null where its commit does
    not say."""

    version: int
    run_key: str | None
    job: str | None
    code_version: str | None
    reads: Mapping[str, int]


class Lake:
    """The tables under one root: a folder, or an address that delta-rs knows."""

    def __init__(self, root: str) -> None:
        # Spark's s3a is s3 to delta-rs.
        self.root = root.rstrip("/").replace("s3a://", "s3://", 1)

    def newest_publications(self) -> dict[str, Publication]:
        """Of each region the newest publication: of the newest day, and of those of one day the last.

        Raises LakeError where the lake is not there or cannot be read; a lake in which nothing is published yet is an
        empty one.
        """
        if not storage.is_remote(self.root) and not Path(self.root).is_dir():
            raise LakeError(f"lake {self.root}: not there; wanted the folder that the jobs of its regions have made")
        try:
            table = DeltaTable(f"{self.root}/{PUBLICATIONS}")
            rows = table.to_pyarrow_dataset().to_table(_COLUMNS).to_pylist()
        except TableNotFoundError:
            return {}
        except (DeltaError, OSError) as error:
            raise LakeError(f"lake {self.root}: {PUBLICATIONS} cannot be read: {_in_a_line(error)}") from None
        found: dict[str, Publication] = {}
        for row in sorted(
            map(_as_publication, rows), key=lambda row: (row.forecast_date, row.published_at, row.run_id)
        ):
            found[row.region] = replace(row, before=_before(row, found.get(row.region)))
        return found

    def snapshot(self, publication: Publication) -> "Snapshot":
        return Snapshot(self.root, publication)


@dataclass(frozen=True)
class Snapshot:
    """The tables of one publication: rows of its region, and of a table kept by date those of its day."""

    root: str
    publication: Publication

    def rows(self, table: str) -> list[ds.Dataset]:
        """The rows of `table` as published; nothing where the publication has no such table.

        Raises LakeError where the version is not there (any more).
        """
        version = self.publication.tables.get(table)
        if version is None:
            return []
        try:
            opened = self._open(table, version)
            kept_by = set(opened.metadata().partition_columns)
            wanted = {"region": self.publication.region, "forecast_date": self.publication.forecast_date.isoformat()}
            partition = [(name, "=", value) for name, value in wanted.items() if name in kept_by]
            return [opened.to_pyarrow_dataset(file_pruning_predicate=partition)]
        except (DeltaError, OSError) as error:
            raise LakeError(f"table {table}: version {version} cannot be read: {_in_a_line(error)}") from None

    def file(self, name: str) -> bytes | None:
        """A file of the lake that is no table, by its address or its path below the root; None where it is gone."""
        uri = storage.address(self.root, name)
        return artefacts.read_bytes(uri) if artefacts.exists(uri) else None

    def commit(self, table: str) -> Commit:
        """The commit by which the published rows came: the newest up to the version that names its run. Upkeep, such as
        OPTIMIZE, names none."""
        version = self.publication.tables[table]
        try:
            history = self._open(table, version).history()
        except (DeltaError, OSError) as error:
            raise LakeError(f"table {table}: version {version} cannot be read: {_in_a_line(error)}") from None
        told = ((int(entry["version"]), _note(entry)) for entry in history)
        found = next(((at, note) for at, note in told if self._is_own(note)), (version, {}))
        return _as_commit(*found)

    def _is_own(self, note: Mapping[str, Any]) -> bool:
        scope = {"region": self.publication.region, "forecast_date": str(self.publication.forecast_date)}
        return "run_key" in note and all(scope.get(name) == value for name, value in note.get("scope", {}).items())

    def _open(self, table: str, version: int) -> DeltaTable:
        return DeltaTable(f"{self.root}/{table}", version=version)


def _as_publication(row: Mapping[str, Any]) -> Publication:
    published_at = row["published_at"]
    aware = published_at if published_at.tzinfo else published_at.replace(tzinfo=UTC)
    return Publication(row["region"], row["forecast_date"], row["run_id"], aware.astimezone(UTC), dict(row["tables"]))


def _before(row: Publication, last: Publication | None) -> Publication | None:
    """last: the one before it in time, which may be of the same day."""
    if last is None or last.forecast_date == row.forecast_date:
        return last.before if last else None
    return replace(last, before=None)


def _note(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the run noted in its commit."""
    note = json.loads(entry.get("userMetadata") or "{}")
    return note if isinstance(note, dict) else {}


def _as_commit(version: int, note: Mapping[str, Any]) -> Commit:
    return Commit(version, note.get("run_key"), note.get("job"), note.get("code_version"), dict(note.get("reads", {})))


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
