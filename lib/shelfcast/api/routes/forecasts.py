"""Forecasts and sales, by store, product, category and week."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from shelfcast.api.answers import Paged, answer_page, page_docs
from shelfcast.api.index.packed import Matrix, as_date, unpack
from shelfcast.api.index.parts import FORECAST_WEEKS, SOLD_WEEKS
from shelfcast.api.index.reading import Row
from shelfcast.api.listing import Listing
from shelfcast.api.rows.fields import Level
from shelfcast.api.rows.series import ForecastRow, HistoryRow
from shelfcast.api.view import Condition, Seen, View

ROUTER = APIRouter(prefix="/v1", tags=["forecasts"])
# How the lake names what a sum is over, and what has no name yet.
_NAMELESS = ("(all)", "(not listed yet)")


@dataclass(frozen=True)
class Asked:
    """Which series, and which of their weeks."""

    store_id: str | None = None
    product_id: str | None = None
    category_id: str | None = None
    first: date | None = None
    last: date | None = None

    def keeps(self, week: date) -> bool:
        return (self.first is None or week >= self.first) and (self.last is None or week <= self.last)


async def asked(
    store_id: Annotated[str | None, Query(max_length=128)] = None,
    product_id: Annotated[str | None, Query(max_length=128)] = None,
    category_id: Annotated[str | None, Query(max_length=256)] = None,
    first: Annotated[date | None, Query(alias="from", description="no week that begins before this day")] = None,
    last: Annotated[date | None, Query(alias="to", description="no week that begins after it")] = None,
) -> Asked:
    return Asked(store_id, product_id, category_id, first, last)


SeriesAsked = Annotated[Asked, Depends(asked)]


@ROUTER.get("/forecasts", responses=page_docs(ForecastRow))
def list_forecasts(
    request: Request,
    view: Seen,
    asked: SeriesAsked,
    paging: Paged,
    level: Annotated[Level, Query(description="unlisted: what a store does not sell yet, by category")] = "product",
) -> Response:
    """The newest forecast, a page of series. Means add up from product and unlisted to category, store and region."""
    return answer_page(request, view, forecasts(view, level, asked), paging)


@ROUTER.get("/history", responses=page_docs(HistoryRow))
def list_history(
    request: Request,
    view: Seen,
    asked: SeriesAsked,
    paging: Paged,
    level: Literal["product", "category"] = "product",
) -> Response:
    """What sold, week by week, in the two years before the forecast."""
    return answer_page(request, view, history(view, level, asked), paging)


def forecasts(view: View, level: Level, asked: Asked = Asked()) -> Listing[ForecastRow]:
    """Raises Problem 403 where what is asked for is not the user's."""
    if level == "region":
        view.require_region()
    key = ("level", "store_id", "item_id", "category_id")
    conditions = _conditions(view, level, asked)
    reader = _reader(FORECAST_WEEKS, asked)
    return Listing(ForecastRow, "select * from forecasts", key, conditions, read=reader, flatten=flatten_weeks)


def history(view: View, level: Literal["product", "category"], asked: Asked = Asked()) -> Listing[HistoryRow]:
    """Raises Problem 403 where the store that is asked for is not the user's."""
    key, conditions = ("level", "store_id", "item_id"), _conditions(view, level, asked)
    reader = _reader(SOLD_WEEKS, asked)
    return Listing(HistoryRow, "select * from history", key, conditions, read=reader, flatten=flatten_weeks)


def _conditions(view: View, level: str, asked: Asked) -> list[Condition | None]:
    view.require_store(asked.store_id)
    return [
        Condition.equal("level", level),
        Condition.equal("store_id", asked.store_id),
        Condition.equal("item_id", asked.product_id),
        Condition.equal("category_id", asked.category_id),
        view.own("store_id") if level != "region" else None,
    ]


def _reader(columns: Sequence[str], asked: Asked) -> Callable[[Sequence[Row]], list[Row]]:
    def read(rows: Sequence[Row]) -> list[Row]:
        return [_named(row, columns, asked) for row in rows]

    return read


def _named(row: Row, columns: Sequence[str], asked: Asked) -> Row:
    weeks = [week for week in rows_of_weeks(unpack(row["weeks"], len(columns)), columns) if asked.keeps(week["week"])]
    named = {name: None if row[name] in _NAMELESS else row[name] for name in ("store_id", "item_id", "category_id")}
    return {**row, **named, "product_id": named["item_id"] if row["level"] == "product" else None, "weeks": weeks}


def rows_of_weeks(weeks: Matrix, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The weeks of a series as rows: the first column is the week."""
    for values in weeks.tolist():
        numbers = {name: None if math.isnan(value) else value for name, value in zip(columns, values, strict=True)}
        yield {**numbers, "week": as_date(values[0])}


def flatten_weeks(item: BaseModel) -> Iterator[Mapping[str, Any]]:
    """A row for each week of a series."""
    told = item.model_dump()
    weeks = told.pop("weeks")
    yield from ({**told, **week} for week in weeks)
