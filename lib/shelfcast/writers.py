"""Which job writes the tables that other jobs cannot do without: said where one of them has no rows yet."""

from collections.abc import Mapping

WRITERS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("clean/day_counts", "clean/invoices", "clean/prices", "clean/products", "clean/promotions"),
            *("clean/purchases", "clean/quantity_bounds", "clean/quarantine", "clean/row_counts", "clean/sales"),
            *("clean/stock", "clean/stores"),
        ),
        "clean",
    ),
    "monitoring/input_alerts": "check_inputs",
    **dict.fromkeys(
        ("demand/availability", "demand/daily", "demand/series", "demand/stores", "demand/weekly"), "aggregate"
    ),
    **dict.fromkeys(
        ("features/panel_demand", "features/scalers", "features/training_frame", "features/vocabularies"),
        "build_features",
    ),
    **dict.fromkeys(("forecasts/backtests", "models/ensembles", "models/registry"), "train_baselines"),
    **dict.fromkeys(("forecasts/metrics", "models/champions", "models/leaderboard"), "evaluate"),
    **dict.fromkeys(
        ("forecasts/accuracy", "forecasts/calibration", "forecasts/demand", "forecasts/series_counts"), "forecast"
    ),
    "inventory/costs": "plan_inventory",
}

# What each as-of date makes of what was known on it: of another date it knows more, or less.
OF_A_DAY = ("aggregate", "build_features")


def writer_of(table: str) -> str:
    """The job, in words; a raw table's is that of all of them."""
    if table.startswith("raw/"):
        return "job ingest"
    return f"job {WRITERS[table]}" if table in WRITERS else "an earlier job"
