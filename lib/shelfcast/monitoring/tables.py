"""The tables of monitoring in the lake."""

from shelfcast.table import Table

_BY_DATE = ("region", "forecast_date")
# subject: what it is about, in words; store_id and day where it is about such, else null. found and wanted: the measure
# and the bound that it broke. held: the day's sales are put aside, and its store is not planned. reason: a sentence.
_COLUMNS = (
    "region string, forecast_date date, alert_id string, severity string, check string, subject string, "
    "store_id string, day date, found double, wanted double, held boolean, reason string"
)
# The first of the days on which it has stood without a break; of a lake of before null, until it goes.
_SINCE = ", since date"
_CHECKS = {"severity_is_known": "severity in ('info', 'warning', 'critical')", "reason_is_given": "reason != ''"}

INPUT_ALERTS = Table(
    "monitoring/input_alerts",
    # Of the sales alone, before anything is made of them; a row for each store and day.
    _COLUMNS,
    key=("region", "forecast_date", "alert_id"),
    checks=_CHECKS,
    partitions=_BY_DATE,
)
ALERTS = Table(
    "monitoring/alerts",
    # Those of the inputs, what befell most stores on a day in one row, and those of the forecast.
    _COLUMNS + _SINCE,
    key=("region", "forecast_date", "alert_id"),
    checks=_CHECKS,
    partitions=_BY_DATE,
)
LATE_DAYS = Table(
    "monitoring/late_days",
    # The days that were not published by their deadline, forecast_date being the day. A table of its own: the run that
    # is late may be writing its alerts.
    _COLUMNS + _SINCE,
    key=("region", "forecast_date", "alert_id"),
    checks=_CHECKS,
)
DRIFT = Table(
    "monitoring/drift",
    # A row for each bin of a feature: the share of sales in it that was expected and that was found, and the bin's part
    # of the feature's PSI. least: the PSI that mere chance stays below.
    "region string, forecast_date date, feature string, bin int, label string, expected double, found double, "
    "psi double, least double",
    key=("region", "forecast_date", "feature", "bin"),
    checks={"psi_is_not_negative": "psi >= 0"},
    partitions=_BY_DATE,
)
DELIVERIES = Table(
    "monitoring/deliveries",
    # Which alert was told where: telemetry, so that none is told twice while it stands, and each anew that comes again.
    "region string, alert_id string, channel string, sent_at timestamp, since date",
    key=("region", "alert_id", "channel", "since"),
)
