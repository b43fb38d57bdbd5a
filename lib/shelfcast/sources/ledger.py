"""The ledger of a source's files: which were taken in, when, and with what content. A file is received once.

A line stands where the raw table's own last commit names its delivery, or a later one: that commit is what puts rows
into the lake, and a run that was killed before it has told of a delivery that never was.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from shelfcast.errors import SourceError
from shelfcast.job import Run
from shelfcast.sources.files import Found
from shelfcast.table import Table

# Paths -> a hash of what each file holds, by its path.
Hashes = Callable[[Sequence[str]], Mapping[str, str]]
FIRST = 1
# What a raw table's commits tell: the newest delivery that is in it, and the run that read it from the first one on.
NEWEST, BEGUN = "delivery", "begun"
LEDGER = Table(
    "raw/ledger",
    # A delivery is what one run took in of a source table: FIRST, 2 ... batch_id names it in the raw rows. content: a
    # hash. copy_of: the file that was read with the same content, and is not read again for this one. delivered_on: as
    # the file's name tells.
    "region string, source_table string, delivery bigint, batch_id string, file string, content string, bytes bigint, "
    "modified bigint, copy_of string, delivered_on date",
    key=("region", "source_table", "delivery", "file"),
    operational=("modified",),
)


@dataclass(frozen=True)
class Line:
    """A line of the ledger but for the region. modified: nanoseconds of the file's clock; path: where the file is,
    while it is there."""

    source_table: str
    delivery: int
    batch_id: str
    file: str
    content: str
    bytes: int
    modified: int
    copy_of: str | None = None
    delivered_on: date | None = None
    path: str = ""


@dataclass(frozen=True)
class Intake:
    """What is to be taken in of one source table: the lines that stand, and those that are new."""

    known: tuple[Line, ...]
    new: tuple[Line, ...]

    @property
    def to_read(self) -> list[Line]:
        """The new files, by their delivery; a copy says nothing that is not read elsewhere."""
        return sorted((line for line in self.new if line.copy_of is None), key=lambda line: line.delivery)

    @property
    def delivery(self) -> int:
        """The newest delivery, once this is taken in."""
        return max((line.delivery for line in (*self.known, *self.new)), default=0)


def plan(source_table: str, known: Sequence[Line], found: Sequence[Found], hash_all: Hashes) -> Intake:
    """What of `found` is new: a file that was never there, or has another content now. Raises SourceError where two
    have one name."""
    _require_names(source_table, found)
    newest = {line.file: line for line in sorted(known, key=lambda line: line.delivery)}
    contents = _contents(found, newest, hash_all)
    fresh = [file for file in found if not _is_known(newest.get(file.name), contents[file.name])]
    names = {file.name for file in fresh}
    standing = [line for line in newest.values() if line.file not in names]
    delivery = max((line.delivery for line in known), default=FIRST - 1) + 1
    lines = [
        Line(
            source_table, delivery, "", file.name, contents[file.name], file.bytes, file.modified,
            delivered_on=file.delivered_on, path=file.path,
        )
        for file in fresh
    ]  # fmt: skip
    lines = _with_copies(lines, {line.content: line.copy_of or line.file for line in standing})
    batch_id = fingerprint(lines)
    return Intake(tuple(known), tuple(replace(line, batch_id=batch_id) for line in lines))


def plan_anew(intake: Intake, found: Sequence[Found]) -> Intake:
    """The same deliveries, to be read again from the first on, each file as it came last.

    Raises SourceError where one is not there any more.
    """
    paths = {file.name: file.path for file in found}
    newest = {line.file: line for line in sorted((*intake.known, *intake.new), key=lambda line: line.delivery)}
    if gone := sorted({*newest} - {*paths}):
        raise SourceError(
            f"{newest[gone[0]].source_table}: {', '.join(gone)} came before and is not there now; wanted it again, "
            f"since the configuration reads the table in another way"
        )
    lines = [replace(line, path=paths[name]) for name, line in newest.items()]
    return Intake((), tuple(_with_copies(sorted(lines, key=lambda line: line.delivery), {})))


def read(run: Run, deliveries: Mapping[str, int]) -> dict[str, list[Line]]:
    """The lines that stand, by source table. deliveries: source table -> the newest one that its raw table has."""
    if not run.lake.exists(LEDGER):
        return {}
    lines = [Line(**row.asDict()) for row in run.read(LEDGER).drop("region").collect()]
    return {
        name: [line for line in lines if line.source_table == name and line.delivery <= delivery]
        for name, delivery in deliveries.items()
    }


def write(run: Run, intakes: Mapping[str, Intake]) -> None:
    """All lines, the new ones with the others, in one commit."""
    lines = [line for intake in intakes.values() for line in (*intake.known, *intake.new)]
    rows = [(run.config.region, *(getattr(line, name) for name in LEDGER.names[1:])) for line in lines]
    run.write(LEDGER, run.spark.createDataFrame(rows, LEDGER.schema))


def fingerprint(lines: Iterable[Line]) -> str:
    """A hash of the names and contents: the same files again are no news."""
    told = sorted((line.source_table, line.delivery, line.file, line.content) for line in lines)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _is_known(line: Line | None, content: str) -> bool:
    return line is not None and line.content == content


def _with_copies(lines: Iterable[Line], told: Mapping[str, str]) -> list[Line]:
    """The lines with the file that each is a copy of. told: content -> the file that was read with it before."""
    told, found = dict(told), []
    for line in lines:
        found.append(replace(line, copy_of=told.get(line.content)))
        told.setdefault(line.content, line.file)
    return found


def _contents(found: Sequence[Found], newest: Mapping[str, Line], hash_all: Hashes) -> dict[str, str]:
    """File -> its content, which is not read for where it is told, or size and time are those of before."""
    told = {file.name: file.content or _as_before(file, newest.get(file.name)) for file in found}
    hashed = hash_all([file.path for file in found if told[file.name] is None])
    return {file.name: told[file.name] or hashed[file.path] for file in found}


def _as_before(file: Found, known: Line | None) -> str | None:
    is_same = known is not None and (known.bytes, known.modified) == (file.bytes, file.modified)
    return known.content if known is not None and is_same else None


def _require_names(source_table: str, found: Sequence[Found]) -> None:
    paths: dict[str, str] = {}
    for file in found:
        if file.name in paths:
            raise SourceError(
                f"{source_table}: two files of one name, {paths[file.name]} and {file.path}; wanted one each"
            )
        paths[file.name] = file.path
