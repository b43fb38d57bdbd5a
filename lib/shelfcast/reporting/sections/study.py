"""The published study's protocol: its models and metrics, on its random split."""

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Row, Section, Table, bar_shares
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.scatter import actual_against_predicted


def study(data: ReportData) -> Section:
    lead = (
        "The published study's own protocol, for comparison with its table: months of store and product, split at "
        "random. A random split shows a model the future of its test rows: no decision rests on these scores."
    )
    if data.study.empty:
        blocks = [Block(title="Models", empty="The study has not been run: it is a job of its own.")]
        return Section("study", "The study's protocol", lead=lead, blocks=blocks)
    rows = data.study.sort_values("rmse")
    blocks = [Block(tables=[_study_table(rows)]), *actual_against_predicted(data, "study")]
    return Section("study", "The study's protocol", lead=lead, blocks=blocks)


def _study_table(rows: pd.DataFrame) -> Table:
    columns = [
        Column("Model", is_number=False),
        Column("RMSE", "units"),
        Column("Correlation"),
        Column("MAE", "units"),
        Column("RAE", "absolute errors against those of always saying the mean"),
        Column("RRSE", "as RAE, of squared errors, under the root"),
        Column("MAPE", "rows without units left out"),
        Column("R²"),
        Column("Time", "fit and prediction, on one core"),
    ]
    bars = bar_shares(list(rows["rmse"].astype(float)))
    return Table(
        "Scores on the test rows",
        columns,
        [_study_row(row, bar) for (_, row), bar in zip(rows.iterrows(), bars, strict=True)],
        True,
    )


def _study_row(row: pd.Series, bar: float | None) -> Row:
    differs = f"differs: {row['differs']}" if isinstance(row["differs"], str) else ""
    return Row(
        [
            Cell(formats.words(row["model"]), note=differs),
            Cell(formats.precise(row["rmse"]), row["rmse"], bar=bar),
            Cell(formats.ratio(row["correlation"]), row["correlation"]),
            Cell(formats.precise(row["mae"]), row["mae"]),
            Cell(formats.share(row["rae"]), row["rae"]),
            Cell(formats.share(row["rrse"]), row["rrse"]),
            Cell(formats.share(row["mape"]), row["mape"]),
            Cell(formats.ratio(row["r2"]), row["r2"]),
            Cell(formats.seconds(row["seconds"]), row["seconds"]),
        ]
    )
