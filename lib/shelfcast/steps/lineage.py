"""forecasts/demand, monitoring/publications and the logs of the tables behind them -> stdout: what a forecast comes
from"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Row
from pyspark.sql import functions as F

from shelfcast.errors import ConfigError, LakeError
from shelfcast.flags import FORECAST_ID
from shelfcast.provenance import runs_behind
from shelfcast.publications import published_in
from shelfcast.runner import Runner
from shelfcast.schemas import FORECASTS

_NUMBERS = ("mean", "p10", "p50", "p90", "p98")


@dataclass(frozen=True)
class ForecastId:
    """A row of forecasts/demand within its region. item_id may hold slashes."""

    forecast_date: date
    level: str
    store_id: str
    item_id: str
    step: int

    @classmethod
    def of(cls, text: str) -> "ForecastId":
        """Raises ConfigError where the text is none.

        >>> ForecastId.of("2017-08-01/category/367/FLUID MILK/WHITE/2").item_id
        'FLUID MILK/WHITE'
        """
        try:
            day, level, store, rest = text.split("/", 3)
            item, step = rest.rsplit("/", 1)
            return cls(date.fromisoformat(day), level, store, item, int(step))
        except ValueError:
            raise ConfigError(f"forecast {text!r}: wanted {FORECAST_ID}") from None


def lineage(runner: Runner, text: str) -> None:
    """Print the forecast, its publications, and each run behind it with versions, settings, code and commit.

    Raises ConfigError where `text` names no forecast, LakeError where there is none of that name or its run is not in
    the log.
    """
    named = ForecastId.of(text)
    row = _find(runner, named)
    scope = {"region": runner.config.region, "forecast_date": str(named.forecast_date)}
    commit = runner.lake.last_commit(FORECASTS, scope)
    if commit is None or commit.run_key != row["run_id"]:
        raise LakeError(f"forecast {text}: its run {row['run_id']} is not the last in the log of {FORECASTS.name}")
    behind = runs_behind(runner.lake, runner.config.region, FORECASTS.name, commit)
    lines = [_told(text, row), *_publications(runner, named, row["run_id"]), *map(str, behind)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _find(runner: Runner, named: ForecastId) -> Row:
    rows = runner.lake.read(FORECASTS, runner.config.region)
    for name, value in vars(named).items():
        rows = rows.where(F.col(name) == F.lit(value))
    row = rows.first()
    if row is None:
        raise LakeError(f"forecast {named.forecast_date}/{named.level}/{named.store_id}/{named.item_id}/{named.step}: "
                        f"not in {FORECASTS.name} of region {runner.config.region}; wanted one that is")  # fmt: skip
    return row


def _told(text: str, row: Row) -> str:
    numbers = ", ".join(f"{name} {row[name]:.6g}" for name in _NUMBERS if row[name] is not None)
    return f"{text}: {numbers} units in the week of {row['week']}, by {row['method']}"


def _publications(runner: Runner, named: ForecastId, run_id: str) -> Iterator[str]:
    """When the forecast's run was published, and as which version; of another run's there may be publications too."""
    published = published_in(runner.lake, runner.config.region, named.forecast_date)
    scope = {"region": runner.config.region, "forecast_date": str(named.forecast_date)}
    for each in published:
        version = each.tables.get(FORECASTS.name)
        made = runner.lake.last_commit(FORECASTS, scope, until=version) if version is not None else None
        of = "this forecast" if made and made.run_key == run_id else "another forecast of that day"
        yield f"published {each.published_at:%Y-%m-%d %H:%M:%S} UTC by run {each.run_id}: {of}, version {version}"
    if not published:
        yield "not published"
