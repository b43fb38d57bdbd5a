"""Copies of a whole lake, made and read back by the executors.

A copy has a list of its files with their sizes, written last: without it, a copy is not whole. Data files never change
under their name, so that a later copy to the same place takes the new ones alone; what the lake has no more goes.
"""

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


def back_up(spark: SparkSession, lake: str, place: str) -> Copied:
    """Make `place` a copy of the lake. Nothing may write to the lake meanwhile.

    Raises LakeError where the lake has no files, or `place` has others than those of a copy.
    """
    files, there = _files(lake), _files(place)
    if not files:
        raise LakeError(f"lake {lake}: has no files; wanted one to back up")
    if there and not (storage.is_file(f"{place}/{_LIST}") or storage.is_file(f"{place}/{_BEGUN}")):
        raise LakeError(f"{place}: found files that are no backup; wanted an empty folder, or an earlier backup")
    storage.write_bytes(b"", f"{place}/{_BEGUN}")
    storage.remove(f"{place}/{_LIST}")
    new = [name for name, size in files.items() if not (name.endswith(".parquet") and there.get(name) == size)]
    _copy(spark, lake, place, new)
    for name in there.keys() - files.keys():
        storage.remove(f"{place}/{name}")
    storage.write_bytes("".join(f"{size} {name}\n" for name, size in files.items()).encode(), f"{place}/{_LIST}")
    return Copied(len(files), sum(files.values()), len(new))


def restore(spark: SparkSession, place: str, lake: str) -> Copied:
    """Make the lake from a copy. Raises LakeError where the copy is not whole, or the lake has files."""
    if _files(lake):
        raise LakeError(f"lake {lake}: has files; wanted an empty folder to restore {place} into")
    listed, found = _listed(place), _files(place)
    lost = [name for name, size in listed.items() if found.get(name) != size]
    if lost:
        raise LakeError(f"{place}: {len(lost)} of {len(listed)} files are missing or of another size, such as {lost[0]}"
                        f"; wanted a whole backup")  # fmt: skip
    _copy(spark, place, lake, list(listed))
    return Copied(len(listed), sum(listed.values()), len(listed))


def _listed(place: str) -> dict[str, int]:
    """Name -> size of the files that a copy should have."""
    try:
        text = storage.read_bytes(f"{place}/{_LIST}").decode()
    except FileNotFoundError:
        raise LakeError(f"{place}: no file {_LIST}; wanted a whole backup") from None
    pairs = (line.split(" ", 1) for line in text.splitlines())
    return {name: int(size) for size, name in pairs}


def _files(root: str) -> dict[str, int]:
    """Name below the root -> size in bytes, of all files but those of runs."""
    filesystem, path = storage.locate(root)
    found = filesystem.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    files = {info.path[len(path) :].lstrip("/"): info.size for info in found if info.type == fs.FileType.File}
    return {name: size for name, size in files.items() if not name.startswith(_OF_RUNS)}


def _copy(spark: SparkSession, source: str, target: str, names: list[str]) -> None:
    """Each file whole or not at all, some to a task. A last checkpoint goes with its log: the log is copied whole."""

    def copy(names: Iterable[str]) -> None:
        for name in names:
            storage.copy(f"{source}/{name}", f"{target}/{name}")

    tasks = max(1, -(-len(names) // _FILES_A_TASK))
    spark.sparkContext.parallelize(names, tasks).foreachPartition(copy)
