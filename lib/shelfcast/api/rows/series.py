"""Rows of regions, stores and products, of forecasts and sales. Demand is in the product's units."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from shelfcast.api.rows.fields import Level, ProductId, StoreId


class RegionRow(BaseModel):
    """A region that is served."""

    region: str = Field(examples=["north"])
    forecast_date: date = Field(description="the day as which its forecast knows the world")
    published_at: datetime
    run_id: str = Field(description="the run that published it")
    last_week: date | None = Field(description="the Monday of the last week with sales")
    stores: list[str] | None = Field(description="those that you reach; null: all")
    may_decide: bool = Field(description="whether decisions on its orders are collected")


class StoreRow(BaseModel):
    """A store, and from when to when it has sold."""

    store_id: StoreId
    first_sold_on: date | None
    last_sold_on: date | None


class ProductRow(BaseModel):
    """A product of the catalogue."""

    product_id: ProductId
    category_id: str | None
    department: str | None
    subcategory: str | None
    product_type: str | None
    brand: str | None
    vendor_id: str | None
    package_size: str | None


class ForecastWeek(BaseModel):
    """What is forecast of a week. Only means add up; a quantile that past forecasts are too few to know is null."""

    week: date = Field(description="its Monday")
    step: int = Field(description="weeks ahead, from 1")
    mean: float = Field(description="expected units", examples=[12.4])
    p10: float | None = Field(description="demand is at or below it with a probability of 10 %")
    p50: float | None
    p90: float | None
    p98: float | None
    dispersion: float | None = Field(description="k of a negative binomial: variance = mean + mean^2 / k")


class ForecastRow(BaseModel):
    """The forecast of a series: of a product or a category in a store, of a store or of the region."""

    level: Level
    store_id: str | None = Field(examples=["7"])
    product_id: str | None = Field(examples=["1082185"])
    category_id: str | None = Field(examples=["GROCERY"])
    method: str | None = Field(description="how the mean came about")
    run_id: str | None = Field(description="the run that forecast it: see /v1/lineage")
    weeks: list[ForecastWeek]


class SoldWeek(BaseModel):
    """What sold in a week; weeks without a sale are not there."""

    week: date
    quantity: float = Field(description="units")
    recovered_quantity: float | None = Field(description="units, had it always been in stock; null where not sought")
    revenue: float | None
    discount: float | None
    unit_price: float | None = Field(description="mean price at the shelf")


class HistoryRow(BaseModel):
    """The sales of a series in the last two years."""

    level: Literal["product", "category"]
    store_id: StoreId
    product_id: str | None
    category_id: str | None
    weeks: list[SoldWeek]
