"""The tables of the lake, in the order of the flow: columns, keys, and the CHECK constraints that hold them.

Every table is partitioned by `region` first. `operational` columns tell of a run, not of the business:
they are left out of the content hash. `sought_by`: the columns by which readers look for few of many rows.
"""

from shelfcast.lineage import LINEAGE, OF_RUN
from shelfcast.table import Table

QUARANTINE = Table(
    "clean/quarantine",
    # `row` is the refused row whole, as JSON: nothing of it is lost, whatever its shape.
    "region string, source_table string, rule string, row string, batch_id string",
    key=("region", "source_table", "row"),
    operational=("batch_id",),
)
ROW_COUNTS = Table(
    "clean/row_counts",
    "region string, source_table string, raw bigint, clean bigint, quarantined bigint, duplicates bigint, "
    "superseded bigint, blank bigint, flagged bigint",
    key=("region", "source_table"),
    checks={"counts_add_up": "raw = clean + quarantined + duplicates + superseded + blank"},
)
QUANTITY_BOUNDS = Table(
    "clean/quantity_bounds",
    "region string, product_id string, sales bigint, median_quantity double, upper_bound double, "
    "sold_by_volume boolean, learned_from string",
    key=("region", "product_id"),
    checks={"bound_is_positive": "upper_bound > 0"},
)
SALES = Table(
    "clean/sales",
    # `source_quantity` is as received, `quantity` in units of the product (gallons of fuel), `capped_quantity` at most
    # its robust bound. The version was known since `known_from`, until its file came again without it `known_until`.
    "region string, store_id string, product_id string, sold_on date, source_quantity double, quantity double, "
    "capped_quantity double, is_outlier boolean, is_return boolean, unit_price double, revenue double, "
    "discount double, excise_tax double, basket_id string, known_from date, known_until date",
    # With the business key that the configuration names; rows without one stand each for itself.
    key=("region", "store_id", "product_id", "sold_on", "known_from"),
    sought_by=("known_from",),  # by the merge of what came since
    checks={
        "sold_somewhere": "store_id is not null and product_id is not null and sold_on is not null",
        "revenue_is_known": "revenue is not null",
        "cap_is_below_quantity": "abs(capped_quantity) <= abs(quantity)",
        "price_is_not_negative": "unit_price is null or unit_price >= 0",
        "known_after_sold": "known_from >= sold_on",
        "known_for_a_time": "known_until is null or known_until > known_from",
    },
)
PRODUCTS = Table(
    "clean/products",
    "region string, product_id string, category_id string, department string, subcategory string, product_type string, "
    "brand string, vendor_id string, package_size string, size_ml double, size_g double, size_count int",
    key=("region", "product_id"),
    checks={
        "product_is_named": "product_id is not null and category_id is not null",
        "size_is_positive": "coalesce(size_ml, size_g, 1) > 0",
    },
)
STORES = Table(
    "clean/stores",
    "region string, store_id string, first_sold_on date, last_sold_on date",
    key=("region", "store_id"),
    checks={"store_is_named": "store_id is not null"},
)
PROMOTIONS = Table(
    "clean/promotions",
    "region string, store_id string, product_id string, valid_from date, valid_to date, display string, mailer string, "
    "known_from date, known_until date",
    key=("region", "store_id", "product_id", "valid_from", "display", "mailer", "known_from"),
    checks={"ends_after_it_starts": "valid_to is null or valid_to >= valid_from"},
)
CALENDAR = Table(
    "clean/calendar",
    "region string, day date, week date, month date, quarter int, week_of_year int, day_of_week int, holiday string, "
    "is_holiday boolean, days_to_holiday int, days_since_holiday int",
    key=("region", "day"),
)

_DEMAND = (  # recovered_quantity: as if always in stock, at least `quantity`; null where `hidden_demand` is off.
    "region string, level string, store_id string, item_id string, category_id string, {period} date, quantity double, "
    "observed_quantity double, revenue double, discount double, sales bigint, unit_price double, "
    "recovered_quantity double"
)
# `level` is product or category, and `item_id` names the one or the other.
DEMAND = {
    grain: Table(
        f"demand/{grain}",
        _DEMAND.format(period=period),
        key=("region", "level", "store_id", "item_id", period),
        checks={"something_sold_or_was_wanted": "quantity > 0 or ifnull(recovered_quantity, 0) > 0"},
        partitions=("region", "level"),
    )
    for grain, period in (("daily", "day"), ("weekly", "week"), ("monthly", "month"))
}
SERIES = Table(
    "demand/series",
    # adi: average weeks from one selling week to the next; cv2: squared coefficient of variation of what sold.
    "region string, level string, store_id string, item_id string, category_id string, first_week date, "
    "last_week date, units double, selling_weeks bigint, adi double, cv2 double, demand_class string, state string",
    key=("region", "level", "store_id", "item_id"),
    checks={"class_is_known": "demand_class in ('smooth', 'erratic', 'intermittent', 'lumpy', 'single', 'none')"},
    partitions=("region", "level"),
)

