"""Insights: what a manager can act on, each sentence with its figure, and what they rest on in charts and tables."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import isfinite

import pandas as pd

from shelfcast.insights.findings import TOPICS
from shelfcast.inventory.classes import Borders
from shelfcast.metrics import Interval
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Figure, Section, Sentence
from shelfcast.reporting.charts import points, strips
from shelfcast.reporting.charts.intervals import differences
from shelfcast.reporting.charts.svg import HALF, WIDE, both_widths
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.insight_tables import tables

_LEADS = {
    "delisting": "Products that were in the range all the time and earn less than their stock costs, or hardly sell.",
    "seasons": "Cells above their average are green, below it amber; the darkest are three times it, or a third.",
    "product_segments": "Made by k-means of level, variation, regularity, price, trend, season, discounts and breadth.",
    "outliers": "By density (DBSCAN) among all that sold in enough weeks.",
}
_BORDERS = Borders()


def insights(data: ReportData) -> list[Section]:
    """Nothing where nothing has been looked for."""
    if data.findings.empty:
        return []
    told = data.findings["figure"].notna().sum()
    lead = (
        f"{formats.count(told)} findings that someone can act on, each with the figure that it rests on; what could "
        f"not be told says why."
    )
    blocks = [_block(data, topic, title) for topic, title in TOPICS.items() if topic in set(data.findings["topic"])]
    return [Section("insights", "Insights", lead=lead, blocks=blocks)]


def _block(data: ReportData, topic: str, title: str) -> Block:
    rows = data.findings[data.findings["topic"] == topic].sort_values("rank")
    sentences = [
        Sentence(_figure(row["figure"], row["unit"], data.currency), str(row["sentence"]))
        for row in rows.to_dict("records")
    ]
    shown = rows["figure"].notna().any()
    return Block(
        title=title,
        lead=_LEADS.get(topic, ""),
        sentences=sentences,
        figures=_figures(data, topic) if shown else (),
        tables=tables(data, topic) if shown else (),
        layout={"classes": "halves", "product_segments": "tiles", "store_segments": "tiles"}.get(topic, "wide"),
    )


def _figure(figure: float | None, unit: str | None, currency: str) -> str:
    """9.21, "days" -> "9.21 days"; of a percentage its sign alone."""
    if figure is None or not isfinite(figure):
        return ""
    if unit is not None and unit.startswith("%"):
        return formats.share(figure / 100)
    return f"{formats.amount(figure)}\u202f{unit}" if unit != "money" else formats.money(figure, currency)


def _figures(data: ReportData, topic: str) -> Sequence[Figure]:
    if topic == "classes":
        return _abc(data)
    if topic in ("product_segments", "store_segments"):
        return _segments(data, topic.removesuffix("_segments"))
    if topic == "seasons":
        return _seasons(data.seasons)
    return _lead_times(data.vendors) if topic == "vendor_lead_times" else ()


def _abc(data: ReportData) -> Sequence[Figure]:
    curve = data.abc_curve
    known = curve.dropna(subset="percent").sort_values("percent")
    products, revenue = curve["products"].sum(), curve["revenue"].sum()
    if known.empty or not revenue:
        return ()
    across = (known["products"].cumsum() / products).tolist()
    up = (known["revenue"].cumsum() / revenue).tolist()
    drawn = [(0.0, 0.0), *zip(across, up, strict=True), (1.0, 1.0)]
    marks = []
    for name, letters in (("A", "A"), ("A and B", "AB")):
        inside = data.abc_classes[data.abc_classes["class"].astype("string").str[0].isin([*letters])]
        marks.append((name, float(inside["products"].sum() / products), float(inside["revenue"].sum() / revenue)))
    axes = ("products", "revenue")
    chart = both_widths(lambda width: points.shares(width, drawn, marks, axes), HALF)
    caption = "Products in falling order of revenue: the steeper the curve begins, the fewer of them matter."
    return [Figure("Share of revenue by share of products", chart, caption)]


def _segments(data: ReportData, kind: str) -> Sequence[Figure]:
    drawn = data.segment_points[data.segment_points["kind"] == kind]
    if drawn.empty:
        return ()
    sizes = data.segment_sizes[(data.segment_sizes["kind"] == kind) & (data.segment_sizes["segment"] > 0)]
    everything = _points(drawn)
    figures = []
    for row in sizes.sort_values("segment").to_dict("records"):
        own = _points(drawn[drawn["segment"] == row["segment"]])
        name = f"{row['segment']}: {row['label']}"
        chart = points.among(own, everything, ("units a week", "CV"), (_BORDERS.x, _BORDERS.y), name)
        caption = (
            f"{formats.count(row['items'])} {kind}s · {formats.money(row['revenue'], data.currency)} · "
            f"{formats.amount(row['level'])} units a week at {formats.money(row['price'], data.currency)} on average"
        )
        figures.append(Figure(name, chart, caption))
    return figures


def _points(rows: pd.DataFrame) -> list[points.Point]:
    return [
        points.Point(level, variation, f"{name}: {formats.amount(level)} units a week, CV {formats.amount(variation)}")
        for name, level, variation in zip(rows["item_id"], rows["level"], rows["variation"], strict=True)
    ]


def _seasons(seasons: pd.DataFrame) -> Sequence[Figure]:
    rows = [_strip(row["category_id"], row["first_week"], row["index"]) for row in seasons.to_dict("records")]
    rows = [row for row in rows if row.weeks]
    if not rows:
        return ()
    is_seasonal = bool(seasons["is_seasonal"].astype(bool).any())
    title = "Weeks of the year, by category" if is_seasonal else "The last year's weeks, by category"
    caption = (
        "Multiples of the trend, mean over the years." if is_seasonal else "Multiples of the average week, as it sold."
    )
    return [Figure(title, both_widths(lambda width: strips.strips(width, rows, title), WIDE), caption)]


def _strip(name: object, first_week: object, index: Sequence[float]) -> strips.Strip:
    first: date = pd.Timestamp(first_week).date()  # type: ignore[arg-type]
    return strips.Strip(str(name), [(first + timedelta(weeks=at), float(value)) for at, value in enumerate(index)])


def _lead_times(vendors: pd.DataFrame) -> Sequence[Figure]:
    rows = [
        (f"Vendor {row['vendor_id']}", Interval(float(row["mean_days"]), float(row["p10"]), float(row["p90"])))
        for row in vendors.to_dict("records")
    ]
    if not rows:
        return ()
    chart = both_widths(lambda width: differences(width, rows, _days, "Days from order to receipt"), WIDE)
    caption = "The dot is the mean; eight orders in ten come within the bar."
    return [Figure("Days from order to receipt, the slowest first", chart, caption)]


def _days(number: float) -> str:
    return f"{formats.amount(number)}\u202fd"
