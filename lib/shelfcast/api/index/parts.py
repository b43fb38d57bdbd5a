"""The parts of an index: which columns of which table of the lake it holds, and in what order.

Columns are those of the lake's tables; the region and, of tables kept by date, the day are those of the index itself.
"""

from dataclasses import dataclass, field

# The weeks of history that a page draws and a model reads: two years.
HISTORY_WEEKS = 104
FORECAST_WEEKS = ("week", "step", "mean", "p10", "p50", "p90", "p98", "dispersion")
SOLD_WEEKS = ("week", "quantity", "recovered_quantity", "revenue", "discount", "unit_price")
PANEL_WEEKS = ("week", "quantity", "promoted")
_SERIES = ("level", "store_id", "item_id")


@dataclass(frozen=True)
class Rows:
    """Rows as they are: of `source` the `columns`, sorted by `key`. where: column -> the texts that are kept, None for
    what is null. computed: further columns, by what SQL makes of the others. indexes: further orders that rows are
    sought in."""

    name: str
    source: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    where: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Packed:
    """A row a series: `key` and `columns` of its first row, and its weeks, `packed`, in one value. newest: only so many
    weeks back from the newest of all."""

    name: str
    source: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    packed: tuple[str, ...]
    where: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    newest: int | None = None
    indexes: tuple[tuple[str, ...], ...] = ()


