"""The version of the code that a job runs: a hash of the modules that it imports, near and far, of the templates beside
them, and of the versions of the packages that compute.

A change of the report's page fits no model anew; a change of the models does.
"""

import ast
import hashlib
import importlib.resources
import os
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = "shelfcast"
# What the numbers come from: another version of one of these may give others from the same code.
_COMPUTING = ("pyspark", "delta-spark", "numpy", "pandas", "scikit-learn", "scipy", "statsforecast", "holidays")

# What the numbers of networks come from, beside these.
TRAINING_PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "horovod")
# The file by which an archive of the package tells the commit that it was built from.
COMMIT_FILE = "commit.txt"


@cache
def code_version(module: str) -> str:
    """A hash of the source of `module` (as in `shelfcast.steps.clean`), of every module of the package it leads to,
    and of what these are run with."""
    digest = hashlib.sha256(repr(installed(_COMPUTING)).encode())
    reached = sorted(_reachable(module))
    for name in reached:
        digest.update(name.encode() + b"\0" + _source(name))
    for content in _templates(reached):
        digest.update(content)
    return digest.hexdigest()[:12]


def installed(packages: Iterable[str]) -> dict[str, str]:
    """The version of each package that is installed."""
    return {name: found for name in packages if (found := _version(name)) is not None}


def libraries() -> dict[str, str]:
    """What models are fitted and stored with, and Python itself."""
    return {"python": platform.python_version(), **installed((*_COMPUTING, *TRAINING_PACKAGES, "skops"))}


@cache
def git_commit() -> str | None:
    """The commit that the package is of, with `-dirty` where the checkout differs from it; None where nobody knows.

    For the driver: executors have an archive, which brings it along, and no checkout. A package that lies untracked in
    a checkout, as in an environment of another project, is of none of its commits. No run key depends on it.
    """
    folder = importlib.resources.files(_PACKAGE)
    told = folder.joinpath(COMMIT_FILE)
    if told.is_file():
        return told.read_text(encoding="utf-8").strip()
    if not isinstance(folder, Path) or _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says there; None where it is not installed, or refuses."""
    # It need not refresh its index: the checkout may be another user's, or be in use.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], env=environment, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        # run from the source tree, a package of one's own is not installed
        return None


def _templates(modules: Iterable[str]) -> Iterable[bytes]:
    """The files of the folder `templates` beside any of the modules, in order."""
    for parts in sorted({tuple(module.split(".")[1:-1]) for module in modules}):
        folder = importlib.resources.files(_PACKAGE).joinpath(*parts, "templates")
        if folder.is_dir():
            for file in sorted(folder.iterdir(), key=lambda file: file.name):
                yield file.name.encode() + b"\0" + file.read_bytes()


def _reachable(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [imported for imported in _imports(name) if imported not in found]
    return found


@cache
def _imports(module: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` may name a module of the package or a thing inside it
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] == _PACKAGE and _source(name))


@cache
def _source(module: str) -> bytes:
    """The module's source, b"" where there is no such module."""
    folder = importlib.resources.files(_PACKAGE)
    parts = module.split(".")[1:]
    as_module = folder.joinpath(*parts[:-1], f"{parts[-1]}.py") if parts else folder.joinpath("__init__.py")
    if as_module.is_file():
        return as_module.read_bytes()
    package = folder.joinpath(*parts)
    if not package.joinpath("__init__.py").is_file():
        return b""
    return package.joinpath("__init__.py").read_bytes() or b"\n"
