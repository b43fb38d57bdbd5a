"""Files of sales that people bring: judged row by row, and laid where the next ingestion finds them."""

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from shelfcast.config import Config
from shelfcast.errors import ShelfcastError
from shelfcast.settings.source import MappedTable, plain_name
from shelfcast.storage import is_remote, locate, packing_of

# What a person can put right at once.
_MOST_PROBLEMS = 10
_LONGEST_FIELD = 10_000
# Spark ends a row at a line's end, even within quotes: what follows would be a row that nobody has judged.
_NO_TEXT = re.compile(r"[\r\n\0]")
# What an ingestion calls columns of its own while it reads a file.
_TAKEN = ("malformed_row", "_metadata")
# As Spark casts them: no underscores between digits. T parts thousands, D stands before fractions.
_NUMBER = r"[+-]?(\d+|\d{1,3}(T\d{3})+)(D\d*)?([eE][+-]?\d{1,3})?|[+-]?D\d+"
# Letters of Spark's date patterns, as Python's; longer runs first.
_LETTERS = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


class UploadError(ShelfcastError):
    """A file that is none of the source's."""


class NoUploadsError(ShelfcastError):
    """The source takes no further files of sales."""


@dataclass(frozen=True)
class Form:
    """How the source's files of sales are written, and what names store, day and units in them. formats: of the day, as
    Python reads it. pattern: of the files' names in `folder`; dated: the form of the day in one, as Python writes it.
    """

    folder: Path
    pattern: str
    columns: tuple[str, ...]
    store: str
    day: str
    formats: tuple[str, ...]
    quantity: str
    delimiter: str
    encoding: str
    decimal: str
    dated: str

    def name(self, digest: str, at: datetime) -> str:
        """A name by which the source knows the file as one of its sales, delivered that day."""
        upload = f"upload-{at.strftime(self.dated)}T{at:%H%M%S}-{digest[:8]}"
        return self.pattern.replace("*", upload, 1).replace("*", "")


@dataclass
class Judged:
    """What a file holds."""

    rows: int = 0
    stores: set[str] = field(default_factory=set)
    first_day: date | None = None
    last_day: date | None = None
    problems: list[str] = field(default_factory=list)


def form_of(config: Config) -> Form:
    """Raises NoUploadsError where the source takes no further files, or they cannot be judged here."""
    source, name = config.source, f"region {config.region}"
    table, pattern = source.tables.get("sales"), source.patterns.get("sales")
    if table is None or pattern is None or source.path is None:
        raise NoUploadsError(f"{name}: sales come in no files; wanted a folder of CSV files")
    if is_remote(source.path):
        raise NoUploadsError(f"{name}: sales are in {source.path}; wanted a folder of this machine")
    form = _form(table, Path(locate(source.path)[1]), pattern, name)
    if "*" not in form.pattern or re.search(r"[?\[/]", form.pattern):
        raise NoUploadsError(f"{name}: sales are in {form.pattern}; wanted a pattern with * for further files")
    # A file is laid as it is brought: plain, by a name that says otherwise, no ingestion could read it.
    if packing := packing_of(form.pattern.replace("*", "")):
        raise NoUploadsError(
            f"{name}: sales are in {form.pattern}, packed ({packing}); wanted a pattern of plain files"
        )
    return form


def judge(path: Path, form: Form) -> Judged:
    """What the file holds, and its first problems. Raises UploadError where it is no such file at all."""
    judged = Judged()
    try:
        with open(path, encoding=form.encoding, errors="strict", newline="") as text:
            rows = csv.reader(text, delimiter=form.delimiter, strict=True)
            places = _places(next(rows, []), form)
            for number, row in enumerate(rows, 2):
                if any(map(str.strip, row)):
                    _judge_row(judged, number, row, places, form)
                if len(judged.problems) >= _MOST_PROBLEMS:
                    break
    except UnicodeDecodeError as error:
        raise UploadError(f"file: byte {error.start} is not {form.encoding} text") from None
    except csv.Error as error:
        raise UploadError(f"file: no CSV: {error}") from None
    if not judged.rows and not judged.problems:
        raise UploadError("file: no rows; wanted a line of column names and rows")
    return judged


