import shutil

import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from chain import NETWORKS
from crowned import REGION, WEEKS, crown, network_means, published_means
from shelfcast import schemas
from shelfcast.errors import ConfigError, LakeError
from shelfcast.forecasting.middle_out import MODELLED
from shelfcast.models.mlp.head import count_weights
from shelfcast.models.mlp.network import Design
from shelfcast.networks import tables as network_tables
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, fine_tune_stores, forecast, report
from shelfcast.windows import WINDOWS

KEY = ["panel", "cutoff", "store_id", "item_id", "step"]


@pytest.fixture(scope="module")
def tuned(trained, make_runner, tmp_path_factory) -> Runner:
    """A copy of the lake with networks, with heads of single stores."""
    lake = tmp_path_factory.mktemp("heads") / "lake"
    shutil.copytree(trained.lake.root, lake)
    runner = make_runner(lake, *NETWORKS, "fine_tuning.epochs=3")
    assert runner.run(fine_tune_stores.job(runner.config))
    assert runner.run(evaluate.job(runner.config))
    return runner


def test_networks_with_heads_of_stores_stand_on_the_leaderboard_and_change_no_other_score(tuned, trained) -> None:
    titles = ("champion", "challenger")
    boards = [runner.lake.read(schemas.LEADERBOARD, REGION).drop(*titles) for runner in (tuned, trained)]
    own = boards[0].where("model like '%_stores%'")
    found = {(row.panel, row.model, row.minimises, row.family): row for row in own.collect()}
    assert set(found) == {
        (panel, f"mlp_stores{suffix}", minimises, "Keras")
        for panel in ("reference", "category", "product")
        for suffix, minimises in (("", "mean"), ("_median", "median"))
    }
    assert all(row.wape > 0 and row.earlier_rmse > 0 and row.status == "fitted" for row in found.values())
    assert all("stores have a head of their own" in row.detail for row in found.values())
    assert boards[0].exceptAll(own).exceptAll(boards[1]).count() == 0


def test_heads_tell_what_they_and_their_network_learned_from_and_with(tuned) -> None:
    rows = tuned.lake.read(network_tables.STORE_REGISTRY, REGION).collect()
    windows = tuned.lake.last_commit(WINDOWS, {"region": REGION})
    for row in rows:
        assert row.training_tables[WINDOWS.name] == windows.version
        assert (row.hyperparameters["head_epochs"], row.hyperparameters["units"]) == ("3", "8")
        assert row.code_version == fine_tune_stores.job(tuned.config).code
    assert rows


def test_a_second_run_trains_no_head(tuned) -> None:
    assert not tuned.run(fine_tune_stores.job(tuned.config))
    assert not tuned.run(evaluate.job(tuned.config))


def test_a_store_without_a_head_of_its_own_is_forecast_by_the_network_itself(tuned) -> None:
    heads = tuned.lake.read(network_tables.STORE_HEADS, REGION).where("kept")
    base, own = (
        tuned.lake.read(table, REGION).join(heads, ["panel", "cutoff", "store_id"], "anti")
        for table in (schemas.NETWORK_BACKTESTS, network_tables.STORE_BACKTESTS)
    )
    assert own.count() > 0
    renamed = own.withColumn("model", F.regexp_replace("model", "_stores", ""))
    assert_df_equality(renamed, base, ignore_row_order=True, ignore_nullable=True)


def test_every_store_has_tried_a_head_at_every_cutoff_and_the_kept_alone_are_stored(tuned) -> None:
    heads = tuned.lake.read(network_tables.STORE_HEADS, REGION)
    ahead = heads.where("cutoff > '2017-07-31'")
    heads = heads.exceptAll(ahead)
    scored = tuned.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("model = 'mlp'")
    stores = ["panel", "cutoff", "store_id"]
    assert heads.select(stores).exceptAll(scored.select(stores).distinct()).count() == 0
    assert heads.count() == scored.select(stores).distinct().count()
    size = count_weights(Design("mlp", 3, (), 8, 1, 0.1, False))
    assert heads.where(f"kept and size(weights) != {size} or not kept and weights is not null").count() == 0
    assert heads.where("windows < 1 or base_loss <= 0 or head_loss = base_loss").count() == 0


def test_nothing_is_kept_before_two_cutoffs_have_been_judged(tuned) -> None:
    heads = tuned.lake.read(network_tables.STORE_HEADS, REGION)
    counted = {tuple(row) for row in heads.select("cutoff", "cutoffs").distinct().collect()}
    # behind the last cutoff, and for the weeks ahead
    assert [count for _, count in sorted(counted)] == [0, 1, 2, 3]
    assert heads.where("cutoffs < 2 and (kept or gain is not null)").count() == 0
    assert heads.where("cutoffs = 2 and series >= 5 and gain is null").count() == 0


def test_the_report_tells_of_the_stores(tuned) -> None:
    assert tuned.run(report.job(tuned.config))
    page = (tuned.lake.root + f"/reports/{REGION}/index.html").removeprefix("file:")
    with open(page, encoding="utf-8") as file:
        assert "Stores with a head of their own" in file.read()


@pytest.mark.slow
def test_a_kept_head_speaks_for_its_store_in_the_weeks_ahead_and_for_no_other(tuned, make_runner, tmp_path) -> None:
    """Where none has won, one is made to have."""
    shutil.copytree(tuned.lake.root, tmp_path / "lake")
    runner = make_runner(tmp_path / "lake", *NETWORKS, "fine_tuning.epochs=3")
    heads = runner.lake.read(network_tables.STORE_HEADS, REGION)
    own = (F.col("cutoff") == F.lit(WEEKS[-1])) & (F.col("store_id") == "2")
    drawn = F.array(*[F.lit(0.01 * (n % 7 - 3)).cast("float") for n in range(243)])
    made = {"kept": own, "weights": F.when(own, drawn), "lower": F.when(own, 0.1)}
    runner.lake.replace(
        network_tables.STORE_HEADS, heads.withColumns(made), {"region": REGION}, {"run_key": "made", "job": "made"}
    )
    crown(runner, "mlp_stores")
    assert runner.run(forecast.job(runner.config))
    alone = network_means(runner, "category", least_weeks=1)
    found = published_means(runner, "category", MODELLED)
    assert found.keys() == alone.keys()
    changed = {store for (store, item, step), mean in found.items() if mean != alone[store, item, step]}
    assert changed == {"2"}


def test_without_networks_the_job_names_the_one_that_trains_them(ran) -> None:
    with pytest.raises(LakeError, match=r"found no networks of region complete_journey .*; wanted job train_mlp run"):
        ran.run(fine_tune_stores.job(ran.config))


def test_a_head_too_large_for_every_store_to_have_one_is_refused(tuned, make_runner, monkeypatch) -> None:
    monkeypatch.setattr(network_tables, "MOST_HEAD_WEIGHTS", 100)
    runner = make_runner(tuned.lake.root, *NETWORKS, "fine_tuning.epochs=4")
    with pytest.raises(ConfigError, match=r"a head of mlp on panel [a-z]+ has 243 weights; wanted at most 100"):
        runner.run(fine_tune_stores.job(runner.config))