PACKED = (
    Packed(
        # What a store does not list yet has one name in all its categories.
        "forecasts", "forecasts/demand", (*_SERIES, "category_id"), ("method", "run_id"), FORECAST_WEEKS,
        indexes=(("level", "item_id", "store_id"), ("level", "category_id", "store_id", "item_id")),
    ),
    Packed(
        "history", "demand/weekly", _SERIES, ("category_id",), SOLD_WEEKS, newest=HISTORY_WEEKS,
        indexes=(("level", "item_id", "store_id"),),
    ),
    # What the product champion reads, and what was planned of promotions when it did.
    Packed(
        "panel", "features/panel_demand", ("store_id", "item_id"), ("category_id", "bucket"), PANEL_WEEKS,
        where={"panel": ("product",)}, indexes=(("item_id", "store_id"),),
    ),
)  # fmt: skip
_PAIR = ("store_id", "product_id")
ROWS = (
    Rows("stores", "clean/stores", ("store_id",), ("first_sold_on", "last_sold_on")),
    Rows(
        "products", "clean/products", ("product_id",),
        ("category_id", "department", "subcategory", "product_type", "brand", "vendor_id", "package_size"),
        indexes=(("category_id", "product_id"),),
    ),
    Rows(
        "series", "demand/series", _SERIES,
        ("category_id", "first_week", "last_week", "units", "selling_weeks", "adi", "cv2", "demand_class", "state"),
    ),
    Rows(
        "policies", "inventory/policies", _PAIR,
        (
            *("category_id", "vendor_id", "forecast_age", "class", "target_kind", "target", "lead_days", "review_days"),
            *("may_order", "pack", "minimum", "unit_cost", "price", "daily_mean", "dispersion", "safety_stock"),
            *("normal_safety_stock", "reorder_point", "order_up_to", "order_quantity", "on_hand", "on_order"),
            *("promised", "position", "need", "stock_out", "shortfall", "days_of_supply", "surplus", "need_by"),
            "stock_out_after",
        ),
        indexes=(("product_id", "store_id"),),
    ),
    Rows(
        "orders", "inventory/orders", (*_PAIR, "order_id"),
        (
            *("vendor_id", "need_by", "expected_on", "is_due", "quantity", "status", "cost", "stock_out"),
            *("stock_out_after", "days_of_supply"),
        ),
        # The likeliest shortage first; what is sorted by goes into the cursor of a page, which holds whole numbers.
        computed={"place": "cast(-1e6 * ifnull(stock_out, 0) as integer)"},
        indexes=(("order_id",), ("vendor_id", *_PAIR), ("status", "place")),
    ),
    Rows(
        "transfers", "inventory/transfers", ("to_store", "product_id", "from_store", "order_id"),
        ("need_by", "quantity", "status"), indexes=(("order_id",), ("from_store",)),
    ),
    Rows(
        "risks", "inventory/risks", (*_PAIR, "risk"), ("probability", "units", "value", "days_of_supply"),
        computed={"place": "cast(-100 * ifnull(value, 0) as integer)"}, indexes=(("risk", *_PAIR), ("risk", "place")),
    ),
    Rows("on_hand", "inventory/on_hand", _PAIR, ("counted_on", "counted", "received", "sold", "balance", "on_hand")),
    Rows(
        "open_orders", "inventory/open_orders", (*_PAIR, "source", "reference"), ("since", "quantity"),
    ),
    Rows(
        "open_transfers", "inventory/open_transfers", ("to_store", "product_id", "reference"),
        ("from_store", "since", "quantity", "given", "taken"),
    ),
    Rows(
        "lead_times", "inventory/lead_times", ("vendor_id", "store_id"),
        ("orders", "vendor_orders", "days", "chances", "mean"),
    ),
    Rows(
        "costs", "inventory/costs", ("product_id",), ("vendor_id", "purchase_price", "freight", "price", "pack"),
    ),
    Rows(
        "decided", "inventory/order_decisions", ("order_id", "decided_on"),
        ("store_id", "vendor_id", "product_id", "from_store", "need_by", "decision", "quantity"),
        # What counts for nothing is kept of a day as often as it was told, and may name no order at all.
        where={"problem": (None,)},
    ),
    Rows(
        "alerts", "monitoring/alerts", ("alert_id",),
        ("severity", "check", "subject", "store_id", "day", "found", "wanted", "held", "reason"),
    ),
    Rows("drift", "monitoring/drift", ("feature", "bin"), ("label", "expected", "found", "psi", "least")),
    Rows(
        "leaderboard", "models/leaderboard", ("panel", "model"),
        (
            *("family", "minimises", "status", "detail", "earlier_wape", "earlier_rmse", "wape", "rmse", "mae", "bias"),
            *("r2", "rmsse", "seconds", "champion", "members", "challenger"),
        ),
    ),
    Rows(
        "champions", "models/champions", ("panel", "purpose", "as_of", "decided_at"),
        (
            *("run_id", "model", "version", "since", "scores", "challenger", "challenger_version", "challenger_scores"),
            *("cutoffs", "difference", "lower", "upper", "stores", "decision", "reason"),
        ),
    ),
    Rows(
        "models", "models/registry", ("panel", "model", "cutoff"),
        (
            *("version", "family", "minimises", "status", "detail", "examples", "series", "fallbacks", "artefact"),
            *("vocabulary", "hyperparameters", "training_tables", "code_version", "git_commit", "libraries"),
        ),
    ),
    Rows("ensembles", "models/ensembles", ("panel", "model", "cutoff", "member"), ("weight", "whole")),
    Rows(
        "metrics", "forecasts/metrics", ("panel", "model", "cutoff", "slice", "value"),
        (
            *("rows", "units", "wape", "rmse", "mae", "bias", "r2", "rmsse", "rae", "rrse", "mape", "correlation"),
            "version",
        ),
    ),
    Rows(
        "accuracy", "forecasts/accuracy", ("level",), ("rows", "units", "wape", "bias", "rmse", "median_wape"),
    ),
    Rows(
        "calibration", "forecasts/calibration", ("level", "quantile"),
        ("rows", "observed", "below", "pinball", "ratios", "wanted"),
    ),
    Rows("series_counts", "forecasts/series_counts", ("level",), ("series", "modelled", "fallback", "refused")),
    Rows(
        "row_counts", "clean/row_counts", ("source_table",),
        ("raw", "clean", "quarantined", "duplicates", "superseded", "blank", "flagged"),
    ),
    Rows("findings", "insights/findings", ("topic", "rank"), ("subject", "figure", "unit", "sentence")),
)  # fmt: skip
