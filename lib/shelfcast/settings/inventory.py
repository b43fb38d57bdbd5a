"""The sections of a configuration that plans and replays are made by."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from shelfcast.settings.sections import Section

Amounts = dict[str, Annotated[float, Field(ge=0)]]


class Target(Section):
    """What a class of products is kept for: the share of replenishment cycles without a shortage, or of demand that is
    met from the shelf."""

    kind: Literal["cycle_service", "fill_rate"]
    level: float = Field(gt=0, lt=1)


class Limits(Section):
    """The most that a plan may order, by vendor or by store: money (vendor, store) and units (vendor_units,
    store_units); who is not named has no limit."""

    vendor: Amounts = Field(default_factory=dict)
    store: Amounts = Field(default_factory=dict)
    vendor_units: Amounts = Field(default_factory=dict)
    store_units: Amounts = Field(default_factory=dict)


class Inventory(Section):
    """What orders are suggested by.

    targets: class -> what each of its series is kept for. fill_rate: in their place one for all series that are planned
    together, kept with the fewest units. order_days: vendor -> the days of the week, 1 Monday to 7, on which it takes
    orders; from others one may order every `review_days`. lead_days: of vendors that no purchase tells of. lead_prior:
    orders by which a store's lead times are shrunk to its vendor's. pack_lines: purchases that tell of a product's
    pack; packs: product -> units, over what they tell. minima: product -> units, the least of an order. vendor_minima:
    vendor -> money, the least that a day's orders of all stores come to: they are filled up with what would be due
    next, or wait. order_cost: money an order line; holding_rate: share of a unit's cost a year. max_cover_days: the
    most that an order is to last; overstock_days: what lasts longer than needed and so long is too much. profile_prior:
    units by which a series' weekdays are shrunk to its store's. lapse_days: an order that has not come by then will
    not. rejected_days: a rejected order is not suggested again so long, unless it grows by the share `rejected_growth`.
    decisions: the file of decisions on suggested orders, CSV or JSON lines, or a folder of such files, in which the API
    lays its own.
    """

    targets: dict[str, Target]
    fill_rate: float | None = Field(default=None, gt=0, lt=1)
    review_days: int = Field(ge=1, le=28)
    order_days: dict[str, tuple[Annotated[int, Field(ge=1, le=7)], ...]] = Field(default_factory=dict)
    lead_days: int = Field(ge=0)
    lead_prior: float = Field(gt=0)
    pack_lines: int = Field(ge=1)
    packs: dict[str, Annotated[float, Field(ge=1)]] = Field(default_factory=dict)
    minima: Amounts = Field(default_factory=dict)
    vendor_minima: Amounts = Field(default_factory=dict)
    order_cost: float = Field(gt=0)
    holding_rate: float = Field(gt=0)
    max_cover_days: int = Field(ge=1)
    overstock_days: int = Field(ge=1)
    profile_prior: float = Field(gt=0)
    samples: int = Field(ge=100)
    lapse_days: int = Field(ge=1)
    rejected_days: int = Field(ge=0)
    rejected_growth: float = Field(ge=0)
    limits: Limits = Limits()
    decisions: str | None = None

    @field_validator("targets")
    @classmethod
    def _is_complete(cls, targets: dict[str, Target]) -> dict[str, Target]:
        wanted = {f"{abc}{xyz}" for abc in "ABC" for xyz in "XYZ"}
        if targets.keys() != wanted:
            raise ValueError(f"a target for each of {', '.join(sorted(wanted))}")
        return targets


class Replay(Section):
    """Real demand replayed under rules: of at most `series` series, over the last `weeks` of those held out, after
    `warm_up` that are not counted; `seeds` draws of lead times. levels, covers, scales, factors: what the curves are
    swept by: fill rates or service levels; days that a minimum lasts; multiples of the reorder points that the history
    shows, and of the margin where money decides. gaps: the days from minimum to maximum that min/max may choose from.
    lost_sales: Parquet files of what was wanted and not sold (store_id, product_id, first_day, last_day, lost), where
    that is known."""

    series: int = Field(ge=1)
    weeks: int = Field(default=26, ge=1)
    warm_up: int = Field(ge=0)
    seeds: int = Field(ge=2)
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(min_length=2)
    covers: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=2)
    scales: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(0.4, 0.6, 0.8, 1.0, 1.3, 1.7), min_length=2)
    factors: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(0.1, 0.25, 0.5, 1.0, 2.0), min_length=2)
    gaps: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(7.0, 14.0, 21.0, 28.0, 42.0), min_length=1)
    lost_sales: str | None = None
