"""Typed configuration: one YAML file per dataset or region. A wrong key is an error with its place, never a guess."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shelfcast.errors import ConfigError


class Section(BaseModel):
    """A part of the configuration: immutable, and without room for keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """Where the transactions come from. time_zone: that of the stores; a day is theirs."""

    kind: str
    path: str | None = None
    persons: dict[str, Literal["drop", "hash"]] = {}
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("the name of a time zone, such as America/New_York")
        return name


class Outliers(Section):
    """The robust upper bound of a product's quantity: median * exp(spreads * max(1.4826 * MAD of logs,
    min_log_spread))."""

    learn_until: date
    spreads: float = Field(gt=0)
    min_log_spread: float = Field(gt=0)
    min_sales: int = Field(ge=2)


class Volume(Section):
    """Products whose median quantity exceeds `median_over` are sold by volume; one unit of them is `per_unit` of it."""

    median_over: float = Field(gt=0)
    per_unit: float = Field(gt=0)


class Cleaning(Section):
    """What is refused, what is flagged, and which products are sold by volume."""

    first_day: date
    last_day: date
    max_quantity: float = Field(gt=0)
    max_unit_price: float = Field(gt=0)
    ounce: Literal["weight", "fluid"]
    outliers: Outliers
    volume: Volume


class Demand(Section):
    """How sales become demand."""

    category: str
    ended_after_weeks: int | None = Field(default=None, ge=1)


class Reference(Section):
    """The published selection of series that other tools are compared on."""

    stores: int = Field(ge=1)
    min_units: float = Field(ge=0)
    max_quantity: float = Field(gt=0)
    exclude_categories: tuple[str, ...] = ()


class Backtest(Section):
    """Rolling origins: the last `origins` cutoffs, `stride` weeks apart, `horizon` weeks ahead of each.

    The `slow_models` forecast the `slow_series` largest series of a panel, or all.
    """

    horizon: int = Field(ge=1)
    origins: int = Field(ge=3)
    stride: int = Field(ge=1)
    season: int = Field(ge=2)
    reference: Reference
    category_models: tuple[str, ...]
    product_models: tuple[str, ...]
    slow_models: tuple[str, ...] = ()
    slow_series: int | Literal["all"]
    min_selling_weeks: int = Field(ge=1)

    @property
    def sampled(self) -> dict[str, int]:
        """The models that forecast the largest series of a panel alone, and how many of them."""
        return {} if self.slow_series == "all" else dict.fromkeys(self.slow_models, self.slow_series)


class Training(Section):
    """How many examples the global models learn from."""

    max_examples: dict[Literal["category", "product"], int]
    min_history: int = Field(ge=1)


class Forecast(Section):
    """The middle-out forecast and its calibration."""

    share_weeks: int = Field(ge=1)
    share_prior: float = Field(gt=0)
    remainder_floor: float = Field(ge=0, lt=1)
    calibration_share: float = Field(gt=0, le=1)


class Study(Section):
    """The published study's own protocol."""

    products: int = Field(ge=1)
    max_rows: int = Field(ge=1)


class Runtime(Section):
    """How the work is cut; results do not depend on the cores at hand, only on these counts."""

    buckets: int = Field(ge=1)
    seed: int


class Config(Section):
    """Everything that a run of one region depends on."""

    lake: str
    region: str = Field(pattern=r"^[a-z0-9_]+$")
    country: str
    as_of: date | None = None
    source: Source
    cleaning: Cleaning
    demand: Demand
    backtest: Backtest
    training: Training
    forecast: Forecast
    study: Study
    runtime: Runtime

    @property
    def lake_root(self) -> str:
        """The lake's address: a URI as it stands, a path made absolute."""
        return self.lake if "://" in self.lake else str(Path(self.lake).absolute())


def load(path: str | Path, changes: Iterable[str] = ()) -> Config:
    """The configuration in the YAML file `path`, with `changes` of the form `section.key=value` on top.

    Raises ConfigError, one line, naming the file, the line and the key.
    """
    return read(Config, path, changes)


S = TypeVar("S", bound=Section)


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


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); wanted a YAML configuration file") from None
    try:
        document = yaml.load(text, Loader=_UniqueKeyLoader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: found {type(document).__name__}, wanted a mapping of sections")
    return document


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
        document[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {change}: the value is not valid YAML") from None


def _explain(kind: type[Section], path: Path, problem: Mapping[str, Any]) -> str:
    place = problem["loc"]
    name = ".".join(str(part) for part in place)
    where = f"{path}:{_line(path, place)}: {name}"
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


def _line(path: Path, place: Sequence[str | int]) -> int:
    """The line on which `place` stands, or its nearest section that is there."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = 1
    for part in place:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == str(part)]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
