"""The backtest's plan: its panels, their time axes and cutoffs, from the data's first day and the as-of date."""

from dataclasses import dataclass
from datetime import date, timedelta

from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.panel import Axis
from shelfcast.panels import CATEGORY, PRODUCT, REFERENCE
from shelfcast.weeks import WEEK, backtest_cutoffs, rolling_origins, whole_weeks


@dataclass(frozen=True)
class Plan:
    """weeks: the whole ones known. cutoffs: weeks known at each origin of the backtest, oldest first."""

    weeks: tuple[date, ...]
    cutoffs: tuple[int, ...]
    horizon: int
    season: int

    def axis(self, panel: str) -> Axis:
        """The published selection fills every series with zeros from the first week; ours begin with their first
        sale."""
        return Axis(self.weeks, self.season, self.horizon, from_first_sale=panel != REFERENCE)

    def last_week(self, cutoff: int) -> date:
        """The last week that is known after `cutoff` weeks: how tables name a cutoff."""
        return self.weeks[cutoff - 1]

    @property
    def origins(self) -> tuple[int, ...]:
        """How many weeks are known at each cutoff, and now: where a model is fitted that forecasts the weeks ahead."""
        return (*self.cutoffs, len(self.weeks))

    @property
    def ahead(self) -> tuple[date, ...]:
        """The weeks to forecast."""
        return tuple(self.weeks[-1] + WEEK * (step + 1) for step in range(self.horizon))


def make_plan(config: Config, first_day: date, last_day: date, trained_on: date | None = None) -> Plan:
    """The plan for what is known of first_day..last_day.

    trained_on: the last day that the backtest knew, where it was an earlier one: its cutoffs stand until the next.

    Raises NotEnoughHistoryError where the weeks do not suffice, ConfigError where the outlier bounds are learned from
    weeks that the backtest is judged on.
    """
    weeks, settings = tuple(whole_weeks(first_day, last_day)), config.backtest
    known = _backtested(first_day, last_day, trained_on)
    cutoffs = backtest_cutoffs(
        len(known), settings.horizon, settings.origins, settings.stride, config.training.min_history + 1
    )
    first_cutoff, learned = weeks[cutoffs[0] - 1] + WEEK - timedelta(days=1), config.cleaning.outliers.learn_until
    if learned > first_cutoff:
        raise ConfigError(
            f"cleaning.outliers.learn_until: found {learned}, wanted {first_cutoff} or earlier, the first cutoff of "
            f"what is known by {last_day}: a bound must not know the weeks that the backtest is judged on"
        )
    return Plan(weeks, tuple(cutoffs), settings.horizon, settings.season)


def known_until(config: Config, first_day: date, last_day: date, trained_on: date | None = None) -> list[date]:
    """The last day of what each cutoff of that plan knows, oldest first, as far as there are weeks, and the last of
    all."""
    weeks, settings = _backtested(first_day, last_day, trained_on), config.backtest
    cutoffs = rolling_origins(len(weeks), settings.horizon, settings.origins, settings.stride)
    return [weeks[cutoff - 1] + WEEK - timedelta(days=1) for cutoff in cutoffs if cutoff > 0] + [last_day]


def _backtested(first_day: date, last_day: date, trained_on: date | None) -> list[date]:
    """The weeks that the backtest knew."""
    return whole_weeks(first_day, min(last_day, trained_on or last_day))


PANELS = (REFERENCE, CATEGORY, PRODUCT)
