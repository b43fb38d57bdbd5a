"""Copies of a whole lake, made and read back by the executors.

A copy has a list of its files: where in the copy each lies, its size, and when it was written in the lake. A later copy
to the same place puts the new ones beside those of the list, and those that have changed under another name; then the
list is replaced, and what it names no more goes: until then the copy is the one of before.
"""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path, PurePath, PurePosixPath

from pyarrow import fs
from pyspark.sql import SparkSession

from shelfcast import storage
from shelfcast.errors import LakeError
from shelfcast.lake_version import RESTORING

_LIST, _BEGUN = "_backup", "_backup_begun"
# What runs hold and make for themselves.
_OF_RUNS = ("_leases/", "_staging/", _LIST, RESTORING)
_FILES_A_TASK = 50


@dataclass(frozen=True)
class Copied:
    """How many files a copy has, of how many bytes, and how many of them were copied now."""

    files: int
    bytes: int
    new: int


@dataclass(frozen=True)
class _File:
    """A file of a copy: its name in the lake, its size in bytes, its name in the copy, and when it was written in the
    lake (in ns), which copies of before do not tell."""

    name: str
    size: int
    place: str
    written: int | None = None

    def is_as(self, other: "_File") -> bool:
        """Whether both were written in the lake at the same known moment, and are of one size."""
        return self.written is not None and (self.written, self.size) == (other.written, other.size)


def back_up(spark: SparkSession, lake: str, place: str) -> Copied:
    """Make `place` a copy of the lake. Nothing may write to the lake meanwhile.

    Raises LakeError where the lake has no files, one of the two lies in the other, `place` has others than those of a
    copy, or executors have put theirs where this process does not find them.
    """
    _require_apart(lake, place)
    files, there = _files(lake), _sizes(place)
    if not files:
        raise LakeError(f"lake {lake}: has no files; wanted one to back up")
    is_listed = storage.is_file(f"{place}/{_LIST}")
    if there and not (is_listed or storage.is_file(f"{place}/{_BEGUN}")):
        raise LakeError(f"{place}: found files that are no backup; wanted an empty folder, or an earlier backup")
    storage.write_bytes(b"", f"{place}/{_BEGUN}")
    before = {file.name: file for file in _listed(place)} if is_listed else {}
    taken = {file.place for file in before.values()}
    kept = {file.name: _kept(file, before.get(file.name), there) for file in files}
    new = [replace(file, place=_free(file.name, taken)) for file in files if kept[file.name] is None]
    whole = [*filter(None, kept.values()), *new]
    _copy(spark, {f"{lake}/{file.name}": f"{place}/{file.place}" for file in new})
    _require_there(place, new)
    _list(place, whole)
    for name in there.keys() - {file.place for file in whole}:
        storage.remove(f"{place}/{name}")
    return Copied(len(whole), sum(file.size for file in whole), len(new))


def restore(spark: SparkSession, place: str, lake: str) -> Copied:
    """Make the lake from a copy; one that was half made is made on. Until it is whole a mark stands in it.

    Raises LakeError where the copy is not whole, or the lake has files that no restoring has left.
    """
    there = _sizes(lake)
    if there and not storage.is_file(f"{lake}/{RESTORING}"):
        raise LakeError(f"lake {lake}: has files; wanted an empty folder to restore {place} into")
    listed, found = _listed(place), _sizes(place)
    lost = [file.place for file in listed if found.get(file.place) != file.size]
    if lost:
        raise LakeError(f"{place}: {len(lost)} of {len(listed)} files are missing or of another size, such as {lost[0]}"
                        f"; wanted a whole backup")  # fmt: skip
    storage.write_bytes(b"", f"{lake}/{RESTORING}")
    new = [file for file in listed if not (_is_data(file.name) and there.get(file.name) == file.size)]
    _copy(spark, {f"{place}/{file.place}": f"{lake}/{file.name}" for file in new})
    for name in there.keys() - {file.name for file in listed}:
        storage.remove(f"{lake}/{name}")
    storage.remove(f"{lake}/{RESTORING}")
    return Copied(len(listed), sum(file.size for file in listed), len(new))


