"""What the next weeks may bring, and how far the stated uncertainty can be trusted."""

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table
from shelfcast.reporting.charts import grids, lines
from shelfcast.reporting.charts.svg import HALF, both_widths
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.leaderboard import BIAS, WAPE

# Within two points of what is stated a quantile is called kept.
TOLERANCE = 0.02


def forecasts(data: ReportData) -> Section:
    return Section("forecasts", "The next weeks", lead=_reach(data), blocks=[_fans(data), _series(data)])


def calibration(data: ReportData) -> Section:
    lead = (
        "What is published, measured at the last cutoff, which no choice has seen. "
        "A p90 is worth its name if demand stays at or below it nine times in ten: quantiles are fitted on the "
        "earlier cutoffs. Demand is counted, and many weeks sell just as much as a quantile says, "
        "or nothing where it is 0: it keeps its promise where the stated share lies between the share of weeks below "
        "it and the share at or below it. Where past forecasts are too few for a quantile, none is published."
    )
    return Section("calibration", "Accuracy and calibration", lead=lead, blocks=[_accuracy(data), _calibration(data)])


def _reach(data: ReportData) -> str:
    headline = data.headline
    if headline.forecast_series is None or headline.horizon is None:
        return "No forecast has been made yet."
    return (
        f"{formats.count(headline.forecast_series)} series, {headline.horizon} weeks ahead: "
        f"{formats.compact(headline.forecast_units)} units in the mean. Means add up; quantiles hold each at its level."
    )


def _fans(data: ReportData) -> Block:
    title = "Chosen series"
    if data.fans.empty:
        return Block(title=title, empty="There are no forecasts to draw: the forecast job has not run.")
    figures = [_fan(str(title), rows.sort_values("week")) for title, rows in data.fans.groupby("title", sort=False)]
    lead = "Units by week as sold, then the median in a band from p10 to p90, where eight weeks in ten should fall."
    return Block(title=title, lead=lead, layout="halves", figures=figures)


def _fan(title: str, rows: pd.DataFrame) -> Figure:
    past, future = rows.dropna(subset="units"), rows.dropna(subset=["p50", "p90"])
    series = lines.Fan(
        history=[(pd.Timestamp(week).date(), float(y)) for week, y in zip(past["week"], past["units"], strict=True)],
        forecast=[
            (pd.Timestamp(week).date(), float(low), float(mid), float(high))
            for week, low, mid, high in zip(future["week"], future["p10"], future["p50"], future["p90"], strict=True)
        ],
    )
    return Figure(title, both_widths(lambda width: lines.fan(width, series, formats.amount, title), HALF))


def _series(data: ReportData) -> Block:
    title = "Every series has its forecast"
    if data.series_counts.empty:
        return Block(title=title, empty="There are no counts of forecast series.")
    columns = [
        Column("Level", is_number=False),
        Column("Series"),
        Column("Modelled", "enough history: forecast by a model of their own"),
        Column("By their share", "thin: a share of what their store and category is forecast to sell"),
        Column("Refused"),
    ]
    rows = [
        Row([Cell(str(row["level"])), *(Cell(formats.count(row[name]), row[name]) for name in _PARTS)])
        for _, row in data.series_counts.iterrows()
    ]
    return Block(title=title, tables=[Table("Series, and how each came by its forecast", columns, rows)])


_PARTS = ("series", "modelled", "fallback", "refused")


def _accuracy(data: ReportData) -> Block:
    title = "How far off the published means are"
    if data.accuracy.empty:
        return Block(title=title, empty="No published forecast has been measured yet.")
    columns = [
        Column("Level", is_number=False),
        Column("Forecasts", "a series in a week"),
        WAPE,
        BIAS,
        Column("WAPE of the median", "sum of absolute errors of p50 / sum of demand"),
    ]
    rows = [
        Row(
            [
                Cell(formats.words(str(row["level"]))),
                Cell(formats.count(row["rows"]), row["rows"]),
                Cell(formats.share(row["wape"]), row["wape"]),
                Cell(formats.signed_share(row["bias"]), row["bias"]),
                Cell(formats.share(row["median_wape"]), row["median_wape"]),
            ]
        )
        for _, row in data.accuracy.sort_values("wape").iterrows()
    ]
    lead = (
        "Product: modelled on its own. Product shared: thin, with a share of what its store and category leave. "
        "Unlisted: what products will sell that the store has never sold, a row for each category. "
        "The three add up to the category."
    )
    return Block(title=title, lead=lead, tables=[Table("Errors of what is published, by level", columns, rows)])


def _calibration(data: ReportData) -> Block:
    title = "Stated and observed"
    if data.calibration.empty:
        return Block(title=title, empty="No quantile has been measured yet.")
    levels = [
        (formats.words(str(level)), rows.sort_values("stated"))
        for level, rows in data.calibration.groupby("level", sort=True)
    ]
    known = [(level, rows.dropna(subset="observed")) for level, rows in levels]
    curves = [(level, [(row["stated"], _nearest(row)) for _, row in rows.iterrows()]) for level, rows in known]
    chart = both_widths(lambda width: grids.calibration(width, curves), HALF)
    figure = Figure("Stated and observed share below each quantile", chart, "On the dashed line the two agree.")
    return Block(title=title, layout="halves", figures=[figure], tables=[_quantile_table(levels)])


def _quantile_table(levels: list[tuple[str, pd.DataFrame]]) -> Table:
    columns = [
        Column("Level", is_number=False),
        Column("Stated"),
        Column("Below", "share of weeks that sold less"),
        Column("At or below", "share of weeks that sold as much or less"),
        Column("Difference", "of the stated share from what lies between the two"),
        Column("Pinball", "mean pinball loss, units"),
        Column("Past forecasts", "on which the quantile rests, at least, and how many it wants"),
    ]
    rows = [
        Row(
            [
                Cell(level),
                Cell(formats.share(row["stated"], 0), row["stated"]),
                Cell(formats.share(row["below"]), row["below"]),
                Cell(formats.share(row["observed"]), row["observed"]),
                _difference(_nearest(row) - row["stated"]),
                Cell(formats.precise(row["pinball"]), row["pinball"]),
                _support(row["ratios"], row["wanted"]),
            ]
        )
        for level, quantiles in levels
        for _, row in quantiles.iterrows()
    ]
    return Table("Quantiles, stated and observed", columns, rows)


def _nearest(row: pd.Series) -> float:
    """Of the shares that the quantile may claim, the one next to what it states."""
    return float(min(max(row["stated"], row["below"]), row["observed"]))


def _support(ratios: int, wanted: int) -> Cell:
    tone = "bad" if ratios < wanted else ""
    return Cell(f"{formats.count(ratios)} of {formats.count(wanted)}", ratios, tone=tone)


def _difference(points: float) -> Cell:
    # Less than stated is a promise broken; more costs stock.
    tone = "bad" if points < -TOLERANCE else "good" if points <= TOLERANCE else ""
    return Cell(formats.points(points), points, tone=tone)
