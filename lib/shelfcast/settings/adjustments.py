"""What planners have set: a file of single settings that stand over those of a configuration.

The API writes it; jobs read it whenever they read the configuration, so that the next plan is made by it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from shelfcast.errors import ConfigError
from shelfcast.settings.bounded import MOST_BYTES, BoundedLoader, problem_of
from shelfcast.settings.problems import found, wanted
from shelfcast.settings.sections import Section

# section -> its keys that a planner may set: what orders are made by, and from which bound on somebody is told.
ADJUSTABLE: Mapping[str, tuple[str, ...]] = {
    "inventory": (
        *("targets", "review_days", "lead_days", "packs", "minima", "vendor_minima", "order_cost", "holding_rate"),
        *("max_cover_days", "overstock_days"),
    ),
    "monitoring": (
        *("warning_spreads", "warning_ratio", "critical_spreads", "critical_ratio", "refused_share", "held_share"),
        *("vanished_days", "psi_warning", "bias"),
    ),
}
KEYS = frozenset(f"{section}.{name}" for section, names in ADJUSTABLE.items() for name in names)
Adjustments = Mapping[str, Any]
S = TypeVar("S", bound=Section)


def read_adjustments(path: str | Path) -> dict[str, Any]:
    """`section.key` -> value; nothing where nobody has set anything yet. Raises ConfigError, naming the file."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); wanted a file of adjustments") from None
    _require_bounded(str(file), text)
    try:
        told = yaml.load(text, Loader=BoundedLoader) or {}  # a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not valid YAML: {problem_of(error)}; wanted adjustments") from None
    if not isinstance(told, dict) or not told.keys() <= KEYS:
        unknown = ", ".join(sorted(map(str, told.keys() - KEYS))) if isinstance(told, dict) else type(told).__name__
        raise ConfigError(f"{file}: found {unknown}; wanted keys such as inventory.targets")
    return told


def as_changes(adjustments: Adjustments) -> list[str]:
    """As `--set` has them.

    >>> as_changes({"inventory.lead_days": 5, "inventory.packs": {"p1": 6.0}})
    ['inventory.lead_days=5', 'inventory.packs={p1: 6.0}']
    """
    return [f"{key}={_in_a_line(value)}" for key, value in adjustments.items()]


def adjusted(config: S, adjustments: Adjustments) -> S:
    """The configuration with the adjustments. Raises ConfigError, naming each key that is wrong."""
    sections: dict[str, dict[str, Any]] = {}
    for key, value in adjustments.items():
        section, name = key.split(".")
        sections.setdefault(section, getattr(config, section).model_dump())[name] = value
    changed = {name: _validated(name, type(getattr(config, name)), told) for name, told in sections.items()}
    return config.model_copy(update=changed)


def _validated(name: str, kind: type[Section], told: Mapping[str, Any]) -> Section:
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(name, problem) for problem in error.errors())) from None


def as_text(adjustments: Adjustments) -> str:
    """The content of the file. Raises ConfigError where that is more than is read."""
    text: str = yaml.safe_dump(dict(adjustments), sort_keys=True, allow_unicode=True)
    _require_bounded("adjustments", text)
    return text


def _require_bounded(name: str, text: str) -> None:
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{name}: found {len(text):,} characters, wanted {MOST_BYTES:,} or fewer")


def _in_a_line(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.strip().removesuffix("...").strip()


def _explain(section: str, problem: Mapping[str, Any]) -> str:
    place = ".".join(map(str, (section, *problem["loc"])))
    return f"{place}: found {found(problem['input'])}, wanted: {wanted(problem)}"
