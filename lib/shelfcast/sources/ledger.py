"""The ledger of a source's files: which were taken in, when, and with what content. A file is received once. Rows of a
database that came together are a line too.

A line stands where the raw table's own last commit names its delivery, or a later one: that commit is what puts rows
into the lake, and a run that was killed before it has told of a delivery that never was.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from operator import or_
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import SourceError
from shelfcast.job import Run
from shelfcast.sources.files import Found
from shelfcast.storage import is_passed_over
from shelfcast.table import Table

# Paths -> a hash of what each file holds, by its path.
Hashes = Callable[[Sequence[str]], Mapping[str, str]]
FIRST = 1
_ANEW = "the configuration reads the table in another way"
_AS_ONE = "one of the tables has changed, and all are read whole"
# What a raw table's commits tell: the newest delivery that is in it, and the run that read it from the first one on.
NEWEST, BEGUN = "delivery", "begun"
_REWRITTEN = "/"
# A catalogue may return to what it told before: that is news. What it tells again has the same key.
_RETURNING = "products"
LEDGER = Table(
    "raw/ledger",
    # A delivery is what one run took in of a source table, and of files whose names tell their days, of one of them:
    # FIRST, 2 ... batch_id names the run in the raw rows. content: a hash. copy_of: the file that was read with it, and
    # is not read again for this one. delivered_on: as the file's name tells. after_sales, with_sales: the newest
    # delivery of sales before this one, and with it (`clock`); null where rows are known from their own days.
    "region string, source_table string, delivery bigint, batch_id string, file string, content string, bytes bigint, "
    "modified bigint, copy_of string, delivered_on date, after_sales bigint, with_sales bigint",
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
    after_sales: int | None = None
    with_sales: int | None = None
    path: str = ""

    @property
    def untimed(self) -> "Line":
        return replace(self, after_sales=None, with_sales=None)


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
    def comes_again(self) -> bool:
        """Whether a file that was known has another content now."""
        return not {line.file for line in self.known}.isdisjoint(line.file for line in self.new)

    @property
    def delivery(self) -> int:
        """The newest delivery, once this is taken in."""
        return max((line.delivery for line in (*self.known, *self.new)), default=0)


def plan(
    source_table: str, known: Sequence[Line], found: Sequence[Found], hash_all: Hashes, newest_in_raw: int = FIRST - 1
) -> Intake:
    """What of `found` is new: a file that was never there, or has another content now; those of an earlier day come
    first, however many there are. Raises SourceError where two have one name.

    newest_in_raw: the newest delivery that the raw table has, of which a killed run may have left no line.
    """
    _require_names(source_table, found)
    # Of a lake of before a catalogue that had returned is no copy either.
    read = [line for line in known if not (line.source_table == _RETURNING and line.copy_of)]
    newest = {line.file: line for line in sorted(read, key=lambda line: line.delivery)}
    contents = _contents(found, newest, hash_all)
    fresh = [file for file in found if not _is_known(newest.get(file.name), contents[file.name])]
    names = {file.name for file in fresh}
    standing = [line for line in newest.values() if line.file not in names]
    first = max(newest_in_raw, *(line.delivery for line in known), FIRST - 1) + 1
    numbers = {day: first + place for place, day in enumerate(sorted({*map(_day_of, fresh)}))}
    lines = [
        Line(
            source_table, numbers[_day_of(file)], "", file.name, contents[file.name], file.bytes, file.modified,
            delivered_on=file.delivered_on, path=file.path,
        )
        for file in sorted(fresh, key=_day_of)
    ]  # fmt: skip
    lines = _with_copies(lines, {line.content: line.copy_of or line.file for line in standing})
    batch_id = fingerprint(lines)
    return Intake(tuple(known), tuple(replace(line, batch_id=batch_id) for line in lines))


def plan_anew(intake: Intake, found: Sequence[Found], as_one: bool = False) -> Intake:
    """The same deliveries, to be read again from the first on, each file as it came last. as_one: all of it is the
    newest delivery, as what is told whole each time has none before it.

    Raises SourceError where one is not there any more.
    """
    paths = {file.name: file.path for file in found}
    newest = {line.file: line for line in sorted((*intake.known, *intake.new), key=lambda line: line.delivery)}
    if gone := sorted({*newest} - {*paths}):
        raise SourceError(
            f"{newest[gone[0]].source_table}: {', '.join(gone)} came before and is not there now; wanted it again, "
            f"since {_AS_ONE if as_one else _ANEW}"
        )
    lines = [replace(line, path=paths[name]) for name, line in newest.items()]
    if as_one:
        lines = [replace(line.untimed, delivery=intake.delivery, batch_id="") for line in lines]
        batch_id = fingerprint(lines)
        lines = [replace(line, batch_id=batch_id) for line in lines]
    return Intake((), tuple(_with_copies(sorted(lines, key=lambda line: line.delivery), {})))


def plan_rows(source_table: str, known: Sequence[Line], origin: str, batch_id: str) -> Intake:
    """Rows of a database as the next delivery, under a name of its own: none of them takes the place of another."""
    delivery = max((line.delivery for line in known), default=FIRST - 1) + 1
    line = Line(source_table, delivery, batch_id, f"{origin} {delivery}", content=batch_id, bytes=0, modified=0)
    return Intake(tuple(known), (line,))


def read(run: Run, deliveries: Mapping[str, int]) -> dict[str, list[Line]]:
    """The lines that stand, by source table. deliveries: source table -> the newest one that its raw table has."""
    if not deliveries or not run.lake.exists(LEDGER):
        return {}
    lines = [*filter(_was_read, (Line(**row.asDict()) for row in run.read(LEDGER).drop("region").collect()))]
    return {
        name: [line for line in lines if line.source_table == name and line.delivery <= delivery]
        for name, delivery in deliveries.items()
    }


def write(run: Run, intakes: Mapping[str, Intake], described: Collection[str], timed: bool = True) -> None:
    """The new lines, with those that stand and those of tables that are not `described` now, in one commit. timed:
    whether the deliveries of sales that lines tell of are those of now."""
    new = [line for intake in intakes.values() for line in intake.new]
    new = new if timed else [line.untimed for line in new]
    rows = [(run.config.region, *(getattr(line, name) for name in LEDGER.names[1:])) for line in new]
    lines = run.spark.createDataFrame(rows, LEDGER.schema)
    if run.lake.exists(LEDGER):
        name = F.col("source_table")
        kept = [
            (name == table) & (F.col("delivery") <= max(line.delivery for line in intake.known))
            for table, intake in intakes.items()
            if intake.known
        ]
        standing = run.read(LEDGER).where(reduce(or_, kept, ~name.isin(*described)))
        lines = (standing if timed else _untimed(standing)).unionByName(lines)
    run.write(LEDGER, lines)


def fingerprint(lines: Iterable[Line]) -> str:
    """A hash of the names and contents: the same files again are no news."""
    told = sorted((line.source_table, line.delivery, line.file, line.content) for line in lines)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def begun_anew(begun: str) -> str:
    """What a raw table tells of its beginning once its rows are not those any more that its deliveries brought."""
    return f"{begun_by(begun)}{_REWRITTEN}{uuid4().hex}"


def begun_by(begun: str) -> str:
    """The run that read a raw table from the first delivery on."""
    return begun.partition(_REWRITTEN)[0]


def _untimed(lines: DataFrame) -> DataFrame:
    return lines.withColumns({name: F.lit(None).cast("bigint") for name in ("after_sales", "with_sales")})


def _was_read(line: Line) -> bool:
    """Whether rows came of it: code of before has left lines of files that Spark had passed over, and of their copies.
    A Delta table, which has no bytes here, is read by any name."""
    return not line.bytes or not any(map(is_passed_over, filter(None, (line.file, line.copy_of))))


def _day_of(file: Found) -> date:
    """That of its name; what tells none comes first, and as one."""
    return file.delivered_on or date.min


def _is_known(line: Line | None, content: str) -> bool:
    return line is not None and line.content == content


def _with_copies(lines: Iterable[Line], told: Mapping[str, str]) -> list[Line]:
    """The lines with the file that each is a copy of. told: content -> the file that was read with it before."""
    told, found = dict(told), []
    for line in lines:
        copy_of = None if line.source_table == _RETURNING else told.get(line.content)
        found.append(replace(line, copy_of=copy_of))
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
