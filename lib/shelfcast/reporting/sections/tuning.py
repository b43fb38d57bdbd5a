"""The search for the networks' settings: what was tried, and what it came to."""

from math import isfinite, nan

import pandas as pd

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table
from shelfcast.reporting.charts.svg import WIDE, both_widths
from shelfcast.reporting.charts.trials import Coordinate, best_so_far, parallel_coordinates
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.leaderboard import PANELS

_METHODS = {
    "tpe": "drawn by tree-structured Parzen estimators, the Bayesian search of Hyperopt",
    "grid": "each point of a grid",
}


def tuning(data: ReportData) -> list[Section]:
    """The section, where there are trials."""
    if data.trials.empty:
        return []
    lead = (
        "Settings of the networks, tried out in parallel. Each trial learned from weeks before the backtest's first "
        "cutoff and was judged on the last of these: no week that a model is scored on was seen."
    )
    searches = data.trials.sort_values("trial").groupby(["panel", "model"], sort=True)
    blocks = [_search(str(panel), str(model), trials) for (panel, model), trials in searches]
    return [Section("tuning", "Tuning", lead=lead, blocks=blocks)]


def _search(panel: str, model: str, trials: pd.DataFrame) -> Block:
    trials = trials.reset_index(drop=True)
    losses = [float(loss) for loss in trials["loss"].astype(float)]
    parameters = pd.DataFrame(list(trials["parameters"])).astype(float)
    told = [_told(row) for _, row in trials.iterrows()]
    varied = [str(name) for name in parameters if parameters[name].nunique() > 1]
    coordinates = [Coordinate(formats.words(name), list(parameters[name]), _setting) for name in varied]
    finished = [loss for loss in losses if isfinite(loss)]
    figures = []
    if finished:
        coordinates.append(Coordinate("validation loss", losses, formats.precise))
        caption = "The least validation loss until each trial, and that of each one."
        so_far = both_widths(lambda width: best_so_far(width, losses, told, formats.precise), WIDE)
        figures = [Figure("Best so far", so_far, caption)]
    side_by_side = both_widths(lambda width: parallel_coordinates(width, coordinates, losses, told), WIDE)
    caption = "A line a trial, the best drawn strong, failed ones dashed; what was the same in all is left out."
    return Block(
        title=f"{PANELS[panel]}: {formats.words(model)}",
        lead=_lead(trials, losses),
        figures=[Figure("Parameters and loss", side_by_side, caption), *figures] if coordinates else figures,
        tables=[_table(trials, parameters)],
    )


def _lead(trials: pd.DataFrame, losses: list[float]) -> str:
    method = str(trials["method"].iloc[0])
    failed = sum(not isfinite(loss) for loss in losses)
    tried = f"{formats.count(len(losses))} trials, {_METHODS[method]}; {failed or 'none'} failed."
    if failed == len(losses):
        return tried
    loss, trial = min((loss, trial) for loss, trial in zip(losses, trials["trial"], strict=True) if isfinite(loss))
    return f"{tried} The best is trial {trial}, with a validation loss of {formats.precise(loss)}."


def _told(row: pd.Series) -> str:
    said = str(row["error"]) if isinstance(row["error"], str) else f"loss {formats.precise(float(row['loss']))}"
    settings = ", ".join(f"{formats.words(name)} {_setting(value)}" for name, value in row["parameters"].items())
    return f"trial {row['trial']}: {said} ({settings})"


def _setting(value: float) -> str:
    """As one would write it into a configuration: 0.000316, 512."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _table(trials: pd.DataFrame, parameters: pd.DataFrame) -> Table:
    columns = [
        Column("Trial", is_number=False),
        Column("Loss", "of the validation: the quantiles' pinball losses and the mean's squared error, as in training"),
        *(Column(formats.words(str(name)).capitalize()) for name in parameters),
        Column("Time"),
    ]
    rows = [
        _row(row, [float(value) for value in values])
        for (_, row), values in zip(trials.iterrows(), parameters.to_numpy(), strict=True)
    ]
    return Table("All trials", columns, rows, is_sortable=True, is_folded=True)


def _row(row: pd.Series, values: list[float]) -> Row:
    loss = nan if pd.isna(row["loss"]) else float(row["loss"])
    error = str(row["error"]) if isinstance(row["error"], str) else ""
    cells = [
        Cell(str(row["trial"]), float(row["trial"]), note=error),
        Cell(formats.precise(loss), loss),
        *(Cell(_setting(value), value) for value in values),
        Cell(formats.seconds(float(row["seconds"])), float(row["seconds"])),
    ]
    return Row(cells)
