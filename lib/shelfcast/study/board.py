"""The study's table on the terminal, with what must be known to compare it with the published one."""

from pyspark.sql import DataFrame, Row
from rich.console import Console
from rich.table import Table

LEAK = (
    "The split is random: other months of the same store and product, later ones too, are among the training rows. "
    "These scores leak across time; they compare with the published table, and no decision rests on them."
)
_METRICS = ("rmse", "correlation", "mae", "rae", "rrse", "mape", "r2")
_SCOPES = {"all": "all rows", "pieces": "rows of products sold by the piece"}


def show(metrics: DataFrame, models: DataFrame) -> None:
    """Print STUDY_METRICS by scope, best first, and what STUDY_MODELS says of inputs and differences, on stdout."""
    console = Console(width=140)
    rows = list(metrics.orderBy("scope", "split", "rmse").toLocalIterator())
    described = {row["model"]: row for row in models.orderBy("model").toLocalIterator()}
    for scope, title in _SCOPES.items():
        for split in ("test", "validation"):
            chosen = [row for row in rows if (row["scope"], row["split"]) == (scope, split)]
            if chosen:
                console.print(_table(f"Study, {split}: {title} ({chosen[0]['rows']:,})", chosen, described))
    for line in _notes(rows, described):
        console.print(line)


def _table(title: str, rows: list[Row], described: dict[str, Row]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("model")
    for name in (*_METRICS, "seconds"):
        table.add_column(name, justify="right")
    for row in rows:
        scores = ["" if row[name] is None else f"{row[name]:.4f}" for name in _METRICS]
        table.add_row(row["model"], *scores, f"{described[row['model']]['seconds']:.1f}")
    return table


def _notes(rows: list[Row], described: dict[str, Row]) -> list[str]:
    first = next(iter(described.values()))
    left_out = max(row["zeros_left_out"] for row in rows)
    return [
        LEAK,
        f"Inputs: {', '.join(first['inputs'])}. Absent from these data: {', '.join(first['absent_inputs'])}.",
        f"MAPE leaves out rows without units: {left_out:,} of them.",
        *(f"{name} differs: {row['differs']}." for name, row in described.items() if row["differs"]),
    ]
