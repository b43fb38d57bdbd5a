"""The leaderboard: every model on the same weeks, the champion marked."""

import pandas as pd

from shelfcast.models import ZERO
from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Row, Section, Table, bar_shares
from shelfcast.reporting.data import ReportData

FITTED = "fitted"
PANELS = {
    "reference": "Store and category",
    "category": "Store and category, all of them",
    "product": "Store and product",
}
WAPE = Column("WAPE", "sum of absolute errors, of demand; 0 is perfect, an all-zero forecast scores 100 %")
BIAS = Column("Bias", "sum of errors, of demand; above 0 the forecast is too high")
_METRICS = (
    WAPE,
    Column("Earlier", "WAPE over the earlier cutoffs, which choose the champions; an ensemble learns from the first"),
    Column(
        "RMSSE",
        "root mean squared error against that of the naive forecast in the history; below 1 is better than naive",
    ),
    Column("RMSE", "root mean squared error, units"),
    Column("MAE", "mean absolute error, units"),
    BIAS,
    Column("R²", "share of the variance explained"),
    Column("Time", "all its fits and predictions"),
)


def leaderboard(data: ReportData) -> Section:
    lead = (
        "Every model forecast the same weeks from what was known before them. The champion is chosen on the earlier "
        "cutoffs and scored here on the last one, which no choice has seen."
    )
    if data.leaderboard.empty:
        blocks = [Block(title="Models", empty="No model has been scored: the evaluate job has not run.")]
        return Section("leaderboard", "Leaderboard", lead=lead, blocks=blocks)
    panels = [panel for panel in PANELS if panel in set(data.leaderboard["panel"])]
    blocks = [_board(panel, data.leaderboard[data.leaderboard["panel"] == panel]) for panel in panels]
    return Section("leaderboard", "Leaderboard", lead=lead, blocks=blocks)


def wape_bars(wapes: pd.Series) -> list[float | None]:
    """Bars to the largest WAPE, or to 100 % where it is beyond: one silly forecast must not dwarf all others."""
    most = float(wapes.max())
    return [None if bar is None else min(bar, 1.0) for bar in bar_shares(list(wapes.astype(float)), min(most, 1.0))]


def _board(panel: str, board: pd.DataFrame) -> Block:
    # A model without scores comes last, and the all-zero forecast says what knowing nothing costs.
    board = board.sort_values(["wape", "model"], na_position="last")
    bars = wape_bars(board["wape"])
    rows = [_model_row(row, bar) for (_, row), bar in zip(board.iterrows(), bars, strict=True)]
    columns = [Column("Model", is_number=False), Column("Family", is_number=False), *_METRICS]
    title = PANELS[panel]
    return Block(title=title, tables=[Table(f"{title}: scores at the last cutoff", columns, rows, is_sortable=True)])


def _model_row(row: pd.Series, bar: float | None) -> Row:
    champion = row["champion"] if isinstance(row["champion"], str) else ""
    name = Cell(formats.words(row["model"]), badge=_badge(champion), note=_remark(row))
    family = Cell(formats.words(row["family"]))
    if row["status"] != FITTED:
        return Row([name, family, *(Cell(formats.MISSING, float("nan")) for _ in _METRICS)], kind="quiet")
    numbers = [
        Cell(formats.share(row["wape"]), row["wape"], bar=bar),
        Cell(formats.share(row["earlier_wape"]), row["earlier_wape"]),
        Cell(formats.ratio(row["rmsse"]), row["rmsse"]),
        Cell(formats.precise(row["rmse"]), row["rmse"]),
        Cell(formats.precise(row["mae"]), row["mae"]),
        Cell(formats.signed_share(row["bias"]), row["bias"]),
        Cell(formats.ratio(row["r2"]), row["r2"]),
        Cell(formats.seconds(row["seconds"]), row["seconds"]),
    ]
    kind = "champion" if champion else "quiet" if row["model"] == ZERO else ""
    return Row([name, family, *numbers], kind=kind)


def _badge(champion: str) -> str:
    """The champion for the mean makes the means, and by its errors the quantiles; that for the median shows what could
    be gained there."""
    if not champion:
        return ""
    return "champion" if "and" in champion else f"champion for the {champion}"


def _remark(row: pd.Series) -> str:
    if row["status"] == FITTED and row["model"] == ZERO:
        return "knows nothing"
    if row["status"] == FITTED:
        return "; ".join(formats.words(row[name]) for name in ("members", "detail") if isinstance(row[name], str))
    return str(row["status"]) if not isinstance(row["detail"], str) else f"{row['status']}: {row['detail']}"
