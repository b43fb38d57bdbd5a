"""Rows that tell of the day as a whole, of the stores that one reaches. Money is in the currency of the source."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from shelfcast.api.rows.fields import StoreId
from shelfcast.api.rows.plan import RiskRow


class Service(BaseModel):
    """How well the shelves serve. null: where stock is not counted."""

    products: int = Field(description="products in stores that are planned")
    target: float | None = Field(description="the mean of their targets, by expected demand")
    served: float | None = Field(
        description="the share of demand over lead time and review period that is met if nothing is ordered today"
    )
    missing: float | None = Field(description="units of it that are not")
    empty: int | None = Field(description="products in stores of which nothing is on hand")


class Stock(BaseModel):
    """What lies in the stores. null: where stock is not counted."""

    value: float | None = Field(description="at cost")
    units: float | None
    days: float | None = Field(description="how long it lasts at the expected demand")
    surplus: float | None = Field(description="what of it is too much, at cost")


class Suggested(BaseModel):
    """The orders that a plan suggests."""

    orders: int
    cost: float | None
    undecided: int | None = Field(description="null of an earlier day")


class RiskCount(BaseModel):
    risk: Literal["stock_out", "overstock"]
    products: int = Field(description="products in stores")
    value: float | None
    new: int | None = Field(description="that were none the day before; null where that is not known")
    gone: int | None = Field(description="that were one the day before and are none now")


class AlertCount(BaseModel):
    severity: Literal["critical", "warning", "info"]
    alerts: int
    new: int | None


class Ahead(BaseModel):
    """Expected demand of all products, in units."""

    week: date
    mean: float
    before: float | None = Field(description="what was expected of the same week the day before")


class NewRisk(RiskRow):
    is_new: bool | None = Field(description="whether it was none the day before; null where that is not known")


class StoreSummary(BaseModel):
    """A store: what is expected of its next week, and what waits in it. orders, stock_out, overstock: null where no
    plan is published."""

    store_id: StoreId
    last_sold_on: date | None
    mean: float | None = Field(description="units, in the next week")
    orders: int | None
    cost: float | None = Field(description="of the orders that are suggested")
    stock_out: int | None = Field(description="products that are likely to run out")
    overstock: int | None
    alerts: int


class Summary(BaseModel):
    """The day at a glance."""

    region: str
    forecast_date: date
    published_at: datetime
    last_week: date | None
    planned: bool = Field(
        description="whether a plan of the day is published; else service, stock, orders and risks tell of nothing"
    )
    before: date | None = Field(description="the day that it is compared with; null where none is published")
    stores: int
    service: Service
    stock: Stock
    suggested: Suggested
    suggested_before: Suggested | None = Field(description="null where no plan of that day, or of this, is published")
    risks: list[RiskCount]
    alerts: list[AlertCount]
    ahead: list[Ahead]
