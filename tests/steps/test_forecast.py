"""What is published where networks are the champions: on the small chain, by a board that says so."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from chain import NETWORKS
from crowned import REGION, WEEKS, crown, network_means, published_means
from shelfcast import schemas
from shelfcast.forecasting.middle_out import MODELLED, SHARED
from shelfcast.runner import Runner
from shelfcast.steps import forecast

KEY = ["store_id", "category_id", "step"]


@pytest.fixture(scope="module")
def published(trained: Runner, make_runner: Callable[..., Runner], tmp_path_factory) -> Runner:
    lake = tmp_path_factory.mktemp("published") / "lake"
    shutil.copytree(trained.lake.root, lake)
    runner = make_runner(lake, *NETWORKS)
    crown(runner, "mlp")
    assert runner.run(forecast.job(runner.config))
    return runner


def test_the_mean_of_a_category_is_the_networks_digit_for_digit(published: Runner) -> None:
    found = published_means(published, "category", MODELLED)
    assert found == network_means(published, "category", least_weeks=1)
    assert sum(found.values()) > 0


def test_a_product_is_the_networks_and_one_too_short_for_it_has_its_share_of_the_rest(published: Runner) -> None:
    modelled, shared = (published_means(published, "product", method) for method in (MODELLED, SHARED))
    assert modelled.keys() == network_means(published, "product", least_weeks=6).keys()
    series = published.lake.read(schemas.SERIES, REGION).where("level = 'product'").collect()
    short = {(row.store_id, row.item_id) for row in series if row.selling_weeks < 6}
    assert short == {(store, item) for store, item, _ in shared} != set()
    counts = {row.level: row for row in published.lake.read(schemas.SERIES_COUNTS, REGION).collect()}
    assert counts["product"].modelled == len(modelled) / 3
    assert counts["product"].fallback == len(short)


def test_means_of_a_network_add_up(published: Runner) -> None:
    forecasts = published.lake.read(schemas.FORECASTS, REGION)
    parts = forecasts.where("level in ('product', 'unlisted')").groupBy(*KEY).agg(F.sum("mean").alias("parts"))
    categories = forecasts.where("level = 'category'")
    apart = categories.join(parts, KEY, how="full").where("parts is null or mean is null or abs(parts - mean) > 1e-6")
    assert apart.isEmpty()
    region = forecasts.where("level = 'region'").agg(F.sum("mean")).first()[0]
    assert region == pytest.approx(categories.agg(F.sum("mean")).first()[0])


def test_quantiles_rest_on_what_the_network_said_before_and_each_row_tells_its_dispersion(published: Runner) -> None:
    forecasts = published.lake.read(schemas.FORECASTS, REGION).where("level = 'category' and method = 'model'")
    assert forecasts.where("p50 is null or dispersion is null or dispersion not between 0.05 and 200").isEmpty()
    accuracy = published.lake.read(schemas.ACCURACY, REGION).where("level = 'category'").first()
    said = published.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("panel = 'category' and model = 'mlp'")
    measured = said.where(F.col("cutoff") == F.lit(WEEKS[29])).agg(
        F.count("y"), F.sum(F.abs(F.col("y_hat") - F.col("y")))
    )
    rows, error = measured.first()
    assert accuracy.rows == rows
    assert accuracy.wape * accuracy.units == pytest.approx(error)


def test_a_second_run_forecasts_nothing(published: Runner) -> None:
    assert not published.run(forecast.job(published.config))


@pytest.mark.slow
def test_a_forecast_killed_half_way_scores_at_most_55_percent_of_its_buckets_again(
    ran: Runner,
    make_runner: Callable[..., Runner],
    submit: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The four buckets of both panels, killed as soon as two are there."""
    lake = tmp_path / "lake"
    shutil.copytree(ran.lake.root, lake)
    shutil.rmtree(lake / schemas.FORECASTS.name)
    process = submit("forecast", lake)
    while len(buckets := finished_buckets(lake)) < 2 and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    before = {file: file.stat().st_mtime_ns for file in finished_buckets(lake)}
    assert len(before) >= len(buckets) >= 2
    runner = make_runner(lake)
    remove = runner.lake.remove
    monkeypatch.setattr(runner.lake, "remove", lambda name: name.startswith("_staging") or remove(name))
    assert runner.run(forecast.job(runner.config))
    after = {file: file.stat().st_mtime_ns for file in finished_buckets(lake)}
    again = [file for file, written in after.items() if before.get(file) != written]
    assert len(after) == 4
    assert len(again) / len(after) <= 0.55
    assert runner.lake.content_hash(schemas.FORECASTS, REGION) == ran.lake.content_hash(schemas.FORECASTS, REGION)


def finished_buckets(lake: Path) -> list[Path]:
    return sorted(lake.glob("_staging/*/*/buckets/*/*.parquet"))
