"""The tables that insights rest on."""

from collections.abc import Sequence

import pandas as pd

from shelfcast.inventory.classes import CLASSES, Borders
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Cell, Column, Row, Table, bar_shares
from shelfcast.reporting.data import ReportData

_BORDERS = Borders()


def tables(data: ReportData, topic: str) -> Sequence[Table]:
    """Those of a topic, as far as there are rows."""
    if topic == "classes":
        return [_class_table(data.abc_classes, data.currency)]
    if topic == "vendor_lead_times":
        return [_vendor_table(data.vendors)]
    if topic == "store_excess":
        return [_store_table(data.store_insights, data.currency)]
    return [_delisting_table(data.delistings, data.currency)] if topic == "delisting" and len(data.delistings) else ()


def _class_table(by_class: pd.DataFrame, currency: str) -> Table:
    found = by_class.set_index("class").reindex(CLASSES, fill_value=0)
    shares = bar_shares((found["revenue"] / (found["revenue"].sum() or 1)).tolist(), 1.0)
    columns = [
        Column("Class", "ABC by revenue; X, Y, Z by the coefficient of variation of weekly units: up to "
               f"{formats.amount(_BORDERS.x)}, up to {formats.amount(_BORDERS.y)}, above.", is_number=False),
        Column("Products"),
        Column("Revenue"),
        Column("Share of revenue"),
    ]  # fmt: skip
    rows = [
        Row([Cell(str(name)), Cell(formats.count(n)), Cell(formats.money(money, currency)),
             Cell(formats.share(part), bar=part)])
        for name, n, money, part in zip(found.index, found["products"], found["revenue"], shares, strict=True)
    ]  # fmt: skip
    return Table("Products by class", columns, rows)


def _vendor_table(vendors: pd.DataFrame) -> Table:
    columns = [
        Column("Vendor", is_number=False),
        Column("Orders", "received, of which the lead time is known"),
        Column("Days", "mean from order to receipt"),
        Column("Nine in ten within"),
        Column("Variation", "coefficient of variation of the days"),
        Column("Freight", "of the purchase price, as invoices tell"),
        Column("Products", "bought from it"),
    ]
    rows = [
        Row([
            Cell(str(row["vendor_id"])),
            Cell(formats.count(row["orders"]), row["orders"]),
            Cell(formats.precise(row["mean_days"]), row["mean_days"]),
            Cell(f"{formats.count(row['p90'])} days", row["p90"]),
            Cell(formats.share(row["variation"]), row["variation"]),
            Cell(formats.share(row["freight_share"]), row["freight_share"]),
            Cell(formats.count(row["products"]), row["products"]),
        ])
        for row in vendors.to_dict("records")
    ]  # fmt: skip
    return Table("Vendors, the slowest first", columns, rows, is_sortable=True)


def _store_table(stores: pd.DataFrame, currency: str) -> Table:
    columns = [
        Column("Store", is_number=False),
        Column("Units too many"),
        Column("At cost"),
        Column("Products"),
        Column("WAPE", "of its categories in the backtest's last weeks"),
        Column("Bias", "above 0 the forecast was too high"),
    ]
    rows = [
        Row([
            Cell(str(row["store_id"])),
            Cell(formats.count(row["excess"]), row["excess"]),
            Cell(formats.money(row["excess_value"], currency), row["excess_value"]),
            Cell(formats.count(row["excess_products"]), row["excess_products"]),
            Cell(formats.share(row["wape"]), row["wape"]),
            Cell(formats.signed_share(row["bias"]), row["bias"]),
        ])
        for row in stores.to_dict("records")
    ]  # fmt: skip
    return Table("Stores, the most excess first", columns, rows, is_sortable=True)


def _delisting_table(gone: pd.DataFrame, currency: str) -> Table:
    columns = [
        Column("Product", is_number=False),
        Column("Category", is_number=False),
        Column("Stores", "that list it"),
        Column("Units"),
        Column("Revenue"),
        Column("Margin", "revenue less the cost of what sold; a dash where costs are not known"),
        Column("Holding cost", "of today's stock over the same weeks"),
    ]
    rows = [
        Row([
            Cell(str(row["product_id"])),
            Cell(str(row["category_id"])),
            Cell(formats.count(row["stores"]), row["stores"]),
            Cell(formats.amount(row["units"]), row["units"]),
            Cell(formats.money(row["revenue"], currency), row["revenue"]),
            Cell(formats.money(row["margin"], currency), row["margin"]),
            Cell(formats.money(row["holding"], currency), row["holding"]),
        ])
        for row in gone.to_dict("records")
    ]  # fmt: skip
    return Table("The first products to go", columns, rows, is_sortable=True)
