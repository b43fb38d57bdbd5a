from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DoubleType, StructField

from report_builders import PROVENANCE, Page
from shelfcast import schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.config import load
from shelfcast.insights import tables as insights
from shelfcast.networks.tables import STORE_HEADS
from shelfcast.plan import Plan
from shelfcast.reporting.data import COLUMNS, ReportData
from shelfcast.reporting.gather import describe, gather
from shelfcast.reporting.page import render
from shelfcast.study.tables import STUDY_METRICS, STUDY_MODELS, STUDY_SAMPLE
from shelfcast.table import Table
from shelfcast.tuning.trials import TRIALS

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
WEEKS = tuple(date(2017, 1, 2) + timedelta(weeks=week) for week in range(10))
PLAN = Plan(WEEKS, cutoffs=(4, 6, 8), horizon=2, season=13)
LAST = WEEKS[7]  # the last week known at the last cutoff
AFTER = WEEKS[-1] + timedelta(weeks=1)
Lake = dict[str, DataFrame]


def sale(store: str, category: str, week: int, quantity: float, revenue: float = 1.0) -> dict[str, Any]:
    series = {"level": "category", "store_id": store, "item_id": category, "category_id": category}
    return {**series, "week": WEEKS[0] + timedelta(weeks=week), "quantity": quantity, "revenue": revenue}


def series(store: str, item: str, units: float, level: str = "category", **changes: Any) -> dict[str, Any]:
    keys = {"level": level, "store_id": store, "item_id": item, "category_id": "EGGS" if level == "product" else item}
    return {**keys, "units": units, "first_week": WEEKS[1], "demand_class": "smooth", **changes}


def score(model: str, what: str, value: str, wape: float, cutoff: date = LAST, **changes: Any) -> dict[str, Any]:
    keys = {"panel": "reference", "model": model, "cutoff": cutoff, "slice": what, "value": value}
    return {**keys, "wape": wape, "units": 10.0, "bias": 0.1, **changes}


def ranked(model: str, wape: float, champion: str | None = None, panel: str = "reference") -> dict[str, Any]:
    return {"panel": panel, "model": model, "status": "fitted", "wape": wape, "champion": champion}


@pytest.fixture
def make(spark: SparkSession) -> Callable[..., ReportData]:
    """Gathers from a lake that holds the given rows, {table: [{column: value}]}; other columns are null."""

    def gather_from(tables: list[tuple[Table, list[dict[str, Any]]]]) -> ReportData:
        lake: Lake = {}
        for table, rows in tables:
            values = [[_as(field, row.get(field.name)) for field in table.schema] for row in rows]
            lake[table.name] = spark.createDataFrame(values, table.schema)
        return gather(spark, lambda table: lake.get(table.name), PLAN, PROVENANCE, "€")

    return gather_from


def _as(field: StructField, value: Any) -> Any:
    return float(value) if field.dataType == DoubleType() and value is not None else value


