"""The files of a source: in a folder, of this machine or an object store, or in an installed Python package."""

import importlib.util
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import SparkSession

from shelfcast import storage
from shelfcast.cleaning.dates import find_date
from shelfcast.errors import SourceError

_PACKAGE = "package://"
# What a program puts beside a file until it is whole, or an editor beside its own: no delivery yet.
_UNFINISHED = re.compile(r"\..*|.*\._COPYING_", re.DOTALL)


class Found(NamedTuple):
    """A file that a source has now. modified: nanoseconds of its clock; delivered_on: as its name tells; content: what
    tells what it holds, where that need not be read for it."""

    path: str
    bytes: int
    modified: int
    delivered_on: date | None = None
    content: str | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name


def find_files(folder: str, pattern: str, what: str, is_needed: bool = True, dated: str | None = None) -> list[Found]:
    """The files of `folder` that `pattern` names, sorted, but hidden and unfinished ones; dated: the form of the day in
    their names.

    Raises SourceError where there is none, unless none is needed, where a name has no day, and where it is one that
    Spark would pass over, so that nothing of the file would come in.
    """
    place = folder_of(folder)
    surveyed = storage.survey(place, of_marks(pattern))
    found = {file: about for file, about in surveyed.items() if not _UNFINISHED.fullmatch(Path(file).name)}
    if not found and is_needed:
        raise SourceError(f"{place.rstrip('/')}/{pattern}: not there; wanted the {what}")
    for file, about in found.items():
        if not about.is_file:
            raise SourceError(f"{file}: a directory; wanted the {what}, a file")
        require_read(file)
    return [Found(file, about.size, about.mtime_ns, _day_in(file, dated)) for file, about in found.items()]


def require_read(file: str) -> None:
    """Raise SourceError where the file has a name by which nothing of it would be read, without a word."""
    if storage.is_passed_over(Path(file).name):
        raise SourceError(f"{file}: a name of which Spark reads nothing; wanted one that begins with neither . nor _")


def of_marks(pattern: str) -> str:
    """A pattern of * and ?, in which a bracket is a part of the name."""
    return pattern.replace("[", "[[]")


def content_hashes(spark: SparkSession, paths: Sequence[str]) -> dict[str, str]:
    """path -> a hash of what the file holds. Those of a store are read by the workers, and not through the driver."""
    if not any(map(storage.is_remote, paths)):
        return {path: storage.content_hash(path) for path in paths}
    hashed = spark.sparkContext.parallelize(paths, len(paths)).map(lambda path: (path, storage.content_hash(path)))
    return dict(hashed.collect())


def folder_of(path: str) -> str:
    """A folder as it stands; `package://NAME/FOLDER` is a folder of an installed package.

    Raises SourceError where it is not there: a folder that is not mounted would be one without news.
    """
    folder = _in_package(path) if path.startswith(_PACKAGE) else path
    if not storage.has_folder(folder):
        raise SourceError(f"{folder}: no such folder; wanted the one with the source's files")
    return folder


def _in_package(path: str) -> str:
    name, _, folder = path.removeprefix(_PACKAGE).partition("/")
    package = importlib.util.find_spec(name)
    if package is None or package.origin is None:
        raise SourceError(f"package {name}: not installed; wanted it, or source.path with its files")
    return str(Path(package.origin).parent / folder)


def _day_in(file: str, dated: str | None) -> date | None:
    if dated is None:
        return None
    day = find_date(Path(file).name, dated)
    if day is None:
        raise SourceError(f"{file}: no day in its name; wanted one in the form {dated}")
    # What is delivered after it would count as known from that day on. East of here a day begins earlier.
    if day > date.today() + timedelta(days=1):
        raise SourceError(f"{file}: the day in its name, {day}, is yet to come; wanted that of its delivery")
    return day
