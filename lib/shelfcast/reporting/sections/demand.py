"""Demand: how it ran over the year, in which categories, and how regularly."""

from collections.abc import Callable
from datetime import date
from functools import partial

import pandas as pd

from shelfcast.demand import ADI_LIMIT, CV2_LIMIT
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table
from shelfcast.reporting.charts import grids, lines
from shelfcast.reporting.charts.svg import HALF, both_widths
from shelfcast.reporting.data import ReportData

_CLASSES = {
    "smooth": "sells nearly every week, in similar amounts",
    "erratic": "sells nearly every week, in changing amounts",
    "intermittent": "sells now and then, in similar amounts",
    "lumpy": "sells now and then, in changing amounts",
    "single": "sold in one week",
    "none": "listed, and never sold",
}


def demand(data: ReportData) -> Section:
    return Section("demand", "Demand over time", lead=_run_of_the_year(data), blocks=[_totals(data), _categories(data)])


def classes(data: ReportData) -> Section:
    lead = (
        "How regularly a series sells decides which models can serve it: the average weeks from sale to sale (ADI) and "
        "the squared coefficient of variation of the sold quantities (CV²)."
    )
    return Section("classes", "Kinds of demand", lead=lead, blocks=[_class_counts(data), _class_grid(data)])


def _run_of_the_year(data: ReportData) -> str:
    weekly = data.weekly
    if weekly.empty:
        return "No demand has been aggregated yet."
    best = weekly.sort_values("units").iloc[-1]
    return (
        f"{formats.compact(weekly['units'].sum())} units for {formats.money(weekly['revenue'].sum(), data.currency)} "
        f"in {len(weekly)} weeks; the strongest was the week of {formats.day(_day(best['week']))}."
    )


def _totals(data: ReportData) -> Block:
    if data.weekly.empty:
        return Block(title="All stores", empty="There is no weekly demand: the aggregate job has not run.")
    weekly = data.weekly.sort_values("week")
    in_money: Callable[[float], str] = partial(formats.money, currency=data.currency)
    figures = [
        _total(weekly, "units", "Units sold", formats.compact),
        _total(weekly, "revenue", "Revenue", in_money),
    ]
    return Block(title="All stores, by week", layout="halves", figures=figures)


def _total(weekly: pd.DataFrame, column: str, title: str, label: Callable[[float], str]) -> Figure:
    points = _points(weekly, column)
    return Figure(title, both_widths(lambda width: lines.over_time(width, points, label, title), HALF))


def _categories(data: ReportData) -> Block:
    by_category = data.weekly_by_category.sort_values(["category", "week"])
    if by_category.empty:
        return Block(title="By category", empty="There is no weekly demand by category.")
    sums = by_category.groupby("category")[["units", "revenue"]].sum().sort_values("revenue", ascending=False)
    figures = [
        _category(str(name), by_category[by_category["category"] == name], total, data.currency)
        for name, total in sums.iterrows()
    ]
    lead = "Units by week, the largest categories by revenue first; each has its own scale from zero, its peak named."
    return Block(title="By category", lead=lead, layout="tiles", figures=figures)


def _category(name: str, weekly: pd.DataFrame, total: pd.Series, currency: str) -> Figure:
    chart = lines.sparkline(_points(weekly, "units"), formats.compact, name)
    caption = f"{formats.compact(total['units'])} units · {formats.money(total['revenue'], currency)}"
    return Figure(name, chart, caption)


def _class_counts(data: ReportData) -> Block:
    if data.demand_classes.empty:
        return Block(title="How many series of each kind", empty="No series has been classified yet.")
    tables = [_class_table(str(level), rows) for level, rows in data.demand_classes.groupby("level", sort=True)]
    return Block(title="How many series of each kind", layout="halves", tables=tables)


def _class_table(level: str, counts: pd.DataFrame) -> Table:
    order = {name: i for i, name in enumerate(_CLASSES)}
    counts = counts.sort_values("demand_class", key=lambda names: names.map(order).fillna(len(order)))
    shares = (counts["series"] / counts["series"].sum()).tolist()
    columns = [Column("Kind", is_number=False), Column("Series"), Column("Share of series"), Column("Units")]
    cells = zip(counts["demand_class"], counts["series"], shares, counts["units"], strict=True)
    rows = [
        Row([_kind(name), Cell(formats.count(n)), Cell(formats.share(part), bar=part), Cell(formats.compact(units))])
        for name, n, part, units in cells
    ]
    return Table(f"Series of store and {level}", columns, rows)


def _kind(name: str) -> Cell:
    return Cell(name, note=_CLASSES.get(name, ""))


def _class_grid(data: ReportData) -> Block:
    if data.class_grid.empty:
        return Block(title="Regularity of sales", empty="No series sold in two weeks or more.")
    figures = [_grid(str(level), cells) for level, cells in data.class_grid.groupby("level", sort=True)]
    return Block(title="Regularity of sales", layout="halves", figures=figures)


def _grid(level: str, cells: pd.DataFrame) -> Figure:
    plane = grids.Plane(
        x_title="ADI, weeks from sale to sale",
        y_title="CV² of the quantities",
        label=f"Series of store and {level} by ADI and CV squared: {formats.count(cells['series'].sum())} series",
        x_limit=ADI_LIMIT,
        y_limit=CV2_LIMIT,
        corners=("smooth", "erratic", "intermittent", "lumpy"),
    )
    drawn = grids.cells(cells, "adi", "cv2", "series", ("series", "ADI", "CV²"))
    caption = (
        f"Darker cells hold more series. Dashed: ADI {ADI_LIMIT} and CV² {CV2_LIMIT}, the limits between the kinds."
    )
    title = f"Store and {level}"
    return Figure(title, both_widths(lambda width: grids.cell_grid(width, drawn, plane), HALF), caption)


def _points(weekly: pd.DataFrame, column: str) -> list[tuple[date, float]]:
    return [(_day(week), float(value)) for week, value in zip(weekly["week"], weekly[column], strict=True)]


def _day(week: object) -> date:
    return pd.Timestamp(week).date()  # type: ignore[arg-type]
