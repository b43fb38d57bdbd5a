"""Where the champion errs: by weeks ahead, by category, by store, and by size of demand."""

import pandas as pd
from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.blocks import Block, Cell, Column, Figure, Row, Section, Table
from shelfcast.reporting.charts import lines
from shelfcast.reporting.charts.svg import WIDE, both_widths
from shelfcast.reporting.data import ReportData
from shelfcast.reporting.sections.leaderboard import BIAS, PANELS, WAPE, wape_bars
from shelfcast.reporting.sections.scatter import actual_against_predicted
from shelfcast.reporting.sections.store_heads import store_heads

SHOWN_STORES = 8


def errors(data: ReportData) -> Section:
    return Section(
        "errors",
        "Where the errors are",
        lead=_growth(data.horizon_errors),
        blocks=[_by_horizon(data), _by_category(data), _by_store(data), *store_heads(data), _actual(data)],
    )


def _growth(errors: pd.DataFrame) -> str:
    champion = errors[errors["is_champion"].astype(bool)]
    if champion.empty:
        return "The champion's errors by weeks ahead, by category and by store."
    panel = next(name for name in PANELS if name in set(champion["panel"]))
    steps = champion[champion["panel"] == panel].sort_values("step")
    first, last = steps.iloc[0], steps.iloc[-1]
    return (
        f"The champion, {formats.words(first['model'])}, errs by {formats.share(first['wape'])} of demand "
        f"in week {first['step']} after the cutoff and by {formats.share(last['wape'])} in week {last['step']}."
    )


def _by_horizon(data: ReportData) -> Block:
    title = "By weeks ahead"
    if data.horizon_errors.empty:
        return Block(title=title, empty="No errors by weeks ahead have been measured yet.")
    by_panel = data.horizon_errors.groupby("panel")
    figures = [
        Figure(title_of, _horizon_chart(by_panel.get_group(panel)), "WAPE; champions are drawn strong.")
        for panel, title_of in PANELS.items()
        if panel in by_panel.groups
    ]
    return Block(title=title, figures=figures)


def _horizon_chart(rows: pd.DataFrame) -> Markup:
    curves = [
        (formats.words(str(model)), bool(steps["is_champion"].iloc[0]), _steps(steps.sort_values("step")))
        for model, steps in rows.groupby("model", sort=True)
    ]
    return both_widths(lambda width: lines.by_step(width, curves, lambda v: formats.share(v, 0)), WIDE)


def _steps(rows: pd.DataFrame) -> list[tuple[int, float]]:
    return [(int(step), float(wape)) for step, wape in zip(rows["step"], rows["wape"], strict=True)]


def _by_category(data: ReportData) -> Block:
    title = "By category"
    if data.category_errors.empty:
        return Block(title=title, empty="No errors by category have been measured yet.")
    rows = data.category_errors.sort_values("units", ascending=False)
    return Block(
        title=title, tables=[_error_table("The champion's errors, largest categories first", "Category", rows)]
    )


def _by_store(data: ReportData) -> Block:
    title = "Best and worst stores"
    if data.store_errors.empty:
        return Block(title=title, empty="No errors by store have been measured yet.")
    ranked = data.store_errors.dropna(subset="wape").sort_values(["wape", "store_id"])
    shown = min(SHOWN_STORES, len(ranked) // 2) or len(ranked)
    half, nine_in_ten = (float(ranked["wape"].quantile(q)) for q in (0.5, 0.9))
    lead = (
        f"Half of the {formats.count(len(ranked))} stores err by less than {formats.share(half)} of their demand, "
        f"nine in ten by less than {formats.share(nine_in_ten)}."
    )
    tables = [
        _error_table("Least error", "Store", ranked.head(shown)),
        _error_table("Most error", "Store", ranked.tail(shown).iloc[::-1]),
    ]
    return Block(title=title, lead=lead, layout="halves", tables=tables if len(ranked) > 1 else tables[:1])


def _error_table(caption: str, what: str, errors: pd.DataFrame) -> Table:
    columns = [Column(what, is_number=False), Column("Units", "in the weeks forecast"), WAPE, BIAS]
    cells = zip(
        errors.iloc[:, 0],
        errors["units"],
        errors["wape"],
        wape_bars(errors["wape"]),
        errors["bias"],
        strict=True,
    )
    rows = [
        Row(
            [
                Cell(str(name), str(name)),
                Cell(formats.count(units), units),
                Cell(formats.share(wape), wape, bar=bar),
                Cell(formats.signed_share(bias), bias),
            ]
        )
        for name, units, wape, bar, bias in cells
    ]
    return Table(caption, columns, rows, is_sortable=True)


def _actual(data: ReportData) -> Block:
    blocks = actual_against_predicted(data, "backtest")
    return (
        blocks[0]
        if blocks
        else Block(title="Actual against predicted", empty="There are no backtest forecasts to compare.")
    )
