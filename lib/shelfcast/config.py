"""Typed configuration: one YAML file per dataset or region."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from shelfcast.sections import Section, read


class Source(Section):
    """Where the transactions come from.

    files: table -> the name of its file in `path`, or a pattern (*, ?) of several. time_zone: that of the stores; a day
    is theirs.
    """

    kind: str
    path: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    persons: dict[str, Literal["drop", "hash"]] = Field(default_factory=dict)
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("the name of a time zone, such as America/New_York")
        return name


class Outliers(Section):
    """The robust upper bound of a product's quantity: median * exp(spreads * max(1.4826 * MAD of logs,
    min_log_spread))."""

    learn_until: date
    spreads: float = Field(gt=0)
    min_log_spread: float = Field(gt=0)
    min_sales: int = Field(ge=2)


class Volume(Section):
    """Products whose median quantity exceeds `median_over` are sold by volume; one unit of them is `per_unit` of it."""

    median_over: float = Field(gt=0)
    per_unit: float = Field(gt=0)


class Cleaning(Section):
    """What is refused, what is flagged, and which products are sold by volume.

    keys: table -> its business key. Rows of one key are versions or duplicates of one another; without a key, equal
    rows are of their own.
    """

    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    first_day: date
    last_day: date
    max_quantity: float = Field(gt=0)
    max_unit_price: float = Field(gt=0)
    ounce: Literal["weight", "fluid"]
    outliers: Outliers
    volume: Volume

    def key_of(self, table: str) -> tuple[str, ...]:
        """The business key of a table; empty where it has none."""
        return self.keys.get(table, ())


class Demand(Section):
    """How sales become demand."""

    category: str
    ended_after_weeks: int | None = Field(default=None, ge=1)


class Reference(Section):
    """The published selection of series that other tools are compared on."""

    stores: int = Field(ge=1)
    min_units: float = Field(ge=0)
    max_quantity: float = Field(gt=0)
    exclude_categories: tuple[str, ...] = ()


class Backtest(Section):
    """Rolling origins: the last `origins` cutoffs, `stride` weeks apart, `horizon` weeks ahead of each.

    The `slow_models` forecast the `slow_series` largest series of a panel, or all.
    """

    horizon: int = Field(ge=1)
    origins: int = Field(ge=3)
    stride: int = Field(ge=1)
    season: int = Field(ge=2)
    reference: Reference
    category_models: tuple[str, ...]
    product_models: tuple[str, ...]
    slow_models: tuple[str, ...] = ()
    slow_series: int | Literal["all"]
    min_selling_weeks: int = Field(ge=1)

    @property
    def sampled(self) -> dict[str, int]:
        """The models that forecast the largest series of a panel alone, and how many of them."""
        return {} if self.slow_series == "all" else dict.fromkeys(self.slow_models, self.slow_series)


class Training(Section):
    """How many examples the global models learn from."""

    max_examples: dict[Literal["category", "product"], int]
    min_history: int = Field(ge=1)


class Networks(Section):
    """The networks of job train_mlp: which, on which panels, of what size, and how they are trained.

    processes: that train together. windows: about so many of a panel are learned from, at most. held_back_weeks: the
    last ones known, which nothing is learned from and which stop the training; 0 trains every epoch on all. timeline: a
    file for the trace of what the processes sent one another.
    """

    panels: tuple[Literal["reference", "category", "product"], ...] = ("reference", "product")
    kinds: tuple[Literal["mlp", "lstm"], ...] = ("mlp",)
    processes: int = Field(default=1, ge=1)
    windows: int = Field(default=200_000, ge=1)
    units: int = Field(default=64, ge=1)
    blocks: int = Field(default=1, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    calendar: bool = False
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=0.002, gt=0)
    warmup_epochs: float = Field(default=0.5, ge=0)
    weight_decay: float = Field(default=0.0001, ge=0)
    held_back_weeks: int = Field(default=0, ge=0)
    patience: int = Field(default=3, ge=1)
    mixed_precision: bool = False
    timeline: str | None = None


class Forecast(Section):
    """The middle-out forecast and its calibration."""

    share_weeks: int = Field(ge=1)
    share_prior: float = Field(gt=0)
    remainder_floor: float = Field(ge=0, lt=1)
    calibration_share: float = Field(gt=0, le=1)


class Target(Section):
    """What a class of products is kept for: the share of replenishment cycles without a shortage, or of demand that is
    met from the shelf."""

    kind: Literal["cycle_service", "fill_rate"]
    level: float = Field(gt=0, lt=1)


class Limits(Section):
    """The most money that a plan may order for, by vendor or by store; who is not named has no limit."""

    vendor: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    store: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)


class Inventory(Section):
    """What orders are suggested by.

    order_days: vendor -> the days of the week, 1 Monday to 7, on which it takes orders; from others one may order every
    `review_days`. lead_days: of vendors that no purchase tells of. lead_prior: orders by which a store's lead times are
    shrunk to its vendor's. pack_lines: purchases that tell of a product's pack; packs, minima: product -> units, where
    they do not. order_cost: money an order line; holding_rate: share of a unit's cost a year. max_cover_days: the most
    that an order is to last; overstock_days: what lasts longer than needed and so long is too much. profile_prior:
    units by which a series' weekdays are shrunk to its store's. lapse_days: an order that has not come by then will
    not. rejected_days: a rejected order is not suggested again so long, unless it grows by the share `rejected_growth`.
    decisions: the file of decisions on suggested orders, CSV or JSON lines.
    """

    targets: dict[str, Target]
    review_days: int = Field(ge=1, le=28)
    order_days: dict[str, tuple[Annotated[int, Field(ge=1, le=7)], ...]] = Field(default_factory=dict)
    lead_days: int = Field(ge=0)
    lead_prior: float = Field(gt=0)
    pack_lines: int = Field(ge=1)
    packs: dict[str, Annotated[float, Field(ge=1)]] = Field(default_factory=dict)
    minima: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
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
    """Real demand replayed under rules: of at most `series` series, over the weeks after the first cutoff, the first
    `warm_up` of them not counted; `seeds` draws of lead times. levels, covers: what the curves are swept by, fill rates
    or service levels, and days. lost_sales: Parquet files of what was wanted and not sold (store_id, product_id,
    first_day, last_day, lost), where that is known."""

    series: int = Field(ge=1)
    warm_up: int = Field(ge=0)
    seeds: int = Field(ge=2)
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(min_length=2)
    covers: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=2)
    lost_sales: str | None = None


class Study(Section):
    """The published study's own protocol."""

    products: int = Field(ge=1)
    max_rows: int = Field(ge=1)


class Runtime(Section):
    """How the work is cut; results do not depend on the cores at hand, only on these counts."""

    buckets: int = Field(ge=1)
    seed: int


class Config(Section):
    """Everything that a run of one region depends on."""

    lake: str
    region: str = Field(pattern=r"^[a-z0-9_]+$")
    country: str
    as_of: date | None = None
    source: Source
    cleaning: Cleaning
    demand: Demand
    backtest: Backtest
    training: Training
    networks: Networks = Field(default_factory=Networks)
    forecast: Forecast
    inventory: Inventory
    replay: Replay
    study: Study
    runtime: Runtime

    @property
    def lake_root(self) -> str:
        """The lake's address: a URI as it stands, a path made absolute."""
        return self.lake if "://" in self.lake else str(Path(self.lake).absolute())


def load(path: str | Path, changes: Iterable[str] = ()) -> Config:
    """The configuration in the YAML file `path`, with `changes` of the form `section.key=value` on top.

    Raises ConfigError, one line, naming the file, the line and the key.
    """
    return read(Config, path, changes)
