"""A report's data with a little of everything, and ways to read the page that comes of it."""

from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pandas as pd

from shelfcast.reporting.data import COLUMNS, Headline, Provenance, ReportData

WEEKS = [date(2017, 1, 2) + timedelta(weeks=week) for week in range(12)]
PROVENANCE = Provenance(
    "complete_journey", "5f0a9c1e", date(2017, 12, 31), {"backtest.horizon": "8"}, {"pyspark": "4.2.0"}
)
VOID = {"meta", "br", "hr", "img", "input", "link"}


def frame(name: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    """The report's frame `name` with these rows."""
    return pd.DataFrame(rows, columns=list(COLUMNS[name]))


def model(name: str, wape: float | None, panel: str = "category", **changes: Any) -> dict[str, Any]:
    """A row of the leaderboard."""
    scores = ("earlier_wape", "wape", "rmsse", "rmse", "mae", "bias", "r2", "seconds")
    row = {"panel": panel, "model": name, "family": "statistical", "status": "fitted", **dict.fromkeys(scores, wape)}
    return {**dict.fromkeys(COLUMNS["leaderboard"]), **row, **changes}


def leaderboard(*models: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(models), columns=list(COLUMNS["leaderboard"]))


def report(category: str = "GROCERY", **changes: Any) -> ReportData:
    """A whole report; `category` names the category everywhere."""
    frames: dict[str, Any] = {
        "row_counts": frame("row_counts", ("sales", 1_469_307, 1_469_298, 9, 0, 0, 0, 1204)),
        "refusals": frame("refusals", ("sales", "quantity_above_maximum", 9)),
        "availability": frame("availability", ("out_of_stock", True, 310, 2204, 1893.4), ("closed", False, 4, 9, 0.0)),
        "alerts": frame(
            "alerts",
            ("critical", "volume", f"2017-12-31, store 367: 10.2 times its usual Sunday in {category}", True, 12, 1),
            ("info", "drift", "price, last 4 weeks: PSI 0.12", False, 1, 0),
        ),
        "drift": frame(
            "drift",
            ("price", 0, "up to 2", 0.5, 0.3, 0.102),
            ("price", 1, "over 2", 0.5, 0.7, 0.067),
            ("category mix", 0, category, 1.0, 1.0, 0.0),
        ),
        "weekly": frame("weekly", *((week, 1000.0 + i, 3000.0) for i, week in enumerate(WEEKS))),
        "weekly_by_category": frame("weekly_by_category", *((week, category, 900.0, 2500.0) for week in WEEKS)),
        "demand_classes": frame("demand_classes", ("product", "lumpy", 812, 5.0), ("category", "smooth", 402, 1e6)),
        "class_grid": frame("class_grid", ("category", 1.0, 1.4, 0.1, 0.2, 7), ("category", 1.4, 2.0, 0.5, 1.0, 3)),
        "leaderboard": leaderboard(
            model("tsb", 0.3365, champion="mean and median"),
            model("zero", 1.0, bias=-1.0),
            model("seasonal_naive", None, status="not enough history", detail="52 weeks twice"),
        ),
        "horizon_errors": frame(
            "horizon_errors", ("category", "tsb", True, 1, 0.31), ("category", "tsb", True, 2, 0.35)
        ),
        "category_errors": frame("category_errors", (category, 912.0, 0.29, -0.02)),
        "store_errors": frame("store_errors", ("31401", 12.0, 1.5, 0.4), ("367", 900.0, 0.21, -0.01)),
        "scatter": frame("scatter", *((p, "tsb", 1.0, 1.4, 0.7, 1.0, 5) for p in ("backtest", "study"))),
        "trials": frame(
            "trials",
            *(
                ("reference", "mlp", "tpe", number, *done, {"units": units, "dropout": 0.1}, 8.0, error)
                for number, units, done, error in (
                    (0, 32.0, ("finished", 0.91), None),
                    (1, 64.0, ("failed", None), "ValueError: no number"),
                    (2, 16.0, ("finished", 0.84), None),
                )
            ),
        ),
        "accuracy": frame("accuracy", ("category", 9176, 0.61, -0.012, 0.58), ("region", 8, 0.04, 0.01, 0.05)),
        "calibration": frame(
            "calibration",
            ("category", 0.9, 0.93, 0.912, 3.2, 5000, 9),
            ("category", 0.98, 0.9, 0.9, 1.1, 5000, 49),
            ("region", 0.9, 0.95, 0.91, 40.0, 16, 9),
            ("region", 0.98, None, None, None, 16, 49),
        ),
        "series_counts": frame("series_counts", ("product", 631_479, 23_282, 608_197, 0)),
        "fans": frame(
            "fans",
            *((f"{category}, store 367", week, 40.0, None, None, None) for week in WEEKS),
            *((f"{category}, store 367", WEEKS[-1] + timedelta(weeks=step), None, 30.0, 41.0, 55.0) for step in (1, 2)),
        ),
        "store_heads": frame(
            "store_heads",
            *(("reference", "mlp", f"s{n}", n < 6, 10.0 + n, 9.0 + n, 5.0 + n, 4.5 + n, 20.0) for n in range(12)),
        ),
        "findings": frame(
            "findings",
            ("classes", 1, "A", 4.2, "% of products", "12 of 300 products bring 80 % of the revenue."),
            ("product_segments", 1, "1", 61.0, "% of revenue", "12 products: fast, steady."),
            ("seasons", 1, category, 1.84, "times average", f"{category} sold most in the week of 18 Dec 2017."),
            ("vendor_lead_times", 1, "4425", 9.24, "days", "Vendor 4425 takes 9.2 days on average."),
            ("store_excess", 1, "7", 40.0, "units", "Store 7 holds 40 units too many."),
            ("delisting", 1, "p1", 28.0, "money", "Product p1 earned nothing."),
            ("transfers", 1, None, None, None, "The source counts no stock."),
        ),
        "abc_curve": frame("abc_curve", *((n, 10 * n, 10.0) for n in range(1, 101)), (None, 50, 0.0)),
        "abc_classes": frame("abc_classes", ("AX", 12, 800.0), ("CZ", 288, 200.0)),
        "segment_sizes": frame(
            "segment_sizes",
            *(("product", n, f"kind {n}", 100, 500.0, 1, 4.0, 0.8, 2.5, 0.1, 0.2, 3.0) for n in range(3)),
        ),
        "segment_points": frame(
            "segment_points", *(("product", 1 + n % 2, f"{category} {n}", 1.0 + n, 0.1 * (1 + n)) for n in range(12))
        ),
        "seasons": frame(
            "seasons",
            (category, 9e3, False, WEEKS[0], [0.5 + 0.1 * n for n in range(12)], WEEKS[-1], 1.6, *[None] * 5),
        ),
        "vendors": frame("vendors", ("4425", 120, 9.24, 0.41, 4, 15, 0.012, 31), ("9", 12, 3.0, 0.1, 3, 4, None, 1)),
        "store_insights": frame("store_insights", ("7", 2000.0, 0.3, -0.05, 1, 40.0, 1234.5)),
        "delistings": frame("delistings", ("p1", category, 12, 3.0, 8.5, -2.0, 14.0, 26.0, "margin")),
        "vendor_orders": frame("vendor_orders", ("v1", 12, 144.0, 912.0, 2), (None, 1, 6.0, None, 0)),
        "risk_classes": frame("risk_classes", ("stock_out", "AX", 7, 31.0, 402.0), ("overstock", "CZ", 3, 90.0, 512.0)),
        "replays": frame(
            "replays",
            *(
                (rule, level, level - 0.02 * place, 0.1 - level / 10, 20.0 * level + 4 * place, 9.0, 4.0, 2.0, 3.0, 9.0)
                for place, rule in enumerate(("probabilistic", "min_max", "seasonal_normal", "as_before"))
                for level in (0.8, 0.9, 0.95)
            ),
        ),
        "replay_gains": frame(
            "replay_gains",
            ("min_max", "stock", "short_days", 0.31, 0.27, 0.35),
            ("as_before", "fill_rate", "cost", None, None, None),
        ),
        "lead_time_calibration": frame("lead_time_calibration", (0.9, 5000, 0.912, 0.87)),
        "study": frame("study", ("linear", "one-hot", 6.2, 0.5, 2.1, 0.7, 0.8, 1.2, 0.3, 133.0, None)),
    }
    headline = Headline(
        1_469_307, 457, 68_509, WEEKS[0], date(2017, 12, 31), 631_479, 231_204.0, 8, "tsb", 0.3365, "naive", 0.42
    )
    return ReportData(**{"headline": headline, "provenance": PROVENANCE, "currency": "€", **frames, **changes})


def empty_report() -> ReportData:
    return ReportData(Headline(), PROVENANCE, "€")


class Page(HTMLParser):
    """A page's elements (tag, attributes), its text, and whether each element is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.is_balanced = True
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.is_balanced = False

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """What is read, a blank between elements; thin blanks as plain ones."""
        return " ".join(filter(None, self.words)).replace("\u202f", " ")
