"""The quality of data and forecasts, in one answer."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from shelfcast.api.answers import answer_one
from shelfcast.api.view import Seen, View

ROUTER = APIRouter(prefix="/v1", tags=["monitoring"])
_PARTS = {
    "row_counts": "select * from row_counts order by source_table",
    "refusals": "select * from refusals order by rows desc, source_table, rule",
    "series_counts": "select * from series_counts order by level",
    "accuracy": "select * from accuracy order by level",
    "calibration": "select * from calibration order by level, quantile",
    "drift": "select * from drift order by feature, bin",
}


class Quality(BaseModel):
    """Rows in = clean + quarantined + duplicates + superseded + blank; series = modelled + fallback + refused."""

    row_counts: list[dict[str, Any]] = Field(description="of each source table, what became of its rows")
    refusals: list[dict[str, Any]] = Field(description="how many rows each rule refused")
    series_counts: list[dict[str, Any]] = Field(description="of each level, how its series were forecast")
    accuracy: list[dict[str, Any]] = Field(description="of what is published, at the last cutoff of the backtest")
    calibration: list[dict[str, Any]] = Field(description="the share of demand at or below each quantile")
    drift: list[dict[str, Any]] = Field(description="shares of sales that were expected and found, by bin of a feature")


@ROUTER.get("/quality", responses={200: {"model": Quality}})
def get_quality(request: Request, view: Seen) -> Response:
    """What became of the rows that came in, and how good the forecasts were; of the region as a whole."""
    return answer_one(request, view, partial(quality, view))


def quality(view: View) -> Quality:
    """Raises Problem 403 where the user does not reach all of the region."""
    view.require_region()
    return Quality(**{name: view.index.rows(query) for name, query in _PARTS.items()})
