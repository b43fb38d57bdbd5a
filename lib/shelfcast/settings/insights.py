"""The section of a configuration that insights are looked for by."""

from pydantic import Field, model_validator

from shelfcast.settings.sections import Section


class Insights(Section):
    """What job insights looks for.

    findings: the most sentences to a topic. currency: the sign before money. season_weeks: of a year; season and trend
    are told apart from two of them on. min_selling_weeks: products and stores that sold in fewer of the last year's
    weeks are a segment of their own. fewest, most: segments that k-means may make of the others. sample: of these, what
    segments and outliers are learned from, at most. least_orders: what a vendor has delivered before it is ranked.
    delist_weeks: how far one looks back for products to delist; delist_rate: units a week in each store that lists it,
    at or below which a product is to go where costs or stock are not known.
    """

    findings: int = Field(default=5, ge=1)
    currency: str = "$"
    season_weeks: int = Field(default=52, ge=12)
    min_selling_weeks: int = Field(default=8, ge=2)
    fewest: int = Field(default=3, ge=2)
    most: int = Field(default=7, ge=2)
    sample: int = Field(default=5000, ge=50)
    least_orders: int = Field(default=10, ge=1)
    delist_weeks: int = Field(default=26, ge=1)
    delist_rate: float = Field(default=0.02, ge=0)

    @model_validator(mode="after")
    def _are_in_order(self) -> "Insights":
        if self.fewest > self.most:
            raise ValueError("fewest at most as large as most")
        return self
