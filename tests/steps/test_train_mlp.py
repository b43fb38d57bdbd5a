from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.steps import evaluate, train_mlp
from shelfcast.windows import WINDOWS

REGION = "complete_journey"
KEY = ["panel", "cutoff", "store_id", "item_id", "step"]


def test_networks_stand_on_the_leaderboard_beside_the_baselines(trained, ran) -> None:
    board = trained.lake.read(schemas.LEADERBOARD, REGION).where("family = 'Keras'")
    found = {(row.panel, row.model, row.minimises): row for row in board.collect()}
    assert set(found) == {
        (panel, f"mlp{suffix}", minimises)
        for panel in ("reference", "category", "product")
        for suffix, minimises in (("", "mean"), ("_median", "median"))
    }
    assert all(row.wape > 0 and row.earlier_rmse > 0 and row.status == "fitted" for row in found.values())
    same = ["panel", "model", "wape", "earlier_rmse"]
    scores = [runner.lake.read(schemas.LEADERBOARD, REGION).where("family != 'Keras'") for runner in (trained, ran)]
    assert scores[0].select(same).exceptAll(scores[1].select(same)).isEmpty()


def test_networks_that_know_all_weeks_are_candidates_where_a_champion_is_chosen(trained) -> None:
    board = trained.lake.read(schemas.LEADERBOARD, REGION).where("status = 'fitted' and model != 'zero'").collect()
    for panel in ("reference", "product"):
        single = [row for row in board if row.panel == panel and row.family != "ensemble" and not row.detail]
        best = min(single, key=lambda row: (row.earlier_rmse, row.model))
        champion = next(row for row in board if row.panel == panel and "mean" in (row.champion or ""))
        assert champion.model == best.model or champion.family == "ensemble"
        assert {row.model for row in single} >= {"mlp", "mlp_median"}
    assert not [row for row in board if row.panel == "category" and row.champion]


def test_each_evaluation_adds_to_the_history_of_champions_and_none_twice(trained, ran) -> None:
    first, both = (runner.lake.read(CHAMPIONS, REGION) for runner in (ran, trained))
    title = ["panel", "purpose"]
    assert first.count() == first.select(*title).distinct().count() == 4
    assert both.count() == 8
    assert both.select("run_id").distinct().count() == 2
    board = ran.lake.read(schemas.LEADERBOARD, REGION)
    for row in first.collect():
        told = {at.model: at for at in board.where(F.col("panel") == row.panel).collect()}
        assert row.purpose in told[row.model].champion
        assert row.purpose in told[row.challenger].challenger
        assert (row.scores.wape, row.scores.rmse) == (told[row.model].wape, told[row.model].rmse)
        assert row.version == ran.lake.last_commit(schemas.REGISTRY, {"region": REGION}).run_key


def test_a_second_run_trains_nothing(trained) -> None:
    assert not trained.run(train_mlp.job(trained.config))
    assert not trained.run(evaluate.job(trained.config))


def test_a_network_forecasts_every_series_that_the_baselines_do(trained) -> None:
    naive = trained.lake.read(schemas.BACKTESTS, REGION).where("model = 'naive'").select(*KEY, "y")
    # No baseline is backtested on all categories.
    own = trained.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("model = 'mlp' and panel != 'category'")
    scored = own.select(*KEY, "y")
    assert scored.exceptAll(naive).count() == naive.exceptAll(scored).count() == 0
    assert scored.count() > 0


def test_the_median_of_a_network_is_its_p50_and_its_mean_has_no_quantile(trained) -> None:
    rows = trained.lake.read(schemas.NETWORK_BACKTESTS, REGION)
    assert rows.where("model = 'mlp_median' and y_hat != p50").count() == 0
    assert rows.where("model = 'mlp' and y_hat != p50").count() > 0


def test_the_registry_tells_of_each_training_and_its_network_is_there(trained) -> None:
    rows = trained.lake.read(schemas.NETWORK_REGISTRY, REGION).collect()
    windows = trained.lake.last_commit(WINDOWS, {"region": REGION})
    # Each at the three cutoffs and now.
    assert len(rows) == 3 * 2 * 4
    for row in rows:
        assert len(row.losses) == 2
        assert all(epoch.loss > 0 and epoch.validation > 0 for epoch in row.losses)
        assert 0 < row.examples <= 400
        assert trained.lake.has_file(row.artefact)
        assert row.training_tables[WINDOWS.name] == windows.version
        assert {"units": "8", "epochs": "2", "processes": "1"}.items() <= row.hyperparameters.items()
        assert (row.vocabulary, row.code_version) == ("artefact", train_mlp.job(trained.config).code)


def test_windows_reach_to_the_last_week_that_is_known_after_one(trained) -> None:
    """33 whole weeks. What a cutoff learns of them is tested with the stream."""
    assert trained.lake.read(WINDOWS, REGION).agg(F.max("origin")).first()[0] == 33 - 1
