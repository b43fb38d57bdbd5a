"""Models: how they did in the backtest, beside one another and beside what came true."""

from datetime import date
from typing import Annotated, Any

import numpy as np
from fastapi import Query
from fastapi.responses import Response

from shelfcast.api.index.contest import SHOWN
from shelfcast.api.routes.insights import backtests, champions, leaderboard
from shelfcast.api.rows.models import ChampionRow, LeaderboardRow
from shelfcast.api.view import View
from shelfcast.web.charts.contest import errors_chart, pairs_chart, weeks_chart
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
_FEW = 10
_TITLES = {
    SHOWN: "Categories, reference panel",
    "category": "Categories, all",
    "product": "Products",
}


@ROUTER.get("/models")
def show_models(visit: ViewerVisit, panel: Annotated[str, Query(max_length=64)] = "") -> Response:
    rows = leaderboard().all(visit.view)
    panels = [name for name in _TITLES if any(row.panel == name for row in rows)]
    shown = panel if panel in panels else next(iter(panels), "")
    board = sorted((row for row in rows if row.panel == shown), key=_by_error)
    return visit.show(
        "models.html",
        panels=panels,
        titles=_TITLES,
        panel=shown,
        board=board,
        errors=errors_chart(board, visit.say),
        decisions=sorted(champions(shown).all(visit.view), key=_decided, reverse=True)[:_FEW],
        contest=_contest(visit, {row.model for row in board if row.champion}) if shown == SHOWN else [],
    )


def _decided(row: ChampionRow) -> tuple[date, str]:
    return row.as_of, row.decided_at or ""


def _by_error(row: LeaderboardRow) -> tuple[bool, float, str]:
    return row.wape is None, row.wape or 0.0, row.model


def _contest(visit: Visit, crowned: set[str]) -> list[dict[str, Any]]:
    """Of champion and challenger, the champion first, what they said of the user's stores, and what came true."""
    found = []
    for model, rows in sorted(_said(visit.view).items(), key=lambda entry: entry[0] not in crowned):
        pairs = np.array([(said, real) for _, real, said in rows])
        by_week: dict[date, np.ndarray] = {}
        for week, real, said in rows:
            by_week[week] = by_week.get(week, np.zeros(2)) + np.array([real, said])
        weeks = [(week, float(sums[0]), float(sums[1])) for week, sums in sorted(by_week.items())]
        charts = {"pairs": pairs_chart(model, pairs, visit.say), "weeks": weeks_chart(model, weeks, visit.say)}
        found.append({"model": model, **charts})
    return found


def _said(view: View) -> dict[str, list[tuple[date, float, float]]]:
    """model -> (week, what came true, what was said) of each series and step."""
    listing = backtests(view)
    rows = view.select("select model, week, y, y_hat from backtests", listing.conditions)
    found: dict[str, list[tuple[date, float, float]]] = {}
    for row in rows:
        if row["y"] is not None:
            found.setdefault(row["model"], []).append((date.fromisoformat(row["week"]), row["y"], row["y_hat"]))
    return found
