"""Numbers as people read them: with units, at the precision that matters, and a dash where there is none."""

from datetime import date
from math import isfinite

MISSING = "\u2013"
_MINUS = "\u2212"
_SPACE = "\u202f"  # narrow and unbreakable: a number and its unit stay on one line


def count(number: float | None) -> str:
    """1469307 -> "1,469,307"."""
    return MISSING if _is_missing(number) else _signed(f"{number:,.0f}")


def compact(number: float | None) -> str:
    """1469307 -> "1.47 M", 36042 -> "36.0 k"; below ten thousand as `amount`."""
    if number is None or _is_missing(number):
        return MISSING
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= max(size, 1e4):
            return _signed(
                f"{number / size:.3g}{_SPACE}{letter}" if abs(number) < 1000 * size else f"{number / size:,.0f}"
            )
    return amount(number)


def amount(number: float | None) -> str:
    """Three significant digits below a thousand, whole numbers above: 3.2, 0.0123, 912, 1,234."""
    if number is None or _is_missing(number):
        return MISSING
    if abs(number) >= 999.5:
        return count(number)
    return _signed(f"{number:.3g}" if abs(number) >= 0.001 or number == 0 else f"{number:.0e}")


def precise(number: float | None) -> str:
    """As `amount`, with its trailing zeros, so that a column of them reads as one: 10.1, 11.0, 4.60."""
    if number is None or _is_missing(number) or abs(number) >= 999.5 or abs(number) < 0.001:
        return amount(number)
    return _signed(f"{number:#.3g}".removesuffix("."))


def money(number: float | None, currency: str) -> str:
    """36042.5, "$" -> "$36.0 k"."""
    text = compact(number)
    return text if text == MISSING else f"{currency}{text}"


def share(ratio: float | None, digits: int = 1) -> str:
    """0.3365 -> "33.7 %"; nothing and all carry no decimals, so that 99.99 % is not taken for them."""
    if ratio is None or _is_missing(ratio):
        return MISSING
    return _signed(f"{100 * ratio:,.{0 if ratio in (0, 1) else digits}f}{_SPACE}%")


def signed_share(ratio: float | None) -> str:
    """0.021 -> "+2.1 %"."""
    if ratio is None or _is_missing(ratio):
        return MISSING
    return _signed(f"{100 * ratio:+.1f}{_SPACE}%")


def points(difference: float | None) -> str:
    """A difference of two shares, 0.021 -> "+2.1 points"."""
    if difference is None or _is_missing(difference):
        return MISSING
    return _signed(f"{100 * difference:+.1f}{_SPACE}points")


def ratio(number: float | None) -> str:
    """Three decimals: 0.912."""
    return MISSING if number is None or _is_missing(number) else _signed(f"{number:.3f}")


def seconds(number: float | None) -> str:
    """0.84 -> "0.8 s", 133 -> "2 min 13 s"."""
    if number is None or _is_missing(number):
        return MISSING
    if number < 59.95:
        return f"{number:.1f}{_SPACE}s"
    minutes, rest = divmod(round(number), 60)
    return f"{minutes}{_SPACE}min {rest}{_SPACE}s"


def day(value: date) -> str:
    """2017-01-02 -> "2 Jan 2017"."""
    return f"{value.day} {value:%b %Y}"


def words(name: str) -> str:
    """A name in code as words: "seasonal_naive" -> "seasonal naive"."""
    return name.replace("_", " ")


def _is_missing(number: float | None) -> bool:
    return number is None or not isfinite(number)


def _signed(text: str) -> str:
    return text.replace("-", _MINUS, 1) if text.startswith("-") else text
