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


class Section(BaseModel):
    """A file or a part of one: immutable, and without room for keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_of_this_machine(path: str) -> str:
    if "://" in path:
        raise ValueError("a file of this machine")
    return path


# A file that is locked, or that lines are appended to: no object of a store can be.
LocalFile = Annotated[str, AfterValidator(_is_of_this_machine)]
S = TypeVar("S", bound=Section)
_INCLUDE = "!include"


def read(kind: type[S], path: str | Path, changes: Iterable[str] = ()) -> S:
    """The YAML file `path` as a `kind`, with `changes` of the form `section.key=value` on top.

    Raises ConfigError, one line, naming the file, the line and the key.
    """
    document = _parse(Path(path))
    for change in changes:
        _apply(document, change)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(kind, Path(path), problem) for problem in error.errors())) from None


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
        return _parse(Path(self.name).parent / str(self.construct_scalar(node)), may_include=False)


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
        raise ConfigError(f"{path}: found {type(document).__name__}, wanted a mapping of sections")
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


def _explain(kind: type[Section], path: Path, problem: Mapping[str, Any]) -> str:
    place = problem["loc"]
    name = ".".join(str(part) for part in place)
    where = f"{_where(path, place)}: {name}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggest(kind, place)}"
    if problem["type"] == "missing":
        return f"{where}: missing key"
    return f"{where}: found {problem['input']!r}, wanted: {problem['msg'].removeprefix('Input should be ')}"


def _suggest(kind: type[Section], place: Sequence[str | int]) -> str:
    fields: Mapping[str, Any] = kind.model_fields
    for part in place[:-1]:
        annotation = fields[str(part)].annotation if str(part) in fields else None
        fields = getattr(annotation, "model_fields", {})
    close = difflib.get_close_matches(str(place[-1]), list(fields), n=1)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(fields)})"


def _where(path: Path, place: Sequence[str | int]) -> str:
    """The file and line on which `place` stands, or its nearest section that is there."""
    node, line = _nodes(path), 1
    for part in place:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == str(part)]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
        if node.tag == _INCLUDE:
            path, line = path.parent / node.value, 1
            node = _nodes(path)
    return f"{path}:{line}"


def _nodes(path: Path) -> yaml.Node | None:
    return yaml.compose(path.read_text(encoding="utf-8"), Loader=BoundedLoader)