def lay(path: Path, form: Form, digest: str) -> str:
    """Lay the file where the next ingestion finds it, whole or not at all; its name there."""
    name = form.name(digest, datetime.now(UTC))
    part = form.folder / f".{name}.part"
    form.folder.mkdir(parents=True, exist_ok=True)
    with open(path, "rb") as source, open(part, "wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    os.replace(part, form.folder / name)
    return name


def digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _form(table: MappedTable, folder: Path, pattern: str, name: str) -> Form:
    needed = {column: table.columns.get(column) for column in ("store_id", "sold_on", "source_quantity")}
    received = {column: mapped.received for column, mapped in needed.items() if mapped and mapped.received}
    if table.format != "csv" or len(received) < len(needed):
        raise NoUploadsError(f"{name}: sales cannot be judged here; wanted CSV whose store, day and units are columns")
    formats = needed["sold_on"].formats if needed["sold_on"] else ()
    return Form(
        folder, pattern, tuple(table.received), received["store_id"], received["sold_on"],
        tuple(map(_as_python, formats)), received["source_quantity"], table.delimiter, table.encoding, table.decimal,
        _as_python(table.dated or "yyyyMMdd"),
    )  # fmt: skip


def _as_python(pattern: str) -> str:
    return re.sub("|".join(_LETTERS), lambda found: _LETTERS[found[0]], pattern)


def _places(header: list[str], form: Form) -> dict[str, int]:
    names = [name.strip().removeprefix("\ufeff") for name in header]
    missing = [name for name in form.columns if name not in names]
    if missing:
        found = ", ".join(names)[:200] or "nothing"
        raise UploadError(f"file: no column {', '.join(missing)}; found {found}")
    _require_names(names)
    return {name: place for place, name in enumerate(names)}


def _require_names(names: Sequence[str]) -> None:
    """Refuse names over which the next ingestion, and each after it, would stop for the whole region, and those that it
    could tell apart by a number alone."""
    if not _is_text("".join(names)):
        raise UploadError("file: line 1: names of more than 10,000 characters or of several lines, or with a zero byte")
    known = [plain_name(name).lower() for name in names]
    times = Counter((*known, *map(plain_name, _TAKEN)))
    unfit = [name for name, plain in zip(names, known, strict=True) if times[plain] > 1 or "`" in name]
    if unfit:
        raise UploadError(f"file: line 1: found {', '.join(unfit)[:200]}; wanted each name once, marks and case aside")


def _judge_row(judged: Judged, number: int, row: list[str], places: dict[str, int], form: Form) -> None:
    judged.rows += 1
    problem = next(_problems(row, places, form), None)
    if problem:
        judged.problems.append(f"line {number}: {problem}")
        return
    day = _day(row[places[form.day]], form)
    judged.stores.add(row[places[form.store]].strip())
    judged.first_day = min(filter(None, (judged.first_day, day)))
    judged.last_day = max(filter(None, (judged.last_day, day)))


def _problems(row: list[str], places: dict[str, int], form: Form) -> Iterator[str]:
    if len(row) != len(places):
        yield f"{len(row)} fields; wanted {len(places)}"
        return
    store = row[places[form.store]]
    if not store.strip():
        yield f"{form.store} is empty"
    # The ingestion takes spaces away and no other blanks: with one it would be another store.
    elif store.strip() != store.strip(" "):
        yield f"{form.store} is {store[:40]!r}; wanted it without blanks other than spaces around it"
    if _day(row[places[form.day]], form) is None:
        yield f"{form.day} is {row[places[form.day]][:40]!r}; wanted a day"
    if not _is_number(row[places[form.quantity]], form):
        yield f"{form.quantity} is {row[places[form.quantity]][:40]!r}; wanted a number"
    if not all(map(_is_text, row)):
        yield "a field of more than 10,000 characters or of several lines, or with a zero byte"


def _is_text(value: str) -> bool:
    return len(value) <= _LONGEST_FIELD and not _NO_TEXT.search(value)


def _day(text: str, form: Form) -> date | None:
    for known in form.formats:
        try:
            return datetime.strptime(text.strip(), known).date()
        except ValueError:
            continue
    return None


def _is_number(text: str, form: Form) -> bool:
    thousands = "," if form.decimal == "." else "."
    pattern = _NUMBER.replace("T", re.escape(thousands)).replace("D", re.escape(form.decimal))
    return re.fullmatch(pattern, text.strip(" "), re.ASCII) is not None
