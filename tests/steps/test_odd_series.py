"""Series that no model is made for go through the flow: each is forecast, falls back, or is refused for a reason."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from chain import FIRST_DAY, WEEKS, write_chain
from shelfcast import schemas
from shelfcast.forecasting.middle_out import MODELLED
from shelfcast.runner import Runner
from shelfcast.system import PIPELINE

pytestmark = pytest.mark.slow

REGION = "complete_journey"
CHANGES = (
    "backtest.category_models=[zero, naive, moving_average, linear]",
    "backtest.product_models=[zero, naive, moving_average, linear]",
    "demand.ended_after_weeks=8",
)
# product -> in which weeks of store 1 a row came, of how many units, at what price a unit
ODD = {
    "constant": (113, range(WEEKS), 2, 3.0),
    "one point": (114, [WEEKS - 3], 1, 3.0),
    "only returned": (115, range(WEEKS), -1, 3.0),
    "no number": (116, range(WEEKS), 1, np.nan),
    "ended": (117, range(12), 2, 3.0),
}


def write_odd_chain(folder: Path) -> Path:
    """The small chain with the odd series in it."""
    path = write_chain(folder) / "transactions.parquet"
    sold = pd.read_parquet(path)
    rows = [(product, week, units, price) for product, weeks, units, price in ODD.values() for week in weeks]
    odd = pd.DataFrame(rows, columns=["product_id", "at", "quantity", "price"])
    noon = pd.Timestamp(FIRST_DAY + timedelta(days=3)).tz_localize("UTC") + pd.Timedelta(hours=17)
    odd["transaction_timestamp"] = noon + pd.to_timedelta(7 * odd["at"], unit="D")
    odd = odd.assign(
        sales_value=odd["quantity"] * odd["price"],
        store_id=1,
        household_id=1,
        basket_id=np.arange(len(odd)) + 2_000_000,
        week=odd["at"] + 1,
        **dict.fromkeys(("retail_disc", "coupon_disc", "coupon_match_disc"), 0.0),
    )
    both = pd.concat([sold, odd[sold.columns].astype(sold.dtypes.to_dict())], ignore_index=True)
    both.to_parquet(path, index=False, coerce_timestamps="us")
    return folder


@pytest.fixture(scope="module")
def odd(make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("odd")
    runner = make_runner(folder / "lake", *CHANGES, source=write_odd_chain(folder / "chain"))
    for step in PIPELINE[:-1]:
        runner.run(step.job(runner.config))
    return runner


def test_each_odd_series_has_its_fate_and_its_reason(odd: Runner) -> None:
    lake, products = odd.lake, {name: str(product) for name, (product, *_) in ODD.items()}
    series = lake.read(schemas.SERIES, REGION).where("level = 'product'")
    states = {row.item_id: row.state for row in series.where("store_id = '1'").collect()}
    found = {name: states.get(product) for name, product in products.items()}
    assert found == {
        "constant": "listed",
        "one point": "listed",
        "only returned": "listed",
        "no number": None,
        "ended": "ended",
    }
    forecast = lake.read(schemas.FORECASTS, REGION).where("level = 'product' and store_id = '1' and step = 1")
    methods = {row.item_id: row.method for row in forecast.collect()}
    assert methods[products["constant"]] == MODELLED
    assert {methods[products[name]] for name in ("one point", "only returned")} <= {*methods.values()} - {MODELLED}
    assert not {products[name] for name in ("no number", "ended")} & {*methods}
    refused = lake.read(schemas.QUARANTINE, REGION).where(F.col("row").contains('"product_id":116'))
    assert {row.rule for row in refused.collect()} == {"missing_or_unreadable_revenue"}
    assert refused.count() == WEEKS


def test_series_in_are_those_forecast_those_that_fall_back_and_those_refused(odd: Runner) -> None:
    series = odd.lake.read(schemas.SERIES, REGION)
    forecast = odd.lake.read(schemas.FORECASTS, REGION).where("step = 1")
    counts = {row.level: row for row in odd.lake.read(schemas.SERIES_COUNTS, REGION).collect()}
    for level, row in counts.items():
        assert row.series == series.where(F.col("level") == level).count()
        assert row.modelled + row.fallback == forecast.where(F.col("level") == level).count()
        assert row.refused == series.where((F.col("level") == level) & (F.col("state") == "ended")).count()
    assert counts["product"].refused >= 1
    bad = odd.lake.read(schemas.FORECASTS, REGION).where("mean is null or isnan(mean) or mean < 0 or p50 is null")
    assert bad.where("level in ('product', 'category')").count() == 0


def test_a_series_that_never_changes_is_forecast_to_go_on(odd: Runner) -> None:
    rows = odd.lake.read(schemas.FORECASTS, REGION).where("store_id = '1' and item_id = '113'").collect()
    assert {row.week for row in rows} == {date(2017, 8, 21) + timedelta(days=7 * n) for n in range(3)}
    assert all(1 < row.mean < 3 for row in rows)
