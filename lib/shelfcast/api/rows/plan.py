"""Rows of the plan. Money is in the currency of the source, stock in the product's units."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from shelfcast.api.rows.fields import Decision, Known, ProductId, StoreId


class PolicyRow(BaseModel):
    """The plan of a product in a store: target levels, and what stock leaves to be wished for."""

    store_id: StoreId
    product_id: ProductId
    category_id: str | None
    vendor_id: str | None
    abc_xyz: str | None = Field(validation_alias="class", examples=["AX"])
    target_kind: str | None = Field(examples=["fill_rate"])
    target: float | None
    lead_days: float | None = Field(description="mean days from order to receipt")
    review_days: int | None
    may_order: bool | None
    pack: float | None = Field(description="units that come together")
    minimum: float | None
    unit_cost: float | None
    price: float | None
    daily_mean: float | None = Field(description="units a day over lead time and review period")
    dispersion: float | None
    safety_stock: float | None
    reorder_point: float | None
    order_up_to: float | None
    order_quantity: float | None
    on_hand: float | None
    on_order: float | None
    promised: float | None = Field(description="units that go to another store")
    position: float | None = Field(description="on hand + on order - promised")
    need: float | None
    stock_out: float | None = Field(description="chance of a shortage before an order of today comes")
    stock_out_after: float | None
    shortfall: float | None
    days_of_supply: float | None
    surplus: float | None
    need_by: date | None


class DecisionRow(BaseModel):
    """What was decided on an order or a transfer."""

    decision: Decision
    quantity: float
    decided_on: date = Field(description="the day of the plan that it is for")
    decided_at: datetime | None = Field(description="null where a file brought it")
    user: str | None
    note: str | None

    @property
    def mark(self) -> str:
        """What tells it from a later one."""
        return f"{self.decision} {self.quantity:g} {self.user} {self.decided_at or self.decided_on}"


class OrderRow(BaseModel):
    """An order that the plan suggests."""

    order_id: str = Field(examples=["9f86d081884c7d65"])
    store_id: StoreId
    vendor_id: Known
    product_id: ProductId
    need_by: date = Field(description="the Monday of the week in which stock falls to the safety stock")
    expected_on: date | None
    is_due: bool | None = Field(description="else it fills up a vendor's minimum")
    quantity: float = Field(description="units suggested")
    status: str = Field(description="suggested, or what holds it back: rejected, over_limit, below_minimum")
    cost: float | None = Field(description="with freight")
    stock_out: float | None
    stock_out_after: float | None
    days_of_supply: float | None
    decision: DecisionRow | None = Field(
        description="the last one, of this day's plan or an earlier one's; null where nobody has decided"
    )


class TransferRow(BaseModel):
    """A move of stock from one store to another that the plan suggests."""

    order_id: str
    product_id: ProductId
    from_store: str
    to_store: str
    need_by: date
    quantity: float
    status: str
    decision: DecisionRow | None


class RiskRow(BaseModel):
    """A product that is likely to run out, or of which there is too much."""

    store_id: StoreId
    product_id: ProductId
    risk: Literal["stock_out", "overstock"]
    probability: float | None
    units: float | None = Field(description="expected to be missing, or too many")
    value: float | None = Field(description="at the shelf price, or at cost")
    days_of_supply: float | None


class StockRow(BaseModel):
    """What is on hand at the closing of the forecast's day."""

    store_id: StoreId
    product_id: ProductId
    counted_on: date | None
    counted: float | None
    received: float | None
    sold: float | None
    balance: float | None
    on_hand: float
