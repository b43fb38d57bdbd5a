"""The study's tables in the lake, in the order in which they are written."""

from shelfcast.table import Table

STUDY_ROWS = Table(
    "features/study_rows",
    # size: mL, else g, else pieces, by what the label states. price: before discounts, per unit; excise_tax and
    # purchase_price of one unit too, null where the source does not state them.
    # row_id: a hash of seed and key; it draws the split and orders the rows. units: as sold, not capped.
    "region string, month date, store_id string, product_id string, classification string, vendor_id string, "
    "size double, price double, excise_tax double, purchase_price double, "
    "units double, sold_by_volume boolean, row_id bigint, split string",
    key=("region", "month", "store_id", "product_id"),
    checks={
        "something_sold": "units > 0",
        "split_is_known": "split in ('train', 'validation', 'test')",
    },
)
STUDY_PREDICTIONS = Table(
    "forecasts/study_predictions",
    # Validation and test rows of STUDY_ROWS under each model. seconds: of one core, for fit and all predictions.
    "region string, model string, split string, row_id bigint, sold_by_volume boolean, units double, "
    "prediction double, seconds double",
    key=("region", "model", "row_id"),
    operational=("seconds",),
)
STUDY_METRICS = Table(
    "forecasts/study_metrics",
    # scope: all rows, or those of products sold by the piece. zeros_left_out: rows without units, not in MAPE.
    "region string, model string, split string, scope string, rows bigint, rmse double, correlation double, "
    "mae double, rae double, rrse double, mape double, zeros_left_out bigint, r2 double",
    key=("region", "model", "split", "scope"),
    checks={"scope_is_known": "scope in ('all', 'pieces')"},
)
STUDY_SAMPLE = Table(
    "forecasts/study_sample",
    # The same test rows under each model, drawn by their hash: actual against predicted, for a plot.
    "region string, model string, month date, store_id string, product_id string, classification string, units double, "
    "prediction double",
    key=("region", "model", "month", "store_id", "product_id"),
)
STUDY_MODELS = Table(
    "models/study_models",
    # differs: where the model is not, number for number, the study's own; null where it is.
    "region string, model string, representation string, parameters map<string,double>, differs string, "
    "inputs array<string>, absent_inputs array<string>, training_rows bigint, seconds double",
    key=("region", "model"),
    operational=("seconds",),
)
