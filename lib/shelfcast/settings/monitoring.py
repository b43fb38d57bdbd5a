"""The section of a configuration that anomalies are found and told by."""

from datetime import date
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from shelfcast.settings.problems import fitting
from shelfcast.settings.sections import LocalFile, Section

# The graver bound and the lesser one, which is not beyond it.
_GRAVER = {"critical_spreads": "warning_spreads", "critical_ratio": "warning_ratio", "psi_warning": "psi_info"}
Ratio = Annotated[float, Field(gt=1)]
Variable = Annotated[str, fitting(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
Share = Annotated[float, Field(gt=0, lt=1)]


class Accepted(Section):
    """A day that somebody has looked at and found true, of one store or of all."""

    day: date
    store: str | None = None


class Monitoring(Section):
    """What counts as an anomaly, what it holds back, and whom it is told.

    history_weeks: a store's day is compared with the same weekdays of so many weeks before it, min_weeks of them or
    more. A volume is told of where it is warning_spreads spreads of their logarithm, each of min_spread or more, and a
    factor of warning_ratio away from their median; it is held by critical_spreads and critical_ratio. min_rows: a day
    of fewer rows is not compared with others row by row. repeated_share, refused_share: of a day's rows, from which on
    it is named. window_days: what is recent; vanished_days: a store that sold nothing for so long is gone. held_share:
    where more of the stores are held, no plan is made. accepted: days that are held no longer.

    drift_weeks: the newest weeks, compared with the year before them; psi_info, psi_warning: from which PSI on that is
    told. new_share: of the revenue, from products that are new or gone. bound_ratio, shift_ratio: how far a forecast
    may lie outside the history's bounds and from the last weeks' mean; outside_share: of a level's series that may.
    coverage_gap, bias: how far past forecasts may be off, in shares of the weeks and of demand.

    webhook: the environment variable that holds the address to which alerts are posted, `tries` times at most, each
    with `timeout` seconds; alerts_file: a file of JSON lines. At most `most` alerts are told at once.
    """

    history_weeks: int = Field(default=26, ge=2)
    min_weeks: int = Field(default=4, ge=2)
    warning_spreads: float = Field(default=3.5, gt=0)
    critical_spreads: float = Field(default=4.5, gt=0, validate_default=True)
    min_spread: float = Field(default=0.1, gt=0)
    warning_ratio: Ratio = 1.8
    critical_ratio: Ratio = Field(default=3.0, validate_default=True)
    min_rows: int = Field(default=8, ge=2)
    repeated_share: Share = 0.4
    refused_share: Share = 0.5
    window_days: int = Field(default=28, ge=1)
    vanished_days: int = Field(default=14, ge=1)
    held_share: Share = 0.5
    accepted: tuple[Accepted, ...] = ()
    drift_weeks: int = Field(default=4, ge=1)
    psi_info: float = Field(default=0.1, gt=0)
    psi_warning: float = Field(default=0.25, gt=0, validate_default=True)
    new_share: Share = 0.2
    bound_ratio: Ratio = 1.5
    shift_ratio: Ratio = 1.5
    outside_share: Share = 0.02
    coverage_gap: Share = 0.1
    bias: float = Field(default=0.15, gt=0)
    webhook: Variable | None = None
    alerts_file: LocalFile | None = None
    timeout: float = Field(default=10.0, gt=0)
    tries: int = Field(default=3, ge=1, le=10)
    most: int = Field(default=200, ge=1)

    @field_validator(*_GRAVER)
    @classmethod
    def _is_no_nearer_than_the_lesser(cls, bound: float, info: ValidationInfo) -> float:
        lesser = _GRAVER[str(info.field_name)]
        # One that is wrong itself is named by its own error.
        if bound < info.data.get(lesser, bound):
            raise ValueError(f"{lesser}, {info.data[lesser]:g}, or more")
        return bound
