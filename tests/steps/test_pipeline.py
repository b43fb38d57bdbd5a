import os
import signal
import time
from datetime import date
from functools import reduce
from importlib import metadata
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from chain import write_chain
from made_tables import EXACT, REGION, hashes
from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.code import git_commit
from shelfcast.demand import KNOWN_STORES
from shelfcast.examples import TRAINING_FRAME
from shelfcast.forecasting.middle_out import MODELLED
from shelfcast.lake import Lake
from shelfcast.promotion import standing
from shelfcast.sources import open_source
from shelfcast.steps import forecast, train_baselines
from shelfcast.system import PIPELINE, InventorySystem


@pytest.fixture(scope="module")
def undisturbed(ran) -> dict[str, str]:
    return hashes(ran.lake)


def test_a_second_run_has_nothing_to_do(ran) -> None:
    assert InventorySystem(ran).run() == []


def test_every_row_is_accounted_for(ran) -> None:
    raw = open_source(ran.config).raw
    for row in ran.lake.read(schemas.ROW_COUNTS, REGION).collect():
        received = ran.lake.read(raw[row.source_table], REGION).count()
        assert received == row.raw == row.clean + row.quarantined + row.duplicates + row.superseded + row.blank
    rules = {row.rule for row in ran.lake.read(schemas.QUARANTINE, REGION).collect()}
    assert rules == {"impossible_price", "impossible_quantity", "date_out_of_range"}


def test_no_table_has_two_rows_of_one_key(ran) -> None:
    made = {table.name: table for step in PIPELINE for table in step.job(ran.config).writes if ran.lake.exists(table)}
    twice = [
        ran.lake.read(table, REGION).groupBy(*table.key).count().where("count > 1").select(F.lit(name).alias("name"))
        for name, table in made.items()
        # Sold lines without a business key stand each for itself.
        if table.key and table is not schemas.SALES
    ]
    assert {row.name for row in reduce(DataFrame.union, twice).distinct().collect()} == set()


def test_no_household_reaches_the_lake(ran) -> None:
    raw = open_source(ran.config).raw["sales"]
    assert "household_id" not in ran.lake.read(raw, REGION).columns
    quarantined = ran.lake.read(schemas.QUARANTINE, REGION).where(F.col("row").contains("household")).count()
    assert quarantined == 0


def test_every_series_has_its_forecast(ran) -> None:
    listed = ran.lake.read(schemas.SALES, REGION).select("store_id", "product_id").distinct().count()
    forecast = ran.lake.read(schemas.FORECASTS, REGION).where("level = 'product'")
    assert forecast.count() == 3 * listed
    assert forecast.select("store_id", "item_id", "step").distinct().count() == 3 * listed
    for row in ran.lake.read(schemas.SERIES_COUNTS, REGION).collect():
        assert row.series == row.modelled + row.fallback + row.refused


def test_means_of_products_and_of_the_unlisted_add_up_to_their_category_and_those_to_the_store(ran) -> None:
    forecast = ran.lake.read(schemas.FORECASTS, REGION)
    key = ["store_id", "category_id", "step"]
    parts = forecast.where("level in ('product', 'unlisted')").groupBy(*key).agg(F.sum("mean").alias("parts"))
    categories = forecast.where("level = 'category'")
    apart = categories.join(parts, key, how="full").where("parts is null or mean is null or abs(parts - mean) > 1e-6")
    assert apart.count() == 0
    stores = categories.groupBy("store_id", "step").agg(F.sum("mean").alias("parts"))
    whole = forecast.where("level = 'store'").join(stores, ["store_id", "step"], how="full")
    assert whole.where("parts is null or mean is null or abs(parts - mean) > 1e-6").count() == 0


def test_what_is_not_listed_yet_has_a_row_in_every_category_and_is_measured(ran) -> None:
    forecast = ran.lake.read(schemas.FORECASTS, REGION)
    keys = ["store_id", "category_id", "step"]
    new, categories = (forecast.where(f"level = '{level}'").select(*keys) for level in ("unlisted", "category"))
    assert new.count() == categories.count() == new.intersect(categories).count()
    units = {row.level: row.units for row in ran.lake.read(schemas.ACCURACY, REGION).collect()}
    assert units["unlisted"] <= units["category"]


def test_a_model_without_two_seasons_says_so(ran) -> None:
    registry = ran.lake.read(schemas.REGISTRY, REGION)
    assert registry.where("status = 'failed'").count() == 0
    assert registry.where("status = 'fitted'").count() == registry.count()


def test_each_version_of_a_model_tells_where_it_comes_from_and_leads_to_its_scores(ran) -> None:
    registry, metrics = (ran.lake.read(table, REGION) for table in (schemas.REGISTRY, schemas.METRICS))
    learned_from = {
        table.name: ran.lake.last_commit(table, {"region": REGION}).version
        for table in (schemas.PANEL_DEMAND, TRAINING_FRAME, schemas.VOCABULARIES, schemas.SCALERS, KNOWN_STORES)
    }
    for row in registry.collect():
        assert row.training_tables == learned_from
        assert (row.code_version, row.git_commit) == (train_baselines.job(ran.config).code, git_commit())
        assert row.libraries["scikit-learn"] == metadata.version("scikit-learn")
        assert (row.vocabulary == "artefact") == (row.artefact is not None)
        assert row.artefact is None or ran.lake.has_file(row.artefact)
        assert row.hyperparameters or row.family == "ensemble"
    key = ["region", "panel", "model", "cutoff", "version"]
    scored = registry.join(metrics.where("slice = 'all'"), key)
    assert scored.where("wape is not null and rmse is not null and rmsse is not null and bias is not null").count() == (
        registry.count()
    )


