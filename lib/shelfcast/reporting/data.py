"""What the report is made of: small frames whose size the queries bound, and a handful of scalars."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from shelfcast.errors import SchemaError

# Each frame's columns. Shares and ratios are fractions of 1; units are units sold; revenue is in the region's currency.
COLUMNS: dict[str, tuple[str, ...]] = {
    # one row a source table: rows received, and what became of them; `flagged` rows are clean, with an outlier capped
    "row_counts": ("source_table", "raw", "clean", "quarantined", "duplicates", "superseded", "blank", "flagged"),
    # one row a rule that refused any row
    "refusals": ("source_table", "rule", "rows"),
    # the newest deliveries of each source table; told_until: the newest day that they tell of
    "deliveries": (
        *("source_table", "delivery", "told_until", "raw", "clean", "quarantined"),
        *("duplicates", "superseded", "blank"),
    ),
    # one row a rule of a contract and run, the newest runs; age: 1 is the last run
    "contracts": ("rule", "source_table", "check", "severity", "age", "known_on", "rows", "violations"),
    # one row a state (out_of_stock, delisted, closed, not_delivered) and basis; days: of products in stores, or of
    # stores; units: expected to have been lost
    "availability": ("state", "is_stated", "spells", "days", "units"),
    # the worst first, as many as the page has room for
    "alerts": ("severity", "check", "reason", "held", "of_kind", "held_of_kind"),
    # one row a bin of a feature: shares of the sales, and the bin's part of the population stability index
    "drift": ("feature", "bin", "label", "expected", "found", "psi"),
    # one row a week of all stores; `week` is its first day
    "weekly": ("week", "units", "revenue"),
    # the largest categories, a row a week
    "weekly_by_category": ("week", "category", "units", "revenue"),
    # level is "product" or "category": series = store x level
    "demand_classes": ("level", "demand_class", "series", "units"),
    # series counted in cells of ADI (weeks from sale to sale) by CV2; edges in the frame, cells without series left out
    "class_grid": ("level", "adi_low", "adi_high", "cv2_low", "cv2_high", "series"),
    # one row a panel and model, scored at the last cutoff; earlier_wape: over the cutoffs of the choice.
    # panel: "reference", "category" or "product". status: "fitted", or why there are no scores, with a detail.
    # champion: "mean", "median", "mean and median" or null. members: of an ensemble, else null.
    # wape and bias: of demand; rmse and mae: units; rmsse and r2: ratios; seconds: of all its fits
    "leaderboard": (
        *("panel", "model", "family", "status", "detail", "champion", "earlier_wape", "wape", "rmsse", "rmse", "mae"),
        *("bias", "r2", "seconds", "members"),
    ),
    # the leading models and the simple ones, at the last cutoff; step 1 is the first week after the cutoff
    "horizon_errors": ("panel", "model", "is_champion", "step", "wape"),
    # the champion's errors at the last cutoff, by category and by store, on the panel of store x category
    "category_errors": ("category", "units", "wape", "bias"),
    "store_errors": ("store_id", "units", "wape", "bias"),
    # actual and predicted demand, counted in cells; protocol: "backtest" or "study". Edges are above 0, for logarithms
    "scatter": ("protocol", "model", "predicted_low", "predicted_high", "actual_low", "actual_high", "pairs"),
    # one row a trial of the networks' tuning; parameters: by name. loss: of the validation; null, with an error, where
    # status is "failed". method: "tpe" or "grid"
    "trials": ("panel", "model", "method", "trial", "status", "loss", "parameters", "seconds", "error"),
    "accuracy": ("level", "rows", "wape", "bias", "median_wape"),
    # observed: the share of demand at or below the forecast quantile `stated`; pinball: units; both null where the
    # quantile rests on fewer past forecasts, `ratios`, than are `wanted` for it
    "calibration": ("level", "stated", "observed", "below", "pinball", "ratios", "wanted"),
    # series = modelled + fallback + refused
    "series_counts": ("level", "series", "modelled", "fallback", "refused"),
    # a few chosen series: `units` in the past, quantiles in the future, null elsewhere and where they are not known
    "fans": ("title", "week", "units", "p10", "p50", "p90"),
    # one row a panel, network and store that has tried a head of its own; what the network's own head and the store's
    # came to behind the last cutoff, in units: loss as trained on, absolute error of the median
    "store_heads": (
        *("panel", "model", "store_id", "kept"),
        *("base_loss", "head_loss", "base_error", "head_error", "units"),
    ),
    # what a manager can act on; figure: null where the sentence says why there is nothing to tell
    "findings": ("topic", "rank", "subject", "figure", "unit", "sentence"),
    # products by the percent of all revenue that is reached with them; null: they sold nothing
    "abc_curve": ("percent", "products", "revenue"),
    "abc_classes": ("class", "products", "revenue"),
    # one row a segment; kind is "product" or "store", segment 0 sold too seldom to tell; the rest are means
    "segment_sizes": (
        *("kind", "segment", "label", "items", "revenue", "outliers"),
        *("level", "variation", "price", "trend", "discounted", "breadth"),
    ),
    # a sample of products and of stores; level: units a week, variation: their coefficient of variation
    "segment_points": ("kind", "segment", "item_id", "level", "variation"),
    # the largest categories; index: of each week from first_week on, as a multiple of the trend or of the average week
    "seasons": (
        *("category_id", "revenue", "is_seasonal", "first_week", "index", "peak_week", "peak"),
        *("season", "trend", "growth", "growth_lower", "growth_upper"),
    ),
    # the slowest vendors; days from order to receipt
    "vendors": ("vendor_id", "orders", "mean_days", "variation", "p10", "p90", "freight_share", "products"),
    # those with most excess stock, else those whose forecast missed most units
    "store_insights": ("store_id", "units", "wape", "bias", "excess_products", "excess", "excess_value"),
    # the first products to go; rule: "margin" or "rate"
    "delistings": ("product_id", "category_id", "stores", "units", "revenue", "margin", "on_hand", "holding", "rule"),
    # the vendors with most to be ordered from: suggested orders, their units and cost; how many are held back
    "vendor_orders": ("vendor_id", "orders", "quantity", "cost", "held_back"),
    # risk: "stock_out" or "overstock", by class of product; units and value: expected to be missing, or too many
    "risk_classes": ("risk", "class", "series", "units", "value"),
    # one row a rule and parameter; short_days: share of days; stock: units a series; turnover: a year; the rest money
    "replays": (
        *("rule", "parameter", "fill_rate", "short_days", "stock", "turnover"),
        *("holding", "ordering", "lost_margin", "cost"),
    ),
    # what the plan saves beside another rule, as a share at equal `given`, with its interval
    "replay_gains": ("other", "given", "saved", "mean", "lower", "upper"),
    # demand over lead time and review period: shares of periods at or below, and below, the quantile `level`
    "lead_time_calibration": ("level", "rows", "observed", "below"),
    # the published study's protocol, on its test rows; differs: where a model is not quite the study's own, else null
    "study": (
        "model",
        "representation",
        "rmse",
        "correlation",
        "mae",
        "rae",
        "rrse",
        "mape",
        "r2",
        "seconds",
        "differs",
    ),
}


@dataclass(frozen=True)
class Headline:
    """What one reads first. None where no job has measured it yet.

    first_day, last_day: of the sales. forecast_series: series with a forecast for the next `horizon` weeks;
    forecast_units: the sum of their means. champion: the model that makes the forecasts, with its WAPE in the backtest;
    benchmark: the simple model that it is compared with, and its WAPE.
    """

    transactions: int | None = None
    stores: int | None = None
    products: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    forecast_series: int | None = None
    forecast_units: float | None = None
    horizon: int | None = None
    champion: str | None = None
    champion_wape: float | None = None
    benchmark: str | None = None
    benchmark_wape: float | None = None


@dataclass(frozen=True)
class Provenance:
    """Where the page comes from: the run, the day whose knowledge it holds, its config and what it read.

    settings: config keys as written, in order. versions: packages and code. tables: table -> Delta version read.
    """

    region: str
    run_id: str
    as_of: date
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(COLUMNS[name]))


@dataclass(frozen=True)
class ReportData:
    """All that the page shows. currency: the sign before money. A frame that is left out is empty, and its section says
    so.

    Raises SchemaError for a frame without one of its COLUMNS.
    """

    headline: Headline
    provenance: Provenance
    currency: str
    row_counts: pd.DataFrame = field(default_factory=lambda: _empty("row_counts"))
    refusals: pd.DataFrame = field(default_factory=lambda: _empty("refusals"))
    deliveries: pd.DataFrame = field(default_factory=lambda: _empty("deliveries"))
    contracts: pd.DataFrame = field(default_factory=lambda: _empty("contracts"))
    availability: pd.DataFrame = field(default_factory=lambda: _empty("availability"))
    alerts: pd.DataFrame = field(default_factory=lambda: _empty("alerts"))
    drift: pd.DataFrame = field(default_factory=lambda: _empty("drift"))
    weekly: pd.DataFrame = field(default_factory=lambda: _empty("weekly"))
    weekly_by_category: pd.DataFrame = field(default_factory=lambda: _empty("weekly_by_category"))
    demand_classes: pd.DataFrame = field(default_factory=lambda: _empty("demand_classes"))
    class_grid: pd.DataFrame = field(default_factory=lambda: _empty("class_grid"))
    leaderboard: pd.DataFrame = field(default_factory=lambda: _empty("leaderboard"))
    horizon_errors: pd.DataFrame = field(default_factory=lambda: _empty("horizon_errors"))
    category_errors: pd.DataFrame = field(default_factory=lambda: _empty("category_errors"))
    store_errors: pd.DataFrame = field(default_factory=lambda: _empty("store_errors"))
    scatter: pd.DataFrame = field(default_factory=lambda: _empty("scatter"))
    trials: pd.DataFrame = field(default_factory=lambda: _empty("trials"))
    accuracy: pd.DataFrame = field(default_factory=lambda: _empty("accuracy"))
    calibration: pd.DataFrame = field(default_factory=lambda: _empty("calibration"))
    series_counts: pd.DataFrame = field(default_factory=lambda: _empty("series_counts"))
    fans: pd.DataFrame = field(default_factory=lambda: _empty("fans"))
    store_heads: pd.DataFrame = field(default_factory=lambda: _empty("store_heads"))
    findings: pd.DataFrame = field(default_factory=lambda: _empty("findings"))
    abc_curve: pd.DataFrame = field(default_factory=lambda: _empty("abc_curve"))
    abc_classes: pd.DataFrame = field(default_factory=lambda: _empty("abc_classes"))
    segment_sizes: pd.DataFrame = field(default_factory=lambda: _empty("segment_sizes"))
    segment_points: pd.DataFrame = field(default_factory=lambda: _empty("segment_points"))
    seasons: pd.DataFrame = field(default_factory=lambda: _empty("seasons"))
    vendors: pd.DataFrame = field(default_factory=lambda: _empty("vendors"))
    store_insights: pd.DataFrame = field(default_factory=lambda: _empty("store_insights"))
    delistings: pd.DataFrame = field(default_factory=lambda: _empty("delistings"))
    vendor_orders: pd.DataFrame = field(default_factory=lambda: _empty("vendor_orders"))
    risk_classes: pd.DataFrame = field(default_factory=lambda: _empty("risk_classes"))
    replays: pd.DataFrame = field(default_factory=lambda: _empty("replays"))
    replay_gains: pd.DataFrame = field(default_factory=lambda: _empty("replay_gains"))
    lead_time_calibration: pd.DataFrame = field(default_factory=lambda: _empty("lead_time_calibration"))
    study: pd.DataFrame = field(default_factory=lambda: _empty("study"))

    def __post_init__(self) -> None:
        for name, columns in COLUMNS.items():
            missing = [column for column in columns if column not in getattr(self, name).columns]
            if missing:
                found = ", ".join(map(str, getattr(self, name).columns))
                raise SchemaError(f"report frame {name}: no column {', '.join(missing)}; found {found}")
