"""What the plan orders and fears, and what it would have been worth beside other rules."""

from typing import Any

import pandas as pd

from shelfcast.metrics import Interval
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table, bar_shares
from shelfcast.reporting.charts.intervals import differences
from shelfcast.reporting.charts.svg import WIDE, both_widths
from shelfcast.reporting.charts.trade_off import Curve, stacked, trade_off
from shelfcast.reporting.data import ReportData

# The plan first: it is drawn strong, and last.
RULES = {
    "probabilistic": "this plan",
    "least_cost": "this plan where money decides",
    "min_max": "min/max",
    "seasonal_normal": "last year's weeks, normal safety stock",
    "as_before": "as was ordered before",
}
_COSTS = {"holding": "holding", "ordering": "ordering", "lost_margin": "lost margin"}
_GAINS = {
    ("stock", "short_days"): "fewer days out of stock at equal stock",
    ("fill_rate", "stock"): "less stock at an equal fill rate",
    ("fill_rate", "cost"): "less cost at an equal fill rate",
}


def plan(data: ReportData) -> list[Section]:
    """The section, where a plan has suggested orders."""
    if data.vendor_orders.empty and data.risk_classes.empty:
        return []
    orders = data.vendor_orders
    lead = (
        f"{formats.count(orders['orders'].sum())} orders of {formats.count((orders['orders'] > 0).sum())} vendors are "
        f"suggested, for {formats.money(orders['cost'].sum(), data.currency)}; "
        f"{formats.count(orders['held_back'].sum())} are held back: refused lately, beyond a limit, or short of a "
        "vendor's least order."
    )
    blocks = [Block(title="By vendor", tables=[_vendors(data)])] if not orders.empty else []
    blocks += [Block(title="What may run out, and what is too much", tables=[_risks(data)])]
    return [Section("plan", "Orders", lead=lead, blocks=blocks)]


def _vendors(data: ReportData) -> Table:
    columns = [Column("Vendor", is_number=False), Column("Orders"), Column("Units"), Column("Cost", "with freight"),
               Column("Held back", "refused lately, over a limit, or below the vendor's minimum")]  # fmt: skip
    ordered = data.vendor_orders.sort_values("cost", ascending=False)
    bars = bar_shares([float(cost) for cost in ordered["cost"]])
    rows = [
        Row(
            [
                Cell(formats.MISSING if pd.isna(row["vendor_id"]) else str(row["vendor_id"])),
                Cell(formats.count(row["orders"]), row["orders"]),
                Cell(formats.count(row["quantity"]), row["quantity"]),
                Cell(formats.money(row["cost"], data.currency), row["cost"], bar=bar),
                Cell(formats.count(row["held_back"]), row["held_back"]),
            ]
        )
        for (_, row), bar in zip(ordered.iterrows(), bars, strict=True)
    ]
    return Table("Suggested orders, the largest vendors first", columns, rows, is_sortable=True)


def _risks(data: ReportData) -> Table:
    columns = [
        Column("Class", "ABC by revenue, XYZ by how steady demand is", is_number=False),
        Column("May run out", "series likelier to run out before an order of today comes than their target allows"),
        Column("Units short", "expected to be missing"),
        Column("At the shelf price"),
        Column("Too much", "series with more than lasts them the longest cover"),
        Column("Units over"),
        Column("At cost"),
    ]
    sums = data.risk_classes.set_index(["class", "risk"])[["series", "units", "value"]].unstack("risk").fillna(0.0)
    rows = [
        Row([Cell(str(name)), *_risk(sums.loc[name], "stock_out", data), *_risk(sums.loc[name], "overstock", data)])
        for name in sums.index
    ]
    return Table("Risks by class of product", columns, rows, is_sortable=True)


def _risk(sums: "pd.Series[float]", risk: str, data: ReportData) -> list[Cell]:
    series, units, value = (float(sums.get((name, risk), 0.0)) for name in ("series", "units", "value"))
    return [Cell(formats.count(series), series), Cell(formats.amount(units), units),
            Cell(formats.money(value, data.currency), value)]  # fmt: skip


