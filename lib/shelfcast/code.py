"""The version of the code that a job runs: a hash of the modules that it imports, near and far.

A change of the report's page fits no model anew; a change of the models does.
"""

import ast
import hashlib
import importlib.resources
from functools import cache

_PACKAGE = "shelfcast"


@cache
def code_version(module: str) -> str:
    """A hash of the source of `module` (as in `shelfcast.steps.clean`) and of every module of the package it leads
    to."""
    digest = hashlib.sha256()
    for name in sorted(_reachable(module)):
        digest.update(name.encode() + b"\0" + _source(name))
    return digest.hexdigest()[:12]


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