def test_each_forecast_leads_to_its_run_the_code_the_inputs_versions_and_the_model(ran) -> None:
    lake, job = ran.lake, forecast.job(ran.config)
    panels = {"product": "product", "category": "reference"}
    forecasts = lake.read(schemas.FORECASTS, REGION).where(F.col("level").isin(*panels))
    runs = lake.read(schemas.JOB_RUNS, REGION).where("job = 'forecast'")
    named_in = forecasts.select(F.col("run_id").alias("run_key")).distinct()
    assert named_in.count() == 1
    (run,) = runs.join(named_in, "run_key", "semi").collect()
    assert run.code_version == job.code
    assert run.reads == {table.name: lake.last_commit(table, {"region": REGION}).version for table in job.reads}
    assert all(lake.read(table, REGION, run.reads[table.name]).count() for table in job.reads)
    history = lake.read(CHAMPIONS, REGION, run.reads[CHAMPIONS.name])
    named = standing(history, ran.as_of).where("purpose = 'mean'").select("panel", "model", "version")
    level = F.create_map(*[F.lit(word) for pair in panels.items() for word in pair])[F.col("level")]
    modelled = forecasts.where(F.col("method") == MODELLED).withColumn("panel", level)
    registry = lake.read(schemas.REGISTRY, REGION)
    told = modelled.join(named, "panel").join(registry, ["panel", "model", "version"], "semi")
    assert told.count() == modelled.count() > 0


def test_the_report_and_its_publication_are_there(ran) -> None:
    page = Path(ran.lake.path(f"reports/{REGION}/index.html")).read_text(encoding="utf-8")
    assert f"{REGION}/index.html" in Path(ran.lake.path("reports/index.html")).read_text(encoding="utf-8")
    published = ran.lake.read(schemas.PUBLICATIONS, REGION).collect()
    assert len(published) == 1
    assert (
        published[0].tables["forecasts/demand"] == ran.lake.last_commit(schemas.FORECASTS, {"region": REGION}).version
    )
    assert published[0].run_id in page


@pytest.mark.slow
def test_a_lake_made_anew_holds_the_same(make_runner, undisturbed, tmp_path: Path) -> None:
    runner = make_runner(tmp_path / "lake")
    assert InventorySystem(runner).run() == [step.job(runner.config).name for step in PIPELINE]
    assert hashes(runner.lake) == undisturbed


@pytest.mark.slow
def test_the_future_leaves_the_features_unchanged(make_runner, tmp_path: Path) -> None:
    """As of a day, with all the files: the same as with the files of that day."""
    day = date(2017, 7, 30)
    found = []
    for name, source in (("all", None), ("cut", write_chain(tmp_path / "cut-source", until=day))):
        runner = make_runner(tmp_path / name, **({"source": source} if source else {}), as_of=day)
        for step in PIPELINE[:5]:
            runner.run(step.job(runner.config))
        found.append(
            hashes(runner.lake, (*schemas.DEMAND.values(), schemas.PANEL_DEMAND, TRAINING_FRAME, schemas.SCALERS))
        )
    assert found[0] == found[1]


@pytest.mark.slow
def test_one_core_makes_the_same_lake(spark, submit, undisturbed, tmp_path: Path) -> None:
    process = submit("pipeline", tmp_path / "lake", master="local[1]")
    messages, _ = process.communicate(timeout=900)
    assert process.returncode == 0, messages[-3000:]
    found = hashes(Lake(spark, str(tmp_path / "lake")), EXACT)
    assert found == {name: undisturbed[name] for name in found}


@pytest.mark.slow
def test_regions_run_side_by_side_make_what_each_makes_alone(spark, submit, undisturbed, tmp_path: Path) -> None:
    regions, lake = (REGION, "neighbour"), Lake(spark, str(tmp_path / "lake"))
    running = [
        submit("pipeline", tmp_path / "lake", "--set", f"region={region}", master="local[1]") for region in regions
    ]
    said = [process.communicate(timeout=1800)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    found = hashes(lake, EXACT)
    assert found == {name: undisturbed[name] for name in found}
    # The neighbour's rows differ by the region's name alone.
    counted = [{table.name: lake.read(table, region).count() for table in EXACT} for region in regions]
    assert counted[0] == counted[1]


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_an_interrupted_run_ends_as_an_undisturbed_one(submit, make_runner, undisturbed, blow, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    process = submit("pipeline", lake)
    deadline = time.monotonic() + 600
    # In the middle of the flow: demand is there, and what is made of it is not yet.
    while (
        not (lake / "demand" / "weekly" / "_delta_log").exists()
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.2)
    os.killpg(process.pid, blow)
    process.communicate(timeout=120)
    assert process.returncode != 0
    runner = make_runner(lake)
    assert len(InventorySystem(runner).run()) < len(PIPELINE)
    assert hashes(runner.lake) == undisturbed
