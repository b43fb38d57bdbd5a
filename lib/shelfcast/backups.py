"""Copies of a whole lake, made and read back by the executors.

A copy has a list of its files with their sizes and where in the copy each lies. A later copy to the same place puts the
new ones beside those of the list, and those that have changed under another name; then the list is replaced, and what
it names no more goes: until then the copy is the one of before.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pyarrow import fs
from pyspark.sql import SparkSession

from shelfcast import storage
from shelfcast.errors import LakeError

_LIST, _BEGUN = "_backup", "_backup_begun"
# What runs hold and make for themselves.
_OF_RUNS = ("_leases/", "_staging/", _LIST)
_FILES_A_TASK = 50


@dataclass(frozen=True)
class Copied:
    """How many files a copy has, of how many bytes, and how many of them were copied now."""

    files: int
    bytes: int
    new: int


@dataclass(frozen=True)
class _File:
    """A file of a copy: its name in the lake, its size in bytes, and its name in the copy."""

    name: str
    size: int
    place: str


def back_up(spark: SparkSession, lake: str, place: str) -> Copied:
    """Make `place` a copy of the lake. Nothing may write to the lake meanwhile.

    Raises LakeError where the lake has no files, or `place` has others than those of a copy.
    """
    files, there = _files(lake), _files(place)
    if not files:
        raise LakeError(f"lake {lake}: has no files; wanted one to back up")
    is_listed = storage.is_file(f"{place}/{_LIST}")
    if there and not (is_listed or storage.is_file(f"{place}/{_BEGUN}")):
        raise LakeError(f"{place}: found files that are no backup; wanted an empty folder, or an earlier backup")
    storage.write_bytes(b"", f"{place}/{_BEGUN}")
    taken = {file.place for file in _listed(place)} if is_listed else set()
    kept = {name: _File(name, size, name) for name, size in files.items() if _is_kept(name) and there.get(name) == size}
    new = [_File(name, size, _free(name, taken)) for name, size in files.items() if name not in kept]
    _copy(spark, {f"{lake}/{file.name}": f"{place}/{file.place}" for file in new})
    whole = [*kept.values(), *new]
    _list(place, whole)
    for name in there.keys() - {file.place for file in whole}:
        storage.remove(f"{place}/{name}")
    return Copied(len(files), sum(files.values()), len(new))


def restore(spark: SparkSession, place: str, lake: str) -> Copied:
    """Make the lake from a copy. Raises LakeError where the copy is not whole, or the lake has files."""
    if _files(lake):
        raise LakeError(f"lake {lake}: has files; wanted an empty folder to restore {place} into")
    listed, found = _listed(place), _files(place)
    lost = [file.place for file in listed if found.get(file.place) != file.size]
    if lost:
        raise LakeError(f"{place}: {len(lost)} of {len(listed)} files are missing or of another size, such as {lost[0]}"
                        f"; wanted a whole backup")  # fmt: skip
    _copy(spark, {f"{place}/{file.place}": f"{lake}/{file.name}" for file in listed})
    return Copied(len(listed), sum(file.size for file in listed), len(listed))


def _is_kept(name: str) -> bool:
    """Whether it is a file that never changes under its name."""
    return name.endswith(".parquet")


def _free(name: str, taken: set[str]) -> str:
    """Where in the copy a file goes, beside that of the same name which the copy of before has.

    >>> _free("_version", set()), _free("_version", {"_version"}), _free("_version", {"_version~"})
    ('_version', '_version~', '_version')
    """
    return f"{name}~" if name in taken else name


def _list(place: str, files: list[_File]) -> None:
    lines = [json.dumps([file.name, file.size, file.place]) for file in files]
    storage.write_bytes("\n".join(lines).encode(), f"{place}/{_LIST}")


def _listed(place: str) -> list[_File]:
    """The files that a copy should have."""
    try:
        text = storage.read_bytes(f"{place}/{_LIST}").decode()
    except FileNotFoundError:
        raise LakeError(f"{place}: no file {_LIST}; wanted a whole backup") from None
    return [_as_file(line) for line in text.splitlines()]


def _as_file(line: str) -> _File:
    """As a line of the list says.

    >>> _as_file('["_version", 2, "_version~"]')
    _File(name='_version', size=2, place='_version~')

    Copies of before had each file under its own name.

    >>> _as_file("2 _version")
    _File(name='_version', size=2, place='_version')
    """
    if line.startswith("["):
        return _File(*json.loads(line))
    size, name = line.split(" ", 1)
    return _File(name, int(size), name)


def _files(root: str) -> dict[str, int]:
    """Name below the root -> size in bytes, of all files but those of runs."""
    filesystem, path = storage.locate(root)
    found = filesystem.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    files = {info.path[len(path) :].lstrip("/"): info.size for info in found if info.type == fs.FileType.File}
    return {name: size for name, size in files.items() if not name.startswith(_OF_RUNS)}


def _copy(spark: SparkSession, pairs: dict[str, str]) -> None:
    """Each file to its target, whole or not at all, some to a task."""

    def copy(pairs: Iterable[tuple[str, str]]) -> None:
        for source, target in pairs:
            storage.copy(source, target)

    tasks = max(1, -(-len(pairs) // _FILES_A_TASK))
    spark.sparkContext.parallelize([*pairs.items()], tasks).foreachPartition(copy)
