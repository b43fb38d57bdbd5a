"""What was received, run after run: deliveries, and whether contracts were kept."""

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Row, Table, bar_shares
from shelfcast.reporting.data import ReportData

_VERDICTS = {"count": "counted", "quarantine": "quarantined", "fatal": "ends the job"}


def promises(data: ReportData) -> Block:
    """A row a rule: what the last run found, and the runs before it."""
    title = "Contracts"
    if data.contracts.empty:
        return Block(title=title, empty="No contract is set down (contracts in the configuration).")
    rules = [rule for _, rule in data.contracts.sort_values("age").groupby("rule", sort=True)]
    bars = bar_shares([float(rule["violations"].iloc[0]) for rule in rules])
    columns = [
        Column("Rule", is_number=False),
        Column("Table", is_number=False),
        Column("Kind", is_number=False),
        Column("A violation", is_number=False),
        Column("Rows judged", "by the last run; of a rule of whole tables, tables"),
        Column("Violations", "in the last run"),
        Column("Runs before", "violations, the newest first", is_number=False),
    ]
    rows = [_rule(rule, bar) for rule, bar in zip(rules, bars, strict=True)]
    broken = sum(int(rule["violations"].iloc[0] > 0) for rule in rules)
    kept = f"{formats.count(len(rules) - broken)} of {formats.count(len(rules))} rules were kept by what came last."
    return Block(title=title, lead=kept, tables=[Table("What the source promised, and what came", columns, rows)])


def _rule(rule: pd.DataFrame, bar: float | None) -> Row:
    last = rule.iloc[0]
    before = ", ".join(formats.count(found) for found in rule["violations"].iloc[1:])
    broken = last["violations"]
    return Row(
        [
            Cell(formats.words(str(last["rule"]))),
            Cell(formats.words(str(last["source_table"]))),
            Cell(str(last["check"])),
            Cell(_VERDICTS[str(last["severity"])]),
            Cell(formats.count(last["rows"]), last["rows"]),
            Cell(formats.count(broken), broken, bar=bar, tone="bad" if broken else ""),
            Cell(before or "none", tone="quiet"),
        ]
    )


def deliveries(data: ReportData) -> Block:
    """A row a delivery, the newest first."""
    title = "Deliveries"
    if data.deliveries.empty:
        return Block(title=title, empty="Nothing has been delivered yet.")
    columns = [
        Column("Table", is_number=False),
        Column("Delivery"),
        Column("Tells of days to", is_number=False),
        Column("Rows in"),
        Column("Clean share", "of its rows, as they were judged when it came"),
        *(Column(fate.capitalize()) for fate in ("quarantined", "duplicates", "superseded", "blank")),
    ]
    rows = [_delivery(row) for _, row in data.deliveries.iterrows()]
    table = Table("The newest deliveries of each table", columns, rows, is_folded=len(rows) > 9)
    return Block(title=title, tables=[table])


def _delivery(row: pd.Series) -> Row:
    share = row["clean"] / row["raw"] if row["raw"] else float("nan")
    others = [
        Cell(formats.count(row[fate]), row[fate], tone="" if row[fate] else "quiet")
        for fate in ("quarantined", "duplicates", "superseded", "blank")
    ]
    return Row(
        [
            Cell(formats.words(str(row["source_table"]))),
            Cell(formats.count(row["delivery"]), row["delivery"]),
            Cell("not told" if pd.isna(row["told_until"]) else str(row["told_until"])),
            Cell(formats.count(row["raw"]), row["raw"]),
            Cell(formats.share(share, 3), share, bar=share),
            *others,
        ]
    )
