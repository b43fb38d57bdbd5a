"""Typed configuration: one YAML file per dataset or region."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from shelfcast.errors import ConfigError
from shelfcast.settings.adjustments import as_changes, read_adjustments
from shelfcast.settings.contracts import Rule
from shelfcast.settings.database import WriteBack
from shelfcast.settings.hidden_demand import HiddenDemand
from shelfcast.settings.insights import Insights
from shelfcast.settings.inventory import Inventory, Replay
from shelfcast.settings.maintenance import Maintenance
from shelfcast.settings.monitoring import Monitoring
from shelfcast.settings.names import Country, ModelName
from shelfcast.settings.networks import FineTuning, Networks
from shelfcast.settings.retraining import Daily, Retraining
from shelfcast.settings.sections import LocalFile, PlainName, Section, read
from shelfcast.settings.serving import Serving
from shelfcast.settings.source import Source
from shelfcast.settings.tracking import Tracking
from shelfcast.settings.transfer import Transfer
from shelfcast.settings.tuning import Tuning

_OF_PRODUCTS = ("product_id",)


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
    rows are of their own. first_day, last_day: of sales; where no last one is set, as of a source that goes on, none is
    later than the day of the run.
    """

    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    first_day: date
    last_day: date | None = None
    max_quantity: float = Field(gt=0)
    max_unit_price: float = Field(gt=0)
    ounce: Literal["weight", "fluid"]
    outliers: Outliers
    volume: Volume

    def key_of(self, table: str) -> tuple[str, ...]:
        """The business key of a table; empty where it has none. A product is there once, whatever the configuration."""
        return _OF_PRODUCTS if table == "products" else self.keys.get(table, ())

    @field_validator("last_day")
    @classmethod
    def _is_not_before_the_first(cls, last: date | None, info: ValidationInfo) -> date | None:
        # A first day that is wrong itself is named by its own error.
        first = info.data.get("first_day")
        if first and last and last < first:
            raise ValueError(f"first_day, {first}, or later")
        return last

    @field_validator("keys")
    @classmethod
    def _leave_products_theirs(cls, keys: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if keys.get("products", _OF_PRODUCTS) != _OF_PRODUCTS:
            raise ValueError("products: [product_id], or no key of theirs")
        return keys


class Demand(Section):
    """How sales become demand."""

    ended_after_weeks: int | None = Field(default=None, ge=1)


class Condition(Section):
    """What goes on by day and place: whether a week's value is known ahead of it, as that of a holiday or campaign, or
    in the past alone, as that of the weather. absent: the value of a day of which nothing is told; unknown where none
    is given."""

    known: Literal["ahead", "past"]
    absent: float | None = None


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
    category_models: tuple[ModelName, ...]
    product_models: tuple[ModelName, ...]
    slow_models: tuple[ModelName, ...] = ()
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


class Forecast(Section):
    """The middle-out forecast and its calibration."""

    share_weeks: int = Field(ge=1)
    share_prior: float = Field(gt=0)
    remainder_floor: float = Field(ge=0, lt=1)
    calibration_share: float = Field(gt=0, le=1)


class Study(Section):
    """The published study's own protocol. processes: that train its network together."""

    products: int = Field(ge=1)
    max_rows: int = Field(ge=1)
    processes: int = Field(default=1, ge=1)


class Runtime(Section):
    """How the work is cut; results do not depend on the cores at hand, only on these counts."""

    buckets: int = Field(ge=1)
    seed: int


class Config(Section):
    """Everything that a run of one region depends on. adjustments: the file of what planners have set by the API, which
    stands over what is set here."""

    lake: str
    region: PlainName
    country: Country
    as_of: date | None = None
    adjustments: LocalFile | None = None
    source: Source
    cleaning: Cleaning
    contracts: tuple[Rule, ...] = ()
    demand: Demand
    conditions: dict[str, Condition] = Field(default_factory=dict)
    hidden_demand: HiddenDemand = Field(default_factory=HiddenDemand)
    backtest: Backtest
    training: Training
    networks: Networks = Field(default_factory=Networks)
    tuning: Tuning = Field(default_factory=Tuning)
    fine_tuning: FineTuning = Field(default_factory=FineTuning)
    transfer: Transfer | None = None
    tracking: Tracking = Field(default_factory=Tracking)
    retraining: Retraining = Field(default_factory=Retraining)
    daily: Daily = Field(default_factory=Daily)
    monitoring: Monitoring = Field(default_factory=Monitoring)
    maintenance: Maintenance = Field(default_factory=Maintenance)
    forecast: Forecast
    inventory: Inventory
    replay: Replay
    insights: Insights = Field(default_factory=Insights)
    write_back: WriteBack | None = None
    study: Study
    serving: Serving = Field(default_factory=Serving)
    runtime: Runtime

    @field_validator("conditions")
    @classmethod
    def _have_names_of_their_own(cls, told: dict[str, Condition]) -> dict[str, Condition]:
        if taken := sorted({"day", "known_from", "price", "promoted", "store_id", "until"} & {*told}):
            raise ValueError(f"names that mean nothing else, unlike {', '.join(taken)}")
        return told

    @field_validator("contracts")
    @classmethod
    def _are_of_tables_that_the_source_has(cls, rules: tuple[Rule, ...], info: ValidationInfo) -> tuple[Rule, ...]:
        # A source that is wrong itself is named by its own error.
        tables = (
            [*info.data["source"].tables] if "source" in info.data else [table for r in rules for table in r.tables]
        )
        if unknown := [f"{rule.name} of {table}" for rule in rules for table in rule.tables if table not in tables]:
            raise ValueError(f"rules of {', '.join(tables)}, unlike {', '.join(unknown)}")
        return rules

    @property
    def lake_root(self) -> str:
        """The lake's address: a URI as it stands, a path made absolute."""
        return self.lake if "://" in self.lake else str(Path(self.lake).absolute())


def load(path: str | Path, changes: Iterable[str] = ()) -> Config:
    """The configuration in the YAML file `path`, with what planners have set over it, and `changes` of the form
    `section.key=value` on top.

    Raises ConfigError, one line, naming the file, the line and the key.
    """
    changes = list(changes)
    config = load_unadjusted(path, changes)
    adjustments = read_adjustments(config.adjustments) if config.adjustments else {}
    if not adjustments:
        return config
    try:
        return read(Config, path, changes, as_changes(adjustments))
    except ConfigError as error:
        raise ConfigError(f"{config.adjustments} over {error}") from None


def load_unadjusted(path: str | Path, changes: Iterable[str] = ()) -> Config:
    """The same without what planners have set."""
    return read(Config, path, changes)
