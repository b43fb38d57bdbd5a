"""Actual against predicted demand, counted in cells."""

import pandas as pd
from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Figure
from shelfcast.reporting.charts import grids
from shelfcast.reporting.charts.svg import HALF, both_widths
from shelfcast.reporting.data import ReportData


def actual_against_predicted(data: ReportData, protocol: str) -> list[Block]:
    """A block with a figure per model of the protocol, "backtest" or "study"; none where there are none."""
    cells = data.scatter[data.scatter["protocol"] == protocol]
    figures = [
        Figure(formats.words(str(model)), _chart(str(model), rows)) for model, rows in cells.groupby("model", sort=True)
    ]
    lead = (
        "Each cell counts forecasts, both axes logarithmic; on the dashed line the forecast is right. Less than a "
        "unit, and weeks without sales, are in the lowest cells."
    )
    return [Block(title="Actual against predicted", lead=lead, layout="halves", figures=figures)] if figures else []


def _chart(model: str, rows: pd.DataFrame) -> Markup:
    cells = grids.cells(rows, "predicted", "actual", "pairs", ("forecasts", "predicted", "actual"))
    label = f"{formats.words(model)}: actual against predicted units, {formats.count(rows['pairs'].sum())} forecasts"
    plane = grids.Plane("predicted units", "actual units", label, diagonal=True)
    return both_widths(lambda width: grids.cell_grid(width, cells, plane), HALF)
