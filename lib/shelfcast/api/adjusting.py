"""What planners set: the settings of a region as the next plan will read them, and the file that they change."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from shelfcast.api.access.audit import Origin, record
from shelfcast.api.problems import Problem
from shelfcast.api.service import Service
from shelfcast.api.view import View
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.locks import locked
from shelfcast.settings.adjustments import ADJUSTABLE, KEYS, adjusted, as_text, read_adjustments

_TARGETS = "inventory.targets"
# What is ordered today has to last so long.
_PROTECTED = ("inventory.lead_days", "inventory.review_days")


@dataclass(frozen=True)
class Adjusted:
    """version: changes with what planners have set. values: as the next plan reads them; configured: as they stand in
    the configuration. own: the keys that planners have set. fill_rate: where the configuration has one for all
    products, so that targets of classes are not read."""

    version: str
    values: Mapping[str, Any]
    configured: Mapping[str, Any]
    own: frozenset[str]
    fill_rate: float | None


def settings_of(service: Service, view: View) -> Adjusted:
    """Raises Problem 403 where the user does not reach all of the region, 409 where it has no file of adjustments."""
    config, path = _config_of(service, view)
    return _adjusted(config, read_adjustments(path))


def adjust(service: Service, view: View, origin: Origin, version: str, changes: Mapping[str, Any]) -> Adjusted:
    """Set what is to change, and keep who did; null goes back to the configuration.

    Raises as `settings_of` does; Problem 409 where others have set something since, ConfigError where a value is none
    or no plan could be made by it.
    """
    config, path = _config_of(service, view)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock")):
        before = _adjusted(config, own := read_adjustments(path))
        if before.version != version:
            detail = f"settings of region {view.region}: others have changed them since; wanted them read anew"
            raise Problem(HTTPStatus.CONFLICT, detail)
        kept = {key: value for key, value in {**own, **changes}.items() if value is not None}
        after = _adjusted(config, _written_out(config, kept))
        _require_use(config, after, changes)
        with service.database.begin() as connection:
            told, what = _changed(before.values, after.values), f"settings of region {view.region}"
            record(connection, origin, view.principal.name, "settings", what, region=view.region, detail=told)
            _write(path, as_text({key: after.values[key] for key in sorted(after.own)}))
    return after


def _config_of(service: Service, view: View) -> tuple[Config, Path]:
    view.require_region()
    config = service.configs.get(view.region)
    if config is None or config.adjustments is None:
        detail = f"region {view.region}: its configuration names no file of adjustments; wanted one that its jobs read"
        raise Problem(HTTPStatus.CONFLICT, detail)
    return config, Path(config.adjustments)


def _adjusted(config: Config, own: Mapping[str, Any]) -> Adjusted:
    version = hashlib.sha256(json.dumps(own, default=str, sort_keys=True).encode()).hexdigest()[:16]
    values, configured = _values(adjusted(config, own)), _values(config)
    return Adjusted(version, values, configured, frozenset(own), config.inventory.fill_rate)


def _require_use(config: Config, after: Adjusted, changes: Mapping[str, Any]) -> None:
    """Raises ConfigError where a change would keep the next plan from being made, or not be read."""
    days, configured = (sum(values[key] for key in _PROTECTED) for values in (after.values, after.configured))
    ahead = 7 * config.backtest.horizon
    if days > max(ahead, configured) and not {*_PROTECTED}.isdisjoint(changes):
        raise ConfigError(
            f"{' + '.join(_PROTECTED)}: found {days} days; wanted {ahead} or fewer, which are forecast "
            f"(backtest.horizon, {config.backtest.horizon} weeks)"
        )
    if after.fill_rate is not None and changes.get(_TARGETS) is not None:
        raise ConfigError(
            f"{_TARGETS}: found other ones; wanted none, for inventory.fill_rate, {after.fill_rate:g}, stands over them"
        )


def _written_out(config: Config, own: Mapping[str, Any]) -> dict[str, Any]:
    """Each value as its section has understood it."""
    values = _values(adjusted(config, own))
    try:
        json.dumps(values, allow_nan=False)
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "changes: found a number without end; wanted one") from None
    return {key: values[key] for key in own}


def _values(config: Config) -> dict[str, Any]:
    found = {name: getattr(config, name).model_dump(mode="json") for name in ADJUSTABLE}
    return {key: found[key.partition(".")[0]][key.partition(".")[2]] for key in sorted(KEYS)}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each entry that differs, as it was and as it is: inventory.packs.p1, null where there is none."""
    then, now = dict(_entries(before)), dict(_entries(after))
    pairs = {key: {"before": then.get(key), "after": now.get(key)} for key in sorted({*then, *now})}
    return {key: pair for key, pair in pairs.items() if pair["before"] != pair["after"]}


def _entries(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _entries(value, f"{under}{name}.")
        else:
            yield f"{under}{name}", value


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a job may read it at any moment."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
