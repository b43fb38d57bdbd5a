"""Every setting of a configuration as a page of Markdown, made of the sections themselves: no key is forgotten.

A section is told by what its class says of it, a key by its kind, its bounds and its default.
"""

from collections.abc import Iterator
from textwrap import fill
from typing import Any, NamedTuple

from shelfcast.config import Config

Schema = dict[str, Any]
_WIDTH = 130
_HEAD = """# Settings

What a configuration (`conf/*.yaml`) may hold, and what `--set section.key=value` may change for one run. Made of the
code by `make reference`, and printed by `shelfcast settings`. A key without a default is wanted.
"""
_ROWS = "| key | kind | default |\n|---|---|---|"
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
}
_BOUNDS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


class Section(NamedTuple):
    """place: its path in the file, empty for the whole."""

    place: str
    schema: Schema


def reference() -> str:
    """The page."""
    schema = Config.model_json_schema()
    kinds: dict[str, Schema] = schema["$defs"]
    return "\n".join([_HEAD, *(_told(section, kinds) for section in _sections(Section("", schema), kinds))])


def _sections(section: Section, kinds: dict[str, Schema]) -> Iterator[Section]:
    """The section and those within it, each after the one that it is in."""
    yield section
    for key, schema in section.schema.get("properties", {}).items():
        for name, steps in _within(schema):
            place = ".".join(filter(None, (section.place, key, steps)))
            yield from _sections(Section(place, kinds[name]), kinds)


def _within(schema: Schema, steps: str = "") -> Iterator[tuple[str, str]]:
    """The sections that a key holds, by name, and how they are reached from it: `*` is any name, `[]` any item."""
    if "$ref" in schema:
        yield _name(schema), steps
    for kind in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _within(kind, steps)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _within(schema["additionalProperties"], f"{steps}*")
    if isinstance(schema.get("items"), dict):
        yield from _within(schema["items"], f"{steps}[]")


def _told(section: Section, kinds: dict[str, Schema]) -> str:
    lines = [f"## `{section.place}`\n"] if section.place else []
    lines.append(_as_paragraphs(section.schema.get("description", "")))
    required = section.schema.get("required", ())
    rows = [
        f"| `{key}` | {_kind(schema, kinds)} | {_default(schema, key in required)} |"
        for key, schema in section.schema.get("properties", {}).items()
    ]
    return "\n".join([*lines, _ROWS, *rows, ""])


def _as_paragraphs(text: str) -> str:
    paragraphs = (fill(" ".join(part.split()), _WIDTH) for part in text.split("\n\n"))
    return "".join(f"{paragraph}\n\n" for paragraph in paragraphs if paragraph).removesuffix("\n")


def _kind(schema: Schema, kinds: dict[str, Schema]) -> str:
    if "$ref" in schema:
        own = kinds[_name(schema)]
        return "section" if "properties" in own else _kind(own, kinds)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    several = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if several:
        return " or ".join(dict.fromkeys(_kind(one, kinds) for one in several))
    return _of_type(schema, kinds)


def _of_type(schema: Schema, kinds: dict[str, Schema]) -> str:
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list of {_kind(items, kinds)}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"mapping of names to {_kind(values, kinds)}" if isinstance(values, dict) else "mapping"
    if schema.get("format") == "date":
        return "day"
    if kind is None:
        return "any"
    bounds = " and ".join(f"{words} {schema[key]:g}" for key, words in _BOUNDS if key in schema)
    return " ".join(filter(None, (_WORDS[kind], bounds)))


def _default(schema: Schema, is_wanted: bool) -> str:
    if is_wanted:
        return ""
    if "$ref" in schema:
        return "of its keys"
    value = schema.get("default", {})
    if value is None:
        return "none"
    return f"`{_as_yaml(value)}`" if value or not isinstance(value, dict | list) else "empty"


def _as_yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_as_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_as_yaml(one)}' for key, one in value.items())}}}"
    return str(value)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
