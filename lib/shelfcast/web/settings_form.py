"""The form of a planner's settings: what its fields are called, and what is written into them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shelfcast.web.localized import Localized

KINDS = {"fill_rate": "fill rate", "cycle_service": "cycle service level"}
CLASSES = tuple(f"{abc}{xyz}" for abc in "ABC" for xyz in "XYZ")
_TARGETS = "inventory.targets"


@dataclass(frozen=True)
class Field:
    """key: the setting. percent: it is a share, and written in percent. whole: a whole number."""

    key: str
    title: str
    note: str
    percent: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    note: str
    fields: Sequence[Field]


GROUPS = (
    Group("Orders", "What the next plan orders by.", (
        Field("inventory.review_days", "Review period, days", "from one chance to order to the next", whole=True),
        Field("inventory.lead_days", "Lead time, days", "of vendors that no purchase tells of", whole=True),
        Field("inventory.order_cost", "Cost of an order line", "money"),
        Field("inventory.holding_rate", "Holding cost a year, %", "of what a unit costs", percent=True),
        Field("inventory.max_cover_days", "Longest cover, days", "the most that an order is to last", whole=True),
        Field("inventory.overstock_days", "Too much after, days", "what lasts longer than needed and so long",
              whole=True),
    )),
    Group("Alerts", "From which bound on somebody is told. A critical day is held: models and plans leave it out.",
          (
        Field("monitoring.warning_ratio", "Warning, times the usual", "a store's day beside its weekdays"),
        Field("monitoring.warning_spreads", "Warning, spreads", "and so many spreads away"),
        Field("monitoring.critical_ratio", "Critical, times the usual", "a store's day beside its weekdays"),
        Field("monitoring.critical_spreads", "Critical, spreads", "and so many spreads away"),
        Field("monitoring.refused_share", "Refused rows, %", "of a day's", percent=True),
        Field("monitoring.held_share", "Held stores, %", "where more are held, no plan is made", percent=True),
        Field("monitoring.vanished_days", "A store is gone after, days", "without a sale", whole=True),
        Field("monitoring.psi_warning", "Drift (PSI)", "from which on it is a warning"),
        Field("monitoring.bias", "Bias, %", "of past forecasts", percent=True),
    )),
)  # fmt: skip
LISTS = (
    Field("inventory.packs", "Packs", "product = units that come together, one a line"),
    Field("inventory.minima", "Least orders", "product = units, one a line"),
    Field("inventory.vendor_minima", "Vendors' least orders", "vendor = money for a day's orders of all stores"),
)


class FormError(ValueError):
    """A field that holds what cannot be read: its title, what was found, what was wanted."""


def as_fields(values: Mapping[str, Any], say: Localized) -> dict[str, str]:
    """Field -> text, of settings: single numbers as browsers send them, those of lists as the reader writes them."""
    scalars = [field for group in GROUPS for field in group.fields]
    found = {field.key: _number_text(values[field.key], field.percent) for field in scalars}
    found |= {field.key: _list_text(values[field.key], say) for field in LISTS}
    for name, target in values[_TARGETS].items():
        found |= {f"level.{name}": _number_text(target["level"], True), f"kind.{name}": target["kind"]}
    return found


def changes_in(fields: Mapping[str, str], values: Mapping[str, Any], say: Localized) -> dict[str, Any]:
    """The settings that the fields change. Raises FormError."""
    before = as_fields(values, say)
    read = dict(_read(fields, say))
    is_new = {key: any(fields.get(name) != before[name] for name in _names(key)) for key in read}
    return {key: value for key, value in read.items() if is_new[key]}


def _names(key: str) -> list[str]:
    return [f"{part}.{name}" for name in CLASSES for part in ("kind", "level")] if key == _TARGETS else [key]


def _read(fields: Mapping[str, str], say: Localized) -> Iterator[tuple[str, Any]]:
    for group in GROUPS:
        for field in group.fields:
            if field.key in fields:
                yield field.key, _number(field, fields[field.key])
    for field in LISTS:
        if field.key in fields:
            yield field.key, dict(_lines(field, fields[field.key], say))
    if f"level.{CLASSES[0]}" in fields:
        yield _TARGETS, {name: _target(name, fields) for name in CLASSES}


def _target(name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    level = Field("", f"Service level of {name}, %", "", percent=True)
    return {"kind": fields.get(f"kind.{name}", ""), "level": _number(level, fields.get(f"level.{name}", ""))}


def _number(field: Field, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise FormError(f"{field.title}: found {text[:40]!r}, wanted a number") from None
    if field.percent:
        return round(value / 100, 10)
    return int(value) if field.whole and value.is_integer() else value


def _lines(field: Field, text: str, say: Localized) -> Iterator[tuple[str, float]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, value = line.rpartition("=")
        if not name.strip():
            raise FormError(f"{field.title}: found {line[:60]!r}, wanted a line such as {field.note.split(',')[0]}")
        try:
            yield name.strip(), say.read(value.strip())
        except ValueError:
            wanted = f"a number such as {say.plain(1000)} or {say.plain(0.5)}"
            raise FormError(f"{field.title}: found {line[:60]!r}, wanted {wanted}") from None


def _list_text(amounts: Mapping[str, float], say: Localized) -> str:
    return "\n".join(f"{name} = {say.plain(amount)}" for name, amount in amounts.items())


def _number_text(value: float, percent: bool) -> str:
    return f"{value * 100 if percent else value:.10g}"