def records(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(frame[list(columns)].itertuples(index=False, name=None))


def test_a_lake_without_a_table_makes_an_empty_report(make: Callable[..., ReportData]) -> None:
    data = make([])
    assert all(getattr(data, name).empty for name in COLUMNS)
    assert data.currency == "€"
    assert "No model has been scored yet" in render(data)


def test_sums_weekly_demand_over_whole_weeks_and_category_rows_alone(make: Callable[..., ReportData]) -> None:
    rows = [
        sale("1", "EGGS", 0, 2, 5),
        sale("2", "EGGS", 0, 3, 7),
        sale("1", "MILK", 1, 4, 1),
        sale("1", "MILK", -1, 9, 9),
    ]
    product = {**sale("1", "EGGS", 0, 2, 5), "level": "product", "item_id": "17"}
    data = make([(schemas.DEMAND["weekly"], [*rows, product])])
    assert records(data.weekly, "week", "units", "revenue") == [(WEEKS[0], 5, 12), (WEEKS[1], 4, 1)]
    assert records(data.weekly_by_category, "category", "week", "units") == [
        ("EGGS", WEEKS[0], 5),
        ("MILK", WEEKS[1], 4),
    ]


def test_shows_no_more_than_the_largest_categories(make: Callable[..., ReportData]) -> None:
    rows = [sale("1", f"CATEGORY {n:02}", 0, 1, revenue=n) for n in range(20)]
    data = make([(schemas.DEMAND["weekly"], rows)])
    assert sorted(data.weekly_by_category["category"]) == [f"CATEGORY {n:02}" for n in range(8, 20)]


def test_counts_refusals_by_rule(make: Callable[..., ReportData]) -> None:
    rows = [{"source_table": "sales", "rule": rule} for rule in ("no_price", "no_price", "no_store")]
    assert records(make([(schemas.QUARANTINE, rows)]).refusals, "rule", "rows") == [("no_price", 2), ("no_store", 1)]


def test_sums_absences_by_state_and_basis(make: Callable[..., ReportData]) -> None:
    spell = {"store_id": "1", "state": "out_of_stock", "is_stated": True, "probability": 1.0, "units": 2.5}
    rows = [
        {**spell, "item_id": "a", "first_day": WEEKS[0], "last_day": WEEKS[1]},
        {**spell, "item_id": "b", "first_day": WEEKS[0], "last_day": WEEKS[0]},
        {**spell, "first_day": WEEKS[2], "last_day": WEEKS[2], "state": "closed", "is_stated": False, "units": 0.0},
    ]
    found = make([(AVAILABILITY, rows)]).availability
    assert records(found, "state", "is_stated", "spells", "days", "units") == [
        ("closed", False, 1, 1, 0.0),
        ("out_of_stock", True, 2, 9, 5.0),
    ]


def test_counts_series_by_class_and_in_cells_that_hold_them(make: Callable[..., ReportData]) -> None:
    rows = [
        series("1", "EGGS", 7, adi=1.0, cv2=0.0),
        series("2", "EGGS", 3, adi=1.1, cv2=0.005),
        series("3", "EGGS", 1, adi=5.0, cv2=0.9, demand_class="lumpy"),
        series("4", "EGGS", 1, demand_class="single"),
    ]
    data = make([(schemas.SERIES, rows)])
    assert records(data.demand_classes, "demand_class", "series", "units") == [
        ("lumpy", 1, 1),
        ("single", 1, 1),
        ("smooth", 2, 10),
    ]
    low, high = data.class_grid.sort_values("series").itertuples(index=False)
    assert (high.series, high.adi_low, high.cv2_low) == pytest.approx((2, 1.0, 0.01))
    assert low.adi_low <= 5.0 < low.adi_high
    assert low.cv2_low <= 0.9 < low.cv2_high


def test_reads_errors_of_the_champion_at_the_last_cutoff(make: Callable[..., ReportData]) -> None:
    board = [ranked("tsb", 0.3, "mean"), ranked("ridge", 0.35, "median"), ranked("naive", 0.4), ranked("zero", 1.0)]
    metrics = [
        score("tsb", "store", "367", 0.2),
        score("ridge", "store", "367", 0.9),
        score("tsb", "store", "367", 0.8, cutoff=WEEKS[5]),
        score("tsb", "category", "EGGS", 0.25),
        score("tsb", "step", "1", 0.28),
        score("naive", "step", "1", 0.41),
        score("zero", "step", "1", 1.0),
    ]
    data = make([(schemas.LEADERBOARD, board), (schemas.METRICS, metrics)])
    assert records(data.store_errors, "store_id", "wape") == [("367", 0.2)]
    assert records(data.category_errors, "category", "wape") == [("EGGS", 0.25)]
    assert records(data.horizon_errors, "model", "is_champion", "step") == [("naive", False, 1), ("tsb", True, 1)]
    headline = data.headline
    assert (headline.champion, headline.champion_wape, headline.benchmark, headline.benchmark_wape) == (
        "tsb",
        0.3,
        "naive",
        0.4,
    )


def test_a_champion_is_not_compared_with_itself(make: Callable[..., ReportData]) -> None:
    board = [ranked("moving_average", 0.3, "mean and median"), ranked("naive", 0.4)]
    assert make([(schemas.LEADERBOARD, board)]).headline.benchmark == "naive"


def test_the_champion_of_products_is_not_that_of_the_headline(
    make: Callable[..., ReportData],
) -> None:
    board = [ranked("tsb", 0.2, "mean", panel="product"), ranked("naive", 0.4)]
    assert make([(schemas.LEADERBOARD, board)]).headline.champion is None


def test_leading_models_are_few_beside_champions_and_simple_ones(make: Callable[..., ReportData]) -> None:
    board = [ranked(f"model_{n:02}", 0.3 + n / 100) for n in range(20)] + [
        ranked("naive", 0.9),
        ranked("late", 0.95, "mean"),
    ]
    metrics = [score(row["model"], "step", "1", row["wape"]) for row in board]
    data = make([(schemas.LEADERBOARD, board), (schemas.METRICS, metrics)])
    assert sorted(data.horizon_errors["model"]) == [
        "late",
        "model_00",
        "model_01",
        "model_02",
        "model_03",
        "naive",
    ]


def test_heads_of_stores_are_read_at_the_last_cutoff_where_their_network_stands_on_the_board(
    make: Callable[..., ReportData],
) -> None:
    row = {"panel": "reference", "model": "mlp", "cutoff": LAST, "store_id": "s1", "kept": True, "units": 3.0}
    heads = [row, {**row, "store_id": "s2", "kept": False}, {**row, "cutoff": WEEKS[5]}, {**row, "panel": "product"}]
    board = [ranked("mlp", 0.3), ranked("mlp_stores", 0.3), ranked("mlp_stores_median", 0.3)]
    data = make([(schemas.LEADERBOARD, board), (STORE_HEADS, heads)])
    assert records(data.store_heads, "panel", "store_id", "kept") == [
        ("reference", "s1", True),
        ("reference", "s2", False),
    ]
    assert make([(schemas.LEADERBOARD, board[:1]), (STORE_HEADS, heads)]).store_heads.empty


def test_counts_pairs_of_actual_and_predicted_in_cells(make: Callable[..., ReportData]) -> None:
    keys = {"panel": "reference", "cutoff": LAST, "model": "tsb"}
    pairs = [(0.0, 0.1), (0.3, 0.4), (10.0, 2.0), (None, 5.0)]
    rows = [{**keys, "y": y, "y_hat": y_hat} for y, y_hat in pairs]
    other = [{**keys, "model": "ridge", "y": 1.0, "y_hat": 1.0}, {**keys, "panel": "product", "y": 1.0, "y_hat": 1.0}]
    data = make([(schemas.LEADERBOARD, [ranked("tsb", 0.3, "mean")]), (schemas.BACKTESTS, rows + other)])
    below, apart = data.scatter.sort_values("actual_low").itertuples(index=False)
    assert (below.pairs, below.actual_low, below.predicted_low) == pytest.approx((2, 0.5, 0.5))
    assert below.actual_high == pytest.approx(0.5 * 2**0.5)
    assert apart.actual_low <= 10 < apart.actual_high
    assert apart.predicted_low == pytest.approx(2)


def test_the_study_is_read_on_its_test_rows_and_drawn_for_its_two_best(make: Callable[..., ReportData]) -> None:
    names = ("linear", "ridge", "forest")
    metrics = [
        {"model": model, "split": split, "scope": scope, "rmse": rmse}
        for rmse, model in enumerate(names, start=1)
        for split in ("validation", "test")
        for scope in ("all", "pieces")
    ]
    models = [{"model": model, "representation": "one-hot", "seconds": 1.0} for model in names]
    sample = [{"model": model, "units": 2.0, "prediction": 3.0} for model in names]
    data = make([(STUDY_METRICS, metrics), (STUDY_MODELS, models), (STUDY_SAMPLE, sample)])
    assert sorted(data.study["model"]) == sorted(names)
    assert records(data.scatter, "protocol", "model", "pairs") == [("study", "linear", 1), ("study", "ridge", 1)]


def test_trials_are_read_with_their_parameters(make: Callable[..., ReportData]) -> None:
    search = {"panel": "reference", "model": "mlp", "method": "grid", "seconds": 2.0}
    rows = [
        {**search, "trial": 0, "status": "finished", "loss": 0.9, "parameters": {"units": 8.0, "dropout": 0.1}},
        {**search, "trial": 1, "status": "failed", "error": "lost", "parameters": {"units": 16.0, "dropout": 0.1}},
    ]
    data = make([(TRIALS, rows)])
    assert records(data.trials, "trial", "status", "error") == [(0, "finished", None), (1, "failed", "lost")]
    assert [row["units"] for row in data.trials.sort_values("trial")["parameters"]] == [8.0, 16.0]
    assert "2 trials, each point of a grid; 1 failed. The best is trial 0" in Page(render(data)).text


def test_draws_all_demand_the_largest_series_and_the_weeks_without_sales(make: Callable[..., ReportData]) -> None:
    known = [series("1", "EGGS", 9), series("2", "EGGS", 4), series("1", "17", 5, level="product")]
    sold = [sale("1", "EGGS", 1, 4), sale("2", "EGGS", 1, 4), sale("1", "EGGS", 5, 5)]
    ahead = {"week": AFTER, "step": 1, "mean": 2.0, "p10": 1.0, "p50": 2.0, "p90": 3.0}
    forecasts = [
        {**ahead, "level": "region", "store_id": "(all)", "item_id": "(all)"},
        {**ahead, "level": "category", "store_id": "1", "item_id": "EGGS"},
        {**ahead, "level": "category", "store_id": "2", "item_id": "EGGS"},
        {**ahead, "level": "product", "store_id": "1", "item_id": "17"},
    ]
    products = [{"product_id": "17", "product_type": "EGGS - LARGE"}]
    tables = [
        (schemas.SERIES, known),
        (schemas.DEMAND["weekly"], sold),
        (schemas.FORECASTS, forecasts),
        (schemas.PRODUCTS, products),
    ]
    data = make(tables)
    assert list(data.fans["title"].unique()) == ["All stores", "EGGS, store 1", "EGGS - LARGE 17, store 1"]
    eggs = data.fans[data.fans["title"] == "EGGS, store 1"]
    assert eggs["units"].dropna().tolist() == [4, 0, 0, 0, 5, 0, 0, 0, 0]
    assert eggs["week"].tolist() == [*WEEKS[1:], AFTER]
    assert eggs["p90"].tolist()[-1] == 3
    assert data.fans[data.fans["title"] == "All stores"]["units"].dropna().tolist()[:5] == [8, 0, 0, 0, 5]
    assert (data.headline.forecast_series, data.headline.forecast_units) == (1, 4.0)
    assert "EGGS - LARGE 17, store 1" in render(data)


def test_settings_are_one_key_a_line() -> None:

    origin = describe(load(CONFIG), "run", AFTER, {"clean/sales": 3})
    expected = {"region": "complete_journey", "source.persons.household_id": "drop", "backtest.horizon": "8"}
    assert expected.items() <= origin.settings.items()
    assert {"pyspark", "numpy"} <= origin.versions.keys()
    assert origin.tables == {"clean/sales": 3}


def test_the_findings_and_what_they_rest_on_are_cut_down_to_the_page(make: Callable[..., ReportData]) -> None:
    segments = [
        {"kind": "product", "item_id": f"p{n}", "class": "AX", "segment": 1, "label": "fast", "revenue": 10.0,
         "up_to": (n + 1) / 500, "level": 1.0 + n, "variation": 0.5, "is_outlier": n == 0}
        for n in range(500)
    ]  # fmt: skip
    thin = {**segments[0], "item_id": "thin", "segment": 0, "label": "seldom", "revenue": 0.0, "is_outlier": False}
    found = [{"topic": "classes", "rank": 1, "sentence": "Something.", "figure": 1.0, "unit": "units"}]
    data = make([(insights.SEGMENTS, [*segments, thin]), (insights.FINDINGS, found)])
    assert records(data.findings, "topic", "rank", "sentence") == [("classes", 1, "Something.")]
    assert records(data.segment_sizes, "segment", "items", "outliers") == [(0, 1, 0), (1, 500, 1)]
    assert len(data.segment_points) == 400
    curve = data.abc_curve.dropna()
    assert (len(curve), set(curve["products"]), data.abc_curve["products"].sum()) == (100, {5}, 501)


def test_the_largest_categories_and_the_slowest_vendors_are_shown(make: Callable[..., ReportData]) -> None:
    seasons = [
        {"category_id": f"c{n:02}", "revenue": float(n), "peak": 2.0, "first_week": WEEKS[0], "index": [1.0, 2.0],
         "is_seasonal": False, "peak_week": WEEKS[1]}
        for n in range(20)
    ]  # fmt: skip
    vendors = [{"vendor_id": f"v{n}", "mean_days": float(n), "p10": 1, "p90": n} for n in range(20)]
    data = make([(insights.SEASONS, seasons), (insights.VENDORS, vendors)])
    assert sorted(data.seasons["category_id"]) == [f"c{n:02}" for n in range(8, 20)]
    assert data.vendors["vendor_id"].iloc[0] == "v19"
    assert "The last year" not in render(data), "charts stand with their findings"
