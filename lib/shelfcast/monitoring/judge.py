"""The days of stores, judged a bucket of stores at a time: how much sold, whether it came, whether it came twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import log

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from shelfcast.monitoring.alerts import CRITICAL, FINDINGS, INFO, WARNING, Finding, subject_of
from shelfcast.monitoring.freshness import CHECK as FRESHNESS
from shelfcast.monitoring.repeats import REFUSED, repeats
from shelfcast.monitoring.store_days import sum_stores
from shelfcast.monitoring.stores import vanished
from shelfcast.monitoring.volume import FloatArray, Volumes, compare
from shelfcast.panels import bucket_of, by_bucket
from shelfcast.settings.monitoring import Monitoring
from shelfcast.table import column_names
from shelfcast.weeks import monday

VOLUME = "volume"
# A store counts for so many times the critical ratio at most in the sum of all: all of them are critical then, and one
# of two or more is not.
_BEYOND = 1.5


@dataclass(frozen=True)
class Judge:
    """newest: the last day on which any store sold. holidays: public ones, on which a store may be closed."""

    settings: Monitoring
    newest: date
    holidays: frozenset[date]

    def findings(self, store_days: DataFrame, buckets: int) -> DataFrame:
        """FINDINGS about stores and days. store_days: as store_days.sum_store_days makes them."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            found = [each for _, days in rows.groupby("store_id") for each in self.of_store(days)]
            return pd.DataFrame(found, columns=column_names(FINDINGS))

        bucketed = store_days.withColumn("bucket", bucket_of(buckets, "store_id"))
        return by_bucket(bucketed, buckets).applyInPandas(of_bucket, FINDINGS)

    def findings_of_all(self, store_days: DataFrame) -> DataFrame:
        """FINDINGS about days of all stores together: a row a day is judged in one task."""

        def of_all(rows: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame([*self.of_all(rows)], columns=column_names(FINDINGS))

        summed = sum_stores(store_days, _BEYOND * self.settings.critical_ratio)
        return summed.groupBy("store_id").applyInPandas(of_all, FINDINGS)

    def of_all(self, days: pd.DataFrame) -> Iterator[Finding]:
        """What is critical about the days of all stores: where each sells little, none is odd enough alone.

        A store that is odd alone is held by name: it must not hold all, so that a volume has to be far off with each
        counting within bounds too. By how many spreads is asked of what sold alone: bounds leave a chain of thin stores
        none that are far enough. That little came is none of it: some stores are late then. Nor are refused rows: those
        of a store are told of it.
        """
        far = self._far_off_within_bounds(days)
        for found in self.of_store(days):
            if found.severity != CRITICAL or found.check == REFUSED:
                continue
            if found.check != VOLUME or (found.day in far and not 0 < (found.found or 0.0) < 1):
                yield found

    def _far_off_within_bounds(self, days: pd.DataFrame) -> set[date]:
        bounded = _since_first_sale(days.assign(rows=days["bounded_rows"], units=days["bounded_units"]))
        volumes, first = self._compare(bounded)
        ratio, bound = volumes.ratio, self.settings.critical_ratio
        with np.errstate(invalid="ignore"):
            places = np.flatnonzero(((ratio >= bound) | (ratio <= 1 / bound)).ravel())
        return {first + timedelta(days=int(place)) for place in places}

    def of_store(self, days: pd.DataFrame) -> Iterator[Finding]:
        """What is odd about one store's days: what is critical whenever it was, the rest of the recent ones."""
        days = _since_first_sale(days)
        volumes, first = self._compare(days)
        places = [divmod((day - first).days, 7) for day in days["day"]]
        ratios = [float(volumes.ratio[place]) for place in places]
        since = self.newest - timedelta(days=self.settings.window_days)
        for found in (*self._volumes(days["store_id"].iloc[0], volumes, first, days),
                      *repeats(days.assign(ratio=ratios), self.settings)):  # fmt: skip
            if found.severity == CRITICAL or found.day is None or found.day > since:
                yield found

    def _compare(self, days: pd.DataFrame) -> tuple[Volumes, date]:
        """The store's days against their usual ones, from the Monday of its first week to the newest day."""
        first, last = days["day"].min(), max(self.newest, days["day"].max())
        start = monday(first)
        weeks = (last - start).days // 7 + 1
        at = [(day - start).days for day in days["day"]]
        grids: list[FloatArray] = []
        for name in ("rows", "units"):
            values = np.full(7 * weeks, np.nan)
            values[(first - start).days : (last - start).days + 1] = 0.0
            values[at] = days[name].to_numpy(float)
            grids.append(values.reshape(weeks, 7))
        settings = self.settings
        rows, units = grids
        return compare(rows, units, settings.history_weeks, settings.min_weeks, settings.min_spread), start

    def _volumes(self, store: str | None, volumes: Volumes, first: date, days: pd.DataFrame) -> Iterator[Finding]:
        last_sold = days.loc[days["rows"] > 0, "day"].max()
        last = -1 if pd.isna(last_sold) else (last_sold - first).days
        yield from (self._volume(store, volumes, first, place) for place in self._odd(volumes) if place <= last)
        if store is not None:
            yield from self._silence(store, volumes, first, last)

    def _odd(self, volumes: Volumes) -> list[int]:
        """The places of the days that are far from their usual volume."""
        settings = self.settings
        ratio = np.nan_to_num(volumes.ratio, nan=1.0)
        away = np.abs(np.where(ratio > 0, np.log(np.maximum(ratio, 1e-12)), np.inf))
        far = (np.abs(volumes.spreads) >= settings.warning_spreads) & (away >= log(settings.warning_ratio))
        return [int(each) for each in np.flatnonzero((far & volumes.is_open).ravel())]

    def _volume(self, store: str | None, volumes: Volumes, first: date, place: int) -> Finding:
        at, day = divmod(place, 7), first + timedelta(days=place)
        ratio, bound = float(volumes.ratio[at]), self.settings.critical_ratio
        is_far = abs(volumes.spreads[at]) >= self.settings.critical_spreads
        is_critical = is_far and (ratio >= bound or ratio <= 1 / bound)
        severity = CRITICAL if is_critical else WARNING
        # A store may be closed on a holiday, or sell little.
        if ratio < 1 and day in self.holidays:
            severity = INFO
        limit = bound if is_critical else self.settings.warning_ratio
        subject, usual = subject_of(day, store), f"its usual {day:%A}"
        if ratio > 0:
            said = f"{_times(ratio)} times {usual} ({_amounts(volumes, at)})"
        else:
            said = f"nothing sold; {usual} has {_count(volumes.usual_rows[at])} rows"
        held = severity == CRITICAL
        wanted = limit if ratio > 1 else 1 / limit
        return Finding(severity, VOLUME, subject, store, day, ratio, wanted, held, f"{subject}: {said}")

    def _silence(self, store: str, volumes: Volumes, first: date, last: int) -> Iterator[Finding]:
        """Nothing came of a store since its day `last`, while others' days did: it is late, or gone."""
        after = range(last + 1, (self.newest - first).days + 1)
        usual = [place for place in after if volumes.is_open[divmod(place, 7)]
                 and first + timedelta(days=place) not in self.holidays]  # fmt: skip
        since = first + timedelta(days=last)
        if usual and len(after) >= self.settings.vanished_days:
            yield vanished(store, since, len(after), self.settings.vanished_days)
            return
        far = [each for each in usual if abs(volumes.spreads[divmod(each, 7)]) >= self.settings.critical_spreads]
        if far:
            day = first + timedelta(days=far[0])
            subject, rows = subject_of(day, store), _count(volumes.usual_rows[divmod(far[0], 7)])
            said = f"nothing delivered since {since}, while other stores sold until {self.newest}; its usual {day:%A} "
            reason = f"{subject}: {said}has {rows} rows"
            yield Finding(CRITICAL, FRESHNESS, subject, store, day, float(len(after)), 0.0, True, reason)


def _since_first_sale(days: pd.DataFrame) -> pd.DataFrame:
    """In order. A day before it, of which all rows were refused, is as a rule no day at all but a slip of its date."""
    sold = days.loc[days["rows"] > 0, "day"]
    first = days["day"].max() if sold.empty else sold.min()
    since: pd.DataFrame = days[days["day"] >= first]
    return since.sort_values("day", ignore_index=True)


def _amounts(volumes: Volumes, at: tuple[int, int]) -> str:
    """Rows and units, and what they usually are."""
    usual = volumes.usual_rows[at], volumes.usual_units[at]
    rows, units = float(volumes.rows[at]) * usual[0], float(volumes.units[at]) * usual[1]
    return f"{_count(rows)} rows, {_count(units)} units; usually {_count(usual[0])} and {_count(usual[1])}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _count(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}".removesuffix(".0")
