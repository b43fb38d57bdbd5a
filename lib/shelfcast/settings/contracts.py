"""The section of a configuration that says what a source has promised of its tables."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, model_validator

from shelfcast.settings.problems import fitting
from shelfcast.settings.sections import Section

_CHECKS = ("required", "unique", "range", "pattern", "reference", "freshness", "volume")
Columns = Annotated[tuple[str, ...], Field(min_length=1)]


class Range(Section):
    """What a column's values lie between, both in; a value that is not there is none."""

    column: str
    at_least: FiniteFloat | date | None = None
    at_most: FiniteFloat | date | None = None

    @model_validator(mode="after")
    def _has_bounds(self) -> "Range":
        bounds: list[Any] = self.bounds
        if not bounds or len({type(bound) for bound in bounds}) > 1 or bounds != sorted(bounds):
            raise ValueError("at_least, at_most or both, numbers or days, the greater one last")
        return self

    @property
    def bounds(self) -> list[float | date]:
        return [bound for bound in (self.at_least, self.at_most) if bound is not None]


class Pattern(Section):
    """A regular expression (Java's) that the whole of each text of a column fits."""

    column: str
    matches: str

    @property
    def anchored(self) -> str:
        return f"^(?:{self.matches})$"


class Reference(Section):
    """Where each value of a column is found: in a column of another of the source's tables, or in a list."""

    column: str
    table: str | None = None
    key: str | None = None
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_one_place(self) -> "Reference":
        if (self.table is None) == (not self.values):
            raise ValueError("one of table and values")
        if self.key is not None and self.table is None:
            raise ValueError("no key, which is a column of table")
        return self


class Freshness(Section):
    """How many days at most the newest day of a column lies before the newest day of sales."""

    column: str
    within_days: int = Field(ge=0)


class Volume(Section):
    """How many rows a delivery has; of_usual: at least and at most so many times what is usual, the median of those
    before it: of the rows a day where rows have days, else of its rows."""

    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)
    of_usual: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _has_bounds(self) -> "Volume":
        if (self.at_least, self.at_most, self.of_usual) == (None, None, None):
            raise ValueError("at_least, at_most or of_usual")
        for low, high in ((self.at_least or 0, self.at_most), self.of_usual or (0, None)):
            if high is not None and not 0 <= low <= high:
                raise ValueError("the greater one last")
        return self


class Rule(Section):
    """A promise of one table, and what becomes of a row that breaks it: it is counted, or quarantined; or the job
    fails. Columns are the canonical ones."""

    name: Annotated[str, fitting(r"[a-z][a-z0-9_]*", "a name of small letters, digits and underscores, a letter first")]
    table: str
    severity: Literal["count", "quarantine", "fatal"]
    required: Columns | None = None
    unique: Columns | None = None
    range: Range | None = None
    pattern: Pattern | None = None
    reference: Reference | None = None
    freshness: Freshness | None = None
    volume: Volume | None = None

    @model_validator(mode="after")
    def _has_one_check(self) -> "Rule":
        if len(found := [check for check in _CHECKS if getattr(self, check) is not None]) != 1:
            raise ValueError(f"one of {', '.join(_CHECKS)}, found {', '.join(found) or 'none'}")
        if self.is_of_table and self.severity == "quarantine":
            raise ValueError(f"count or fatal: {self.check} is broken by a table, and by none of its rows")
        return self

    @property
    def check(self) -> str:
        return next(check for check in _CHECKS if getattr(self, check) is not None)

    @property
    def tables(self) -> tuple[str, ...]:
        """Its own, and the one that it refers to."""
        return (self.table, *([self.reference.table] if self.reference and self.reference.table else []))

    @property
    def is_of_table(self) -> bool:
        """Whether it is the table that keeps it, and not each row."""
        return self.freshness is not None or self.volume is not None