def _require_apart(lake: str, place: str) -> None:
    """Raise LakeError where one of them is the other or lies in it: each copy would hold the one of before."""
    (filesystem, root), (other, copy) = _located(lake), _located(place)
    if filesystem == other and (copy.is_relative_to(root) or root.is_relative_to(copy)):
        raise LakeError(f"{place}: lies in the lake {lake}, or the lake in it; wanted a place apart from the lake")


def _located(root: str) -> tuple[fs.FileSystem, PurePath]:
    filesystem, path = storage.locate(root)
    is_local = isinstance(filesystem, fs.LocalFileSystem)
    return filesystem, Path(path).resolve() if is_local else PurePosixPath(path)


def _kept(file: _File, before: _File | None, there: dict[str, int]) -> _File | None:
    """The file of the lake as the copy has it; None where it is to be copied."""
    if before and before.is_as(file) and there.get(before.place) == file.size:
        return before
    return file if _is_data(file.name) and there.get(file.name) == file.size else None


def _require_there(place: str, files: list[_File]) -> None:
    """Raise LakeError unless the copied files are there: of a cluster each machine has a disk of its own."""
    found = _sizes(place)
    lost = [file.place for file in files if found.get(file.place) != file.size]
    if lost:
        raise LakeError(f"{place}: {len(lost)} of {len(files)} files are not there, such as {lost[0]}; wanted a place "
                        f"that all machines reach")  # fmt: skip


def _is_data(name: str) -> bool:
    """Whether its name is that of one content alone. A table that was made from a copy goes on in its log by numbers
    that it has had before.

    >>> _is_data("clean/sales/part-0-3f2a.parquet"), _is_data("clean/sales/_delta_log/10.checkpoint.parquet")
    (True, False)
    """
    return name.endswith(".parquet") and "/_delta_log/" not in name


def _free(name: str, taken: set[str]) -> str:
    """Where in the copy a file goes, beside that of the same name which the copy of before has.

    >>> _free("_version", set()), _free("_version", {"_version"}), _free("_version", {"_version~"})
    ('_version', '_version~', '_version')
    """
    return f"{name}~" if name in taken else name


def _list(place: str, files: list[_File]) -> None:
    lines = [json.dumps(astuple(file)) for file in files]
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

    >>> _as_file('["_version", 2, "_version~", 1512345678]')
    _File(name='_version', size=2, place='_version~', written=1512345678)

    Copies of before had each file under its own name.

    >>> _as_file("2 _version")
    _File(name='_version', size=2, place='_version', written=None)
    """
    if line.startswith("["):
        return _File(*json.loads(line))
    size, name = line.split(" ", 1)
    return _File(name, int(size), name)


def _files(root: str) -> list[_File]:
    """All files below the root but those of runs, each in its own place."""
    filesystem, path = storage.locate(root)
    found = filesystem.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    files = {info.path[len(path) :].lstrip("/"): info for info in found if info.type == fs.FileType.File}
    return [
        _File(name, info.size, name, info.mtime_ns) for name, info in files.items() if not name.startswith(_OF_RUNS)
    ]


def _sizes(root: str) -> dict[str, int]:
    return {file.name: file.size for file in _files(root)}


def _copy(spark: SparkSession, pairs: dict[str, str]) -> None:
    """Each file to its target, whole or not at all, some to a task."""

    def copy(pairs: Iterable[tuple[str, str]]) -> None:
        for source, target in pairs:
            storage.copy(source, target)

    tasks = max(1, -(-len(pairs) // _FILES_A_TASK))
    spark.sparkContext.parallelize([*pairs.items()], tasks).foreachPartition(copy)