PANEL_DEMAND = Table(
    "features/panel_demand",
    # Sparse: a week of demand, or one in which the series was promoted and did not sell, or (null) of which nothing is
    # known. `bucket` cuts a panel into tasks. conditions: in a series' first row, feature -> a value a week.
    "region string, panel string, bucket int, store_id string, item_id string, category_id string, size_rank int, "
    "week date, quantity double, promoted double, conditions map<string,array<double>>",
    key=("region", "panel", "store_id", "item_id", "week"),
    checks={"quantity_is_not_negative": "ifnull(quantity, 0) >= 0", "promoted_is_a_share": "promoted between 0 and 1"},
    partitions=("region", "panel"),
)
VOCABULARIES = Table(
    "features/vocabularies",
    # Index 0 is for the never seen; fitted on the weeks up to `cutoff`.
    "region string, panel string, cutoff date, column string, value string, index int",
    key=("region", "panel", "cutoff", "column", "value"),
    checks={"zero_is_for_the_never_seen": "index > 0"},
)
SCALERS = Table(
    "features/scalers",
    "region string, panel string, cutoff date, column string, mean double, std double",
    key=("region", "panel", "cutoff", "column"),
    checks={"std_is_positive": "std > 0"},
)
REGISTRY = Table(
    "models/registry",
    # A row per model, panel and cutoff. fallbacks: series that it could not fit. Of ensembles see models/ensembles.
    "region string, panel string, model string, cutoff date, version string, family string, minimises string, "
    "status string, detail string, examples bigint, series bigint, fallbacks bigint, seconds double, artefact string, "
    f"{LINEAGE}",
    key=("region", "panel", "model", "cutoff"),
    checks={"status_is_known": "status in ('fitted', 'not enough history', 'failed')"},
    operational=("seconds", "version", "artefact", *OF_RUN),
)
BACKTESTS = Table(
    "forecasts/backtests",
    # naive_mse: the mean squared error of the one-week naive forecast in the history, the scale of RMSSE.
    "region string, panel string, model string, cutoff date, store_id string, item_id string, category_id string, "
    "step int, week date, y double, y_hat double, naive_mse double, fallback string",
    key=("region", "panel", "model", "cutoff", "store_id", "item_id", "step"),
    partitions=("region", "panel"),
)
NETWORK_BACKTESTS = Table(
    "forecasts/network_backtests",
    # As forecasts/backtests, with the quantiles of a network's rows; the model `<kind>` forecasts by the mean,
    # `<kind>_median` by p50.
    f"{BACKTESTS.columns}, p10 double, p50 double, p90 double, p98 double",
    key=BACKTESTS.key,
    checks={"quantiles_are_in_order": "p10 <= p50 and p50 <= p90 and p90 <= p98"},
    partitions=BACKTESTS.partitions,
)
NETWORK_REGISTRY = Table(
    "models/network_registry",
    # As models/registry; at the last week known, those that forecast the weeks ahead. panel_run: that made the panel
    # learned from. losses: of each epoch, {loss, validation}. parameters: the settings that can be tuned, as used.
    f"{REGISTRY.columns}, panel_run string, losses array<struct<loss:double,validation:double>>, "
    "parameters map<string,double>",
    key=REGISTRY.key,
    checks=REGISTRY.checks,
    operational=(*REGISTRY.operational, "panel_run", "losses"),
)
ENSEMBLES = Table(
    "models/ensembles",
    # What a member weighs at a cutoff, learned on the windows over by then. whole: demand was counted in whole units.
    "region string, panel string, model string, cutoff date, member string, weight double, whole boolean",
    key=("region", "panel", "model", "cutoff", "member"),
    checks={"weight_is_a_share": "weight > 0 and weight <= 1"},
)
METRICS = Table(
    "forecasts/metrics",
    # A row per model, cutoff (null: all), slice (all, step, store, category); of `version`. units_abs: what WAPE is of.
    "region string, panel string, model string, cutoff date, slice string, value string, rows bigint, units double, "
    "units_abs double, wape double, rmse double, mae double, bias double, r2 double, rmsse double, rae double, "
    "rrse double, mape double, zeros_left_out bigint, correlation double, version string",
    key=("region", "panel", "model", "cutoff", "slice", "value"),
    operational=("version",),
)
LEADERBOARD = Table(
    "models/leaderboard",
    # earlier_*: over the cutoffs that the choice rests on; the other metrics are those of the last one. champion: mean,
    # median, both or null; challenger: as that, of the next best. members: what an ensemble weighs at the last cutoff.
    "region string, panel string, model string, family string, minimises string, status string, detail string, "
    "earlier_wape double, earlier_rmse double, wape double, rmse double, mae double, bias double, r2 double, "
    "rmsse double, seconds double, champion string, members string, challenger string",
    key=("region", "panel", "model"),
    operational=("seconds",),
)
FORECASTS = Table(
    "forecasts/demand",
    # The mean is the only additive number; quantiles are calibrated at each level on its own and never summed.
    # `unlisted`: a row for each category of a store, item_id "(not listed yet)", of what products that never sold there
    # will sell: no series, nothing to order, but it makes products add up. dispersion: k of the negative binomial with
    # that mean, of variance mean + mean^2 / k; null where no quantile is known.
    "region string, forecast_date date, level string, store_id string, item_id string, category_id string, "
    "step int, week date, mean double, p10 double, p50 double, p90 double, p98 double, dispersion double, "
    "method string, run_id string",
    key=("region", "forecast_date", "level", "store_id", "item_id", "category_id", "step"),
    checks={
        "mean_is_not_negative": "mean >= 0",
        # A quantile is null where past forecasts are too few to know it; a null breaks a CHECK.
        "quantiles_are_in_order": "ifnull(p10 >= 0, true) and ifnull(p10 <= p50, true) and ifnull(p50 <= p90, true) "
        "and ifnull(p90 <= p98, true)",
    },
    partitions=("region", "forecast_date", "level"),
    sought_by=("store_id", "item_id"),
    operational=("run_id",),
)
CALIBRATION = Table(
    "forecasts/calibration",
    # Measured at the last cutoff, with quantiles fitted on the earlier ones. observed: the share of demand at or below
    # the quantile; below: strictly below. Of counts many are equal to it, and the quantile lies between the two. Null
    # where the past `ratios` of demand to forecast are fewer than those `wanted` for the quantile.
    "region string, forecast_date date, level string, quantile double, rows bigint, observed double, below double, "
    "pinball double, ratios bigint, wanted bigint",
    key=("region", "forecast_date", "level", "quantile"),
    partitions=("region", "forecast_date"),
)
ACCURACY = Table(
    "forecasts/accuracy",
    # Of what is published, at the last cutoff, which no choice has seen. wape, bias, rmse: of the mean; median_wape: of
    # p50. product_shared: the thin ones, a sample of them. unlisted: what sold first after the cutoff.
    "region string, forecast_date date, level string, rows bigint, units double, wape double, bias double, "
    "rmse double, median_wape double",
    key=("region", "forecast_date", "level"),
    partitions=("region", "forecast_date"),
)
SERIES_COUNTS = Table(
    "forecasts/series_counts",
    "region string, forecast_date date, level string, series bigint, modelled bigint, fallback bigint, refused bigint",
    key=("region", "forecast_date", "level"),
    checks={"no_series_is_lost": "series = modelled + fallback + refused"},
    partitions=("region", "forecast_date"),
)

JOB_RUNS = Table(
    "monitoring/job_runs",  # Telemetry only: what a table holds is decided by the note in its own commits.
    "region string, run_key string, job string, as_of date, started_at timestamp, seconds double, code_version string, "
    "reads map<string,bigint>, writes map<string,bigint>, rows_out map<string,bigint>",
    key=("region", "run_key", "started_at"),
)
PUBLICATIONS = Table(
    "monitoring/publications",
    # A row publishes the region's tables together: readers open each at its version.
    "region string, forecast_date date, run_id string, published_at timestamp, tables map<string,bigint>",
    key=("region", "run_id"),
)
