"""When models are chosen anew, and when a day is made."""

from datetime import time
from typing import Annotated

from pydantic import BeforeValidator, Field

from shelfcast.settings.sections import Section


class Retraining(Section):
    """When champion and challenger are backtested anew, and what a challenger must show to be promoted.

    every_days: at the latest so many days after the last time; on drift sooner. origins: of the backtest, at least so
    many that both have forecast. tolerance: no demand class may be forecast worse than by this share. barred_days: a
    champion that was rolled back is no challenger so long. networks: job train_mlp is part of it, so that networks may
    be champions.
    """

    every_days: int = Field(default=7, ge=1)
    origins: int = Field(default=3, ge=3)
    tolerance: float = Field(default=0.02, ge=0)
    barred_days: int = Field(default=28, ge=0)
    networks: bool = False


def _of_text(given: object) -> object:
    """YAML reads a bare 10:30 as 630, in base 60."""
    if given is not None and not isinstance(given, str | time):
        raise ValueError("a time of day in quotes, such as '06:30'")
    return given


class Daily(Section):
    """catch_up_days: of the days that were missed since the last publication the daily run makes so many, the newest;
    those before them are left to a backfill. deadline: when a day is to be published, on the next day by the stores'
    clock; job check_deadline looks, and waits for no day on which the region does not usually sell."""

    catch_up_days: int = Field(default=7, ge=0)
    deadline: Annotated[time | None, BeforeValidator(_of_text)] = None
