"""Typed YAML files: a wrong key is an error with its file and line, never a guess.

`!include FILE`, from the folder of the file in which it stands, is what that file holds: what several configurations
have in common.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from shelfcast.errors import ConfigError
from shelfcast.settings.bounded import MOST_BYTES, BoundedLoader, problem_of
from shelfcast.settings.problems import fitting, found, wanted


class Section(BaseModel):
    """A file or a part of one: immutable, and without room for keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_of_this_machine(path: str) -> str:
    if "://" in path:
        raise ValueError("a file of this machine")
    return path


# A file that is locked, or that lines are appended to: no object of a store can be.
LocalFile = Annotated[str, AfterValidator(_is_of_this_machine)]
PlainName = Annotated[str, fitting(r"[a-z0-9_]+", "a name of small letters, digits and underscores")]
S = TypeVar("S", bound=Section)
_INCLUDE = "!include"


def read(kind: type[S], path: str | Path, changes: Iterable[str] = (), adjustments: Iterable[str] = ()) -> S:
    """The YAML file `path` as a `kind`, with `changes` of the form `section.key=value` on top, of `--set`, and under
    these such `adjustments`.

    Raises ConfigError, one line, naming the file and the line, or the change, and the key.
    """
    document, changes = _parse(Path(path)), [*changes]
    for change in [*adjustments, *changes]:
        _apply(document, change)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        told = [_explain(kind, _where(Path(path), problem["loc"], changes), problem) for problem in error.errors()]
        raise ConfigError("; ".join(told)) from None


class _UniqueKeyLoader(BoundedLoader):
    """YAML in which a key given twice is an error: the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _IncludingLoader(_UniqueKeyLoader):
    """YAML that takes in others, which take in none."""

    def include(self, node: yaml.ScalarNode) -> dict[str, Any]:
        path = Path(self.name).parent / str(self.construct_scalar(node))
        if not path.is_file():
            raise ConfigError(f"{self.name}:{node.start_mark.line + 1}: {_INCLUDE} {node.value}: {path} is not there")
        return _parse(path, may_include=False)


_IncludingLoader.add_constructor(_INCLUDE, _IncludingLoader.include)


def _parse(path: Path, may_include: bool = True) -> dict[str, Any]:
    text = StringIO(_text(path))
    # By which a loader knows the folder that it reads from.
    text.name = str(path)
    try:
        # SafeLoaders both
        document = yaml.load(text, Loader=_IncludingLoader) if may_include else yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {problem_of(error)}") from None
    if not isinstance(document, dict):
        kind = "nothing" if document is None else type(document).__name__
        raise ConfigError(f"{path}: found {kind}, wanted a mapping of sections")
    return document


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read ({reason}); wanted a YAML configuration file") from None
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path}: found {len(text):,} characters, wanted {MOST_BYTES:,} or fewer")
    return text


def _apply(document: dict[str, Any], change: str) -> None:
    key, separator, value = change.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {change}: wanted section.key=value")
    *sections, last = key.split(".")
    for section in sections:
        document = document.setdefault(section, {})
        if not isinstance(document, dict):
            raise ConfigError(f"--set {change}: {section} is a value, not a section")
    try:
        document[last] = yaml.load(value, Loader=BoundedLoader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {change}: the value is not valid YAML: {problem_of(error)}") from None


def _explain(kind: type[Section], stands: str, problem: Mapping[str, Any]) -> str:
    place = problem["loc"]
    where = f"{stands}: {'.'.join(str(part) for part in place)}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggest(kind, place)}"
    if problem["type"] == "missing":
        return f"{where}: missing key"
    return f"{where}: found {found(problem['input'])}, wanted: {wanted(problem)}"


def _suggest(kind: type[Section], place: Sequence[str | int]) -> str:
    fields: Mapping[str, Any] = kind.model_fields
    for part in place[:-1]:
        annotation = fields[str(part)].annotation if str(part) in fields else None
        fields = getattr(annotation, "model_fields", {})
    close = difflib.get_close_matches(str(place[-1]), list(fields), n=1)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(fields)})"


def _where(path: Path, place: Sequence[str | int], changes: Sequence[str]) -> str:
    """The change that set `place`, or part of it; else the file and line on which it stands, or its nearest section
    that is there."""
    for change in reversed(changes):
        if all(told == str(part) for told, part in zip(change.partition("=")[0].split("."), place, strict=False)):
            return f"--set {change}"
    node, line = _nodes(path), 1
    for part in place:
        line, node = _step(node, part, line)
        if node is not None and node.tag == _INCLUDE:
            path, line = path.parent / node.value, 1
            node = _nodes(path)
    return f"{path}:{line}"


def _step(node: yaml.Node | None, part: str | int, line: int) -> tuple[int, yaml.Node | None]:
    """The line and the node of a part of a node; the line as it was, and None, where it has no such part."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part].start_mark.line + 1, node.value[part]
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    told = [(key.start_mark.line + 1, value) for key, value in pairs if key.value == str(part)]
    return told[0] if told else (line, None)


def _nodes(path: Path) -> yaml.Node | None:
    return yaml.compose(path.read_text(encoding="utf-8"), Loader=BoundedLoader)
