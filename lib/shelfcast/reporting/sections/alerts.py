"""What is not as it used to be: alerts, and how far the newest weeks' sales have drifted."""

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table
from shelfcast.reporting.charts.bars import bars
from shelfcast.reporting.charts.svg import HALF, both_widths
from shelfcast.reporting.data import ReportData

_TONES = {"critical": "bad", "warning": "", "info": "quiet"}
_ORDER = ["critical", "warning", "info"]
# Siddiqi (2006): below, nothing changed; from the other on, much did.
_LITTLE, _MUCH = 0.1, 0.25


def alerts(data: ReportData) -> Section:
    return Section("alerts", "Alerts", lead=_lead(data), blocks=[_alerts(data), _drift(data)])


def _lead(data: ReportData) -> str:
    if data.alerts.empty and data.drift.empty:
        return "Nothing has been checked yet: the job detect_anomalies has not run."
    kinds = _kinds(data)
    counts = kinds.groupby("severity")["of_kind"].sum()
    told = [f"{formats.count(counts[name])} {name}" for name in _ORDER if name in counts]
    held = int(kinds["held_of_kind"].sum())
    if not told:
        return "The sales and the forecast are as they used to be: no check has found anything."
    sentence = f"{', '.join(told)}. "
    if held:
        put_aside = f"{formats.count(held)} of them hold sales back"
        return f"{sentence}{put_aside}: nothing learns from these, and nothing is ordered for their stores."
    return f"{sentence}No sales are held back."


def _alerts(data: ReportData) -> Block:
    if data.alerts.empty:
        return Block(title="What was found", empty="No alerts.")
    columns = [
        Column("Severity", is_number=False),
        Column("Check", is_number=False),
        Column("Reason", is_number=False),
        Column("Held", "the day's sales are put aside until they are delivered anew or accepted", is_number=False),
    ]
    left = int(_kinds(data)["of_kind"].sum()) - len(data.alerts)
    title = "Alerts, the worst first" + (f"; {formats.count(left)} more alike in monitoring/alerts" if left else "")
    return Block(tables=[Table(title, columns, [_row(row) for _, row in data.alerts.iterrows()])])


def _kinds(data: ReportData) -> pd.DataFrame:
    return data.alerts.drop_duplicates(["severity", "check"])


def _row(row: pd.Series) -> Row:
    severity = str(row["severity"])
    cells = [
        Cell(severity, float(_ORDER.index(severity))),
        Cell(formats.words(str(row["check"]))),
        Cell(str(row["reason"]), tone=_TONES[severity]),
        Cell("held" if row["held"] else "", tone="bad" if row["held"] else ""),
    ]
    return Row(cells)


def _drift(data: ReportData) -> Block:
    title = "Drift of the sales"
    if data.drift.empty:
        return Block(title=title, empty="There are too few sales, or none of a year ago, to compare with.")
    totals = data.drift.groupby("feature", sort=False)["psi"].sum()
    psi = [(str(name), float(total)) for name, total in totals.items()]
    name, limits = "Population stability index", (_LITTLE, _MUCH)
    chart = both_widths(lambda width: bars(width, psi, limits, formats.ratio, name), HALF)
    caption = f"{name} of the newest weeks against the year before; from {_MUCH} on much has changed."
    return Block(
        title=title,
        layout="halves",
        figures=[Figure("PSI by feature", chart, caption)],
        tables=[_bins(data.drift)],
    )


def _bins(drift: pd.DataFrame) -> Table:
    columns = [
        Column("Bin", is_number=False),
        Column("Expected", "share of sales in the year before"),
        Column("Found", "share of sales in the newest weeks"),
        Column("PSI", "the bin's part of its feature's index"),
    ]
    moved = drift.sort_values(["psi", "feature", "bin"], ascending=[False, True, True]).head(8)
    rows = [
        Row(
            [
                Cell(f"{row['feature']}: {row['label']}"),
                Cell(formats.share(row["expected"]), row["expected"]),
                Cell(formats.share(row["found"]), row["found"]),
                Cell(formats.ratio(row["psi"]), row["psi"]),
            ]
        )
        for _, row in moved.iterrows()
    ]
    return Table("What moved most", columns, rows)
