"""Numbers and days as the reader's country writes them; words are English throughout."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property, lru_cache
from math import floor, isfinite, log10

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.localedata import locale_identifiers
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol, parse_decimal, parse_pattern

MISSING = "\u2013"
_DIGITS = 3
_LONGEST_HEADER = 200


@dataclass(frozen=True)
class Localized:
    """locale: one of those that Babel knows. currency: the sign before money, which is the region's and not the
    reader's."""

    locale: str
    currency: str = ""

    @staticmethod
    def of(accept_language: str) -> "Localized":
        """The first locale of the header that is known, or its language; English where there is none.

        >>> Localized.of("de-DE,de;q=0.9,en;q=0.8").number(1234.5), Localized.of("en-GB").number(1234.5)
        ('1.234', '1,234')
        """
        return Localized(_negotiated(accept_language[:_LONGEST_HEADER]))

    @property
    def tag(self) -> str:
        """The locale as a browser names it, with the digits that all numbers here are written in.

        >>> Localized("de_AT").tag
        'de-AT-u-nu-latn'
        """
        return f"{self.locale.replace('_', '-')}-u-nu-latn"

    def number(self, value: float | None) -> str:
        """Three digits below a thousand, whole numbers above: 3.2, 0.0123, 912, 1,234."""
        if value is None or not isfinite(value):
            return MISSING
        if abs(value) >= 999.5 or value == int(value):
            return self._decimal(value, 0)
        return self._decimal(value, min(max(_DIGITS - 1 - floor(log10(abs(value))), 0), 4))

    def plain(self, value: float) -> str:
        """As it is typed: all its digits, in no groups."""
        return str(_with_digits("0", 0, 10).apply(value, self._known))

    def read(self, text: str) -> float:
        """The number that the reader has typed, its groups as the locale has them or none. Raises ValueError where it
        is none of the locale's: 1.5 is no number where the point marks thousands.

        >>> Localized("de").read("1.000"), Localized("de").read("1,5"), Localized("en").read("1,000")
        (1000.0, 1.5, 1000.0)
        """
        marks = {get_decimal_symbol(self._known), get_group_symbol(self._known)}
        # Decimal would take 1_000 and 1e3 too, which nobody means.
        if not {*text} <= {*"0123456789"} | marks:
            raise ValueError(text)
        return float(parse_decimal(text, self._known, strict=True))

    def money(self, value: float | None) -> str:
        """Whole, or with cents below a hundred.

        >>> Localized("de", "€").money(36042.0), Localized("en", "$").money(36.5)
        ('€36.042', '$36.50')
        """
        if value is None or not isfinite(value):
            return MISSING
        told = self._decimal(value, 0) if abs(value) >= 99.995 else self._decimal(value, 2, 2)
        return f"{self.currency}{told}"

    def share(self, ratio: float | None, digits: int = 0) -> str:
        """0.337 -> 34 %, as the locale writes it."""
        if ratio is None or not isfinite(ratio):
            return MISSING
        pattern = _with_digits(self._known.percent_formats[None].pattern, digits, digits)
        return str(pattern.apply(ratio, self._known))

    def change(self, value: float | None) -> str:
        """With its sign: +3, -1.2."""
        if value is None or not isfinite(value):
            return MISSING
        return f"+{self.number(value)}" if value > 0 else self.number(value)

    def share_change(self, ratio: float | None) -> str:
        """A share with its sign: +2.1 %."""
        told = self.share(ratio, 1)
        return f"+{told}" if ratio is not None and ratio > 0 else told

    def day(self, value: date | None) -> str:
        return format_date(value, "medium", locale=self._known) if value else MISSING

    def short_day(self, value: date) -> str:
        """Without its year."""
        return format_skeleton("MMMd", value, locale=self._known)

    def month(self, value: date, with_year: bool) -> str:
        return format_date(value, "LLL y" if with_year else "LLL", locale=self._known)

    def moment(self, value: datetime | None) -> str:
        if value is None:
            return MISSING
        return f"{format_datetime(value.astimezone(UTC), 'medium', locale=self._known)} UTC"

    def _decimal(self, value: float, most: int, least: int = 0) -> str:
        pattern = _with_digits(self._known.decimal_formats[None].pattern, least, most)
        return str(pattern.apply(value, self._known))

    @cached_property
    def _known(self) -> Locale:
        return Locale.parse(self.locale)


@lru_cache(maxsize=256)
def _negotiated(accept_language: str) -> str:
    tags = [part.partition(";")[0].strip().replace("-", "_") for part in accept_language.split(",")]
    return str(Locale.negotiate(filter(str.isascii, tags), locale_identifiers()) or "en")


@cache
def _with_digits(pattern: str, least: int, most: int) -> NumberPattern:
    """The pattern with so many digits behind the point."""
    found = parse_pattern(pattern)
    found.frac_prec = (least, most)
    return found