def replayed(data: ReportData) -> list[Section]:
    """The section, where demand was replayed."""
    if data.replays.empty:
        return []
    lead = (
        "Demand that no forecast had seen, day by day, and what each rule would have made of it: orders once a week "
        "by what was known then, drawn lead times, what is not there is lost. Each rule is swept by its own parameter."
    )
    found = data.replays.assign(name=[RULES[rule] for rule in data.replays["rule"]])
    blocks = [_curves(found), _costs(found, data.currency), *_gains(data), *_lead_times(data)]
    return [Section("replay", "The plan replayed", lead=lead, blocks=blocks)]


def _curves(found: pd.DataFrame) -> Block:
    curves = [
        Curve(name, [(float(row["stock"]), float(row["fill_rate"]), _told(row)) for _, row in of.iterrows()])
        for rule, name in RULES.items()
        if len(of := found[found["rule"] == rule].sort_values("stock"))
    ]
    chart = both_widths(lambda width: trade_off(width, curves, formats.amount, formats.share), WIDE)
    caption = "Share of demand met from the shelf against average stock; higher and further left is better."
    return Block(title="Service against stock", figures=[Figure("What service costs in stock", chart, caption)])


def _told(row: "pd.Series[Any]") -> str:
    return (
        f"{formats.share(float(row['fill_rate']))} served, {formats.share(float(row['short_days']))} of days short, "
        f"{formats.amount(float(row['stock']))} in stock ({formats.amount(float(row['parameter']))})"
    )


def _costs(found: pd.DataFrame, currency: str) -> Block:
    cheapest = [(name, of.sort_values("cost").iloc[0]) for rule, name in RULES.items()
                if len(of := found[found["rule"] == rule])]  # fmt: skip
    rows = [(_named(name, row), [float(row[part]) for part in _COSTS]) for name, row in cheapest]
    chart = both_widths(
        lambda width: stacked(width, rows, [*_COSTS.values()], lambda v: formats.money(v, currency), "Cost"), WIDE
    )
    caption = "Each rule at the parameter that makes it cheapest."
    return Block(title="What it costs", figures=[Figure("Holding, ordering and lost margin", chart, caption)])


def _named(name: str, row: "pd.Series[Any]") -> str:
    served, turned = formats.share(float(row["fill_rate"])), formats.amount(float(row["turnover"]))
    return f"{name} ({served} served, turned {turned} times a year)"


def _gains(data: ReportData) -> list[Block]:
    known = data.replay_gains.dropna(subset=["mean", "lower", "upper"])
    if known.empty:
        return []
    rows = [
        (
            f"{RULES[row['other']]}: {_GAINS[row['given'], row['saved']]}",
            Interval(row["mean"], row["lower"], row["upper"]),
        )
        for _, row in known.sort_values(["given", "saved", "other"]).iterrows()
    ]
    chart = both_widths(lambda width: differences(width, rows, formats.signed_share, "Saved"), WIDE)
    caption = (
        "What the plan saves beside each rule, interpolated on both curves; the bar is the 95 % interval over draws."
    )
    return [Block(title="What the plan saves", figures=[Figure("Beside each rule", chart, caption)])]


def _lead_times(data: ReportData) -> list[Block]:
    if data.lead_time_calibration.empty:
        return []
    columns = [
        Column("Stated", is_number=False),
        Column("At or below", "share of periods whose demand was at or below the level that is stated to suffice"),
        Column("Below"),
        Column("Periods"),
    ]
    rows = [
        Row(
            [
                Cell(formats.share(row["level"], 0), row["level"]),
                Cell(formats.share(row["observed"]), row["observed"]),
                Cell(formats.share(row["below"]), row["below"]),
                Cell(formats.count(row["rows"]), row["rows"]),
            ]
        )
        for _, row in data.lead_time_calibration.sort_values("level").iterrows()
    ]
    lead = (
        "Demand over a lead time and a review period, as simulated for the plan, beside what came. Demand is counted: "
        "a level keeps its word where the stated share lies between the two."
    )
    return [Block(title="Demand over the lead time", lead=lead, tables=[Table("Calibration", columns, rows)])]
