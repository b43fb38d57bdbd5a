"""Data quality: what became of each row received, and what no row tells of: demand that found nothing to buy."""

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Row, Section, Table, bar_shares
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.received import deliveries, promises

_STATES = {
    "out_of_stock": "Product out of stock",
    "delisted": "Product off a store's list",
    "closed": "Store closed",
    "not_delivered": "Store open, its sales missing",
}
_FATES = {
    "clean": "kept",
    "quarantined": "refused by a rule and kept whole in quarantine",
    "duplicates": "the same business key and content as another row",
    "superseded": "an earlier version of a corrected row",
    "blank": "nothing in any column",
}


def quality(data: ReportData) -> Section:
    blocks = [_fates(data), _refusals(data), promises(data), deliveries(data), _absences(data)]
    return Section("quality", "Data quality", lead=_balance(data.row_counts), blocks=blocks)


def _balance(counts: pd.DataFrame) -> str:
    if counts.empty:
        return "No table has been cleaned yet."
    raw, clean = counts["raw"].sum(), counts["clean"].sum()
    missing = raw - counts[list(_FATES)].to_numpy().sum()
    if raw == clean:
        return f"All {formats.count(raw)} rows received are clean."
    kept = f"{formats.count(clean)} of {formats.count(raw)} rows received are clean ({formats.share(clean / raw, 3)})"
    if missing:
        return f"{kept}; {formats.count(abs(missing))} rows are not accounted for."
    return f"{kept}; every other row is accounted for below, and none was dropped in silence."


def _fates(data: ReportData) -> Block:
    if data.row_counts.empty:
        return Block(title="Rows by table", empty="There are no row counts: the clean job has not run.")
    columns = [
        Column("Table", is_number=False),
        Column("Rows in"),
        *(Column(fate.capitalize(), note) for fate, note in _FATES.items()),
        Column("Clean share", "clean rows of rows in"),
        Column("Capped", "clean rows whose quantity was an outlier and is capped at its product's bound"),
    ]
    rows = [_fate_row(row) for _, row in data.row_counts.iterrows()]
    return Block(tables=[Table("Rows received and what became of them, by source table", columns, rows)])


def _fate_row(row: pd.Series) -> Row:
    share = row["clean"] / row["raw"] if row["raw"] else float("nan")
    counts = [Cell(formats.count(row[fate]), row[fate], tone="" if row[fate] else "quiet") for fate in ("raw", *_FATES)]
    return Row(
        [
            Cell(formats.words(row["source_table"])),
            *counts,
            Cell(formats.share(share, 3), share, bar=share),
            Cell(formats.count(row["flagged"]), row["flagged"], tone="" if row["flagged"] else "quiet"),
        ]
    )


def _refusals(data: ReportData) -> Block:
    title = "Why rows were refused"
    if data.refusals.empty:
        idle = "No row broke a rule: the quarantine is empty."
        return Block(title=title, empty=idle if len(data.row_counts) else "No rule has been applied yet.")
    found = data.refusals.sort_values("rows", ascending=False)
    cells = zip(found["source_table"], found["rule"], found["rows"], bar_shares(list(found["rows"])), strict=True)
    rows = [
        Row([Cell(formats.words(rule)), Cell(formats.words(table)), Cell(formats.count(n), n, bar=bar)])
        for table, rule, n, bar in cells
    ]
    columns = [Column("Rule", is_number=False), Column("Table", is_number=False), Column("Rows refused")]
    return Block(title=title, tables=[Table("Rows in quarantine, by rule", columns, rows)])


def _absences(data: ReportData) -> Block:
    title = "Demand that found nothing to buy"
    if data.availability.empty:
        return Block(title=title, empty="Not sought here (hidden_demand.enabled), or nothing was ever missing.")
    columns = [
        Column("What was missing", is_number=False),
        Column("How it is known", "stated by counts, receipts and sales, or inferred from silence", is_number=False),
        Column("Spells"),
        Column("Days", "of a product in a store, or of a store"),
        Column("Units recovered", "expected to have been asked for in vain"),
    ]
    bars = bar_shares(list(data.availability["units"].astype(float)))
    rows = [_absence_row(row, bar) for (_, row), bar in zip(data.availability.iterrows(), bars, strict=True)]
    return Block(title=title, lead=_recovered(data), tables=[Table("Absences by state and basis", columns, rows)])


def _recovered(data: ReportData) -> str:
    units, sold = float(data.availability["units"].sum()), float(data.weekly["units"].sum())
    share = f", {formats.share(units / sold)} of what sold in whole weeks" if sold else ""
    return f"{formats.count(units)} units are recovered{share}; forecasts and plans rest on sales and these."


def _absence_row(row: pd.Series, bar: float | None) -> Row:
    return Row(
        [
            Cell(_STATES[row["state"]]),
            Cell("stated" if row["is_stated"] else "inferred"),
            Cell(formats.count(row["spells"]), row["spells"]),
            Cell(formats.count(row["days"]), row["days"]),
            Cell(formats.count(row["units"]), row["units"], bar=bar, tone="" if row["units"] else "quiet"),
        ]
    )
