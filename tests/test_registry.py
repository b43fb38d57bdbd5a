from datetime import date

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import MONDAY, frame
from panel_builders import week
from shelfcast.errors import ConfigError
from shelfcast.lineage import Lineage
from shelfcast.networks.tables import STORE_HEADS, STORE_REGISTRY
from shelfcast.plan import Plan
from shelfcast.registry import (
    as_registry,
    current_heads,
    current_networks,
    intended,
    intended_ensembles,
    register_heads,
    with_versions,
)
from shelfcast.schemas import BACKTESTS, METRICS, NETWORK_REGISTRY, REGISTRY
from shelfcast.training.baselines import FIT_COLUMNS

# A season of 5 weeks: two of them are known at the later cutoff alone.
PLAN = Plan(tuple(week(n) for n in range(12)), (8, 10), horizon=2, season=5)
PART = "the largest 1,200 series alone"
EARLY, LATE = date(2017, 2, 20), date(2017, 3, 6)
INTENDED = (
    "panel string, model string, cutoff date, family string, minimises string, has_history boolean, detail string, "
    "vocabulary string, hyperparameters map<string,string>"
)
SEASON = {"season": "5"}
LINEAGE = Lineage({"features/panel_demand": 7, "features/training_frame": 4}, "c0de", "4392fc4", {"numpy": "2.4.6"})
OF_RUN = {
    "training_tables": {"features/panel_demand": 7, "features/training_frame": 4},
    "code_version": "c0de",
    "git_commit": "4392fc4",
    "libraries": {"numpy": "2.4.6"},
}


def assert_same(found: DataFrame, expected: DataFrame) -> None:
    """Rows in any order; maps by their entries, for rows with maps have no order."""
    assert_df_equality(with_entries(found), with_entries(expected), ignore_row_order=True, ignore_nullable=True)


def with_entries(rows: DataFrame) -> DataFrame:
    maps = [name for name, kind in rows.dtypes if kind.startswith("map")]
    return rows.withColumns({name: F.array_sort(F.map_entries(name)) for name in maps})


@pytest.fixture(scope="module")
def wanted(spark: SparkSession) -> DataFrame:
    found = intended(spark, PLAN, "product", ["naive", "seasonal_naive", "linear"], {"naive": 1200}, 7)
    # what scikit-learn's own are is another test's matter
    own = F.when(F.col("family") == "scikit-learn", F.map_filter("hyperparameters", lambda name, _: name == "tol"))
    return found.withColumn("hyperparameters", F.coalesce(own, "hyperparameters"))


def test_each_model_is_intended_at_each_cutoff_and_says_where_its_history_is_short(
    spark: SparkSession, wanted: DataFrame
) -> None:
    rows = [
        ("product", "naive", EARLY, "numpy", "mean", True, PART, None, SEASON),
        ("product", "naive", LATE, "numpy", "mean", True, PART, None, SEASON),
        ("product", "seasonal_naive", EARLY, "numpy", "mean", False, "8 weeks known, wanted 10", None, SEASON),
        ("product", "seasonal_naive", LATE, "numpy", "mean", True, None, None, SEASON),
        ("product", "linear", EARLY, "scikit-learn", "mean", True, None, "artefact", {"tol": "0.0001"}),
        ("product", "linear", LATE, "scikit-learn", "mean", True, None, "artefact", {"tol": "0.0001"}),
    ]
    assert_same(wanted, spark.createDataFrame(rows, INTENDED))


def test_an_ensemble_is_intended_where_a_window_has_taught_its_weights(spark: SparkSession) -> None:
    rows = [
        ("product", "ensemble_mean", LATE, "ensemble", "mean", True, None, None, None),
        ("product", "ensemble_median", LATE, "ensemble", "median", True, None, None, None),
    ]
    found = intended_ensembles(spark, PLAN, "product")
    assert_same(found, spark.createDataFrame(rows, INTENDED))


def test_a_model_that_nobody_knows_is_named(spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match="found 'oracle', wanted one of"):
        intended(spark, PLAN, "product", ["oracle"], {}, 7)


def test_a_model_tells_what_it_was_made_with_and_where_its_words_lie(spark: SparkSession) -> None:
    rows = intended(spark, PLAN, "product", ["random_forest", "mllib_lasso"], {}, seed=7).collect()
    forest, lasso = (next(row for row in rows if row.model == name) for name in ("random_forest", "mllib_lasso"))
    assert (forest.vocabulary, lasso.vocabulary) == ("artefact", "features/vocabularies")
    # of scikit-learn's own parameters those that are set
    assert {"n_estimators": "50", "max_depth": "12", "random_state": "7"}.items() <= forest.hyperparameters.items()
    assert "max_leaf_nodes" not in forest.hyperparameters
    assert {"regParam": "0.001", "elasticNetParam": "1.0"}.items() <= lasso.hyperparameters.items()


def backtest(model: str, cutoff: date, item: str, step: int = 1, fallback: str | None = None) -> dict[str, object]:
    row = {"region": "here", "panel": "product", "model": model, "cutoff": cutoff, "store_id": "s1", "item_id": item}
    return {**row, "category_id": "c1", "step": step, "week": MONDAY, "y": 1.0, "y_hat": 1.0, "fallback": fallback}


def test_a_row_a_model_and_cutoff_says_what_became_of_it(spark: SparkSession, wanted: DataFrame) -> None:
    fits = [
        {
            "panel": "product",
            "model": "linear",
            "cutoff": EARLY,
            "artefact": "a1",
            "examples": 0,
            "seconds": 0.5,
            "error": "no rows",
        },
        {"panel": "product", "model": "linear", "cutoff": LATE, "artefact": "a2", "examples": 70, "seconds": 1.5},
        # of another panel: not to be mixed up
        {
            "panel": "reference",
            "model": "linear",
            "cutoff": LATE,
            "artefact": "b",
            "examples": 9,
            "seconds": 9.0,
            "error": "x",
        },
    ]
    scored = [
        *(backtest("naive", EARLY, item, step) for item in ("p1", "p2") for step in (1, 2)),
        backtest("naive", LATE, "p1"),
        backtest("seasonal_naive", LATE, "p1", fallback="no week known"),
        backtest("seasonal_naive", LATE, "p2"),
        backtest("linear", LATE, "p1"),
    ]
    tables = frame(spark, FIT_COLUMNS, *fits), frame(spark, BACKTESTS, *scored)
    found = as_registry(wanted, *tables, "here", "run-1", LINEAGE)
    made_with = {
        name: {"hyperparameters": {"tol": "0.0001"}, "vocabulary": "artefact"}
        if name == "linear"
        else {"hyperparameters": SEASON}
        for name in ("naive", "seasonal_naive", "linear")
    }
    columns = (
        "model",
        "cutoff",
        "family",
        "status",
        "detail",
        "examples",
        "series",
        "fallbacks",
        "seconds",
        "artefact",
    )
    told = [
        ("naive", EARLY, "numpy", "fitted", PART, None, 2, 0, None, None),
        ("naive", LATE, "numpy", "fitted", PART, None, 1, 0, None, None),
        ("seasonal_naive", EARLY, "numpy", "not enough history", "8 weeks known, wanted 10", None, 0, 0, None, None),
        ("seasonal_naive", LATE, "numpy", "fitted", None, None, 2, 1, None, None),
        ("linear", EARLY, "scikit-learn", "failed", "no rows", 0, 0, 0, 0.5, "a1"),
        ("linear", LATE, "scikit-learn", "fitted", None, 70, 1, 0, 1.5, "a2"),
    ]
    same = {"region": "here", "panel": "product", "version": "run-1", "minimises": "mean", **OF_RUN}
    rows = [{**same, **made_with[row[0]], **dict(zip(columns, row, strict=True))} for row in told]
    expected = frame(spark, REGISTRY, *rows)
    assert_same(found, expected)


def test_a_network_of_another_panel_or_cutoff_is_not_current(spark: SparkSession) -> None:
    first, second = date(2017, 1, 2), date(2017, 1, 9)
    rows = spark.createDataFrame([("new", first), ("old", first), ("new", second)], "panel_run string, cutoff date")
    found = current_networks(rows, "new", [first])
    assert [tuple(row) for row in found.collect()] == [("new", first)]


def network(model: str, cutoff: date, artefact: str, panel: str = "product") -> dict[str, object]:
    minimises = "median" if model.endswith("_median") else "mean"
    key = {"region": "here", "panel": panel, "model": model, "cutoff": cutoff, "version": "run-1", "artefact": artefact}
    return {**key, "family": "Keras", "minimises": minimises, "status": "fitted", "examples": 9, "seconds": 5.0} | {
        "panel_run": "p"
    }


def test_heads_of_stores_are_registered_by_the_mean_and_the_median_of_their_network(spark: SparkSession) -> None:
    networks = [network(model, at, f"a-{at}") for model in ("mlp", "mlp_median") for at in (EARLY, LATE)]
    # a table of before told nothing of what its networks were made with
    before = [{**row, "git_commit": "old"} | ({"hyperparameters": {"units": "64"}} if row["cutoff"] == LATE else {})
              for row in networks]  # fmt: skip
    heads = [
        {
            "panel": "product",
            "model": "mlp",
            "cutoff": at,
            "store_id": store,
            "kept": kept,
            "windows": 20,
            "seconds": 0.5,
        }
        for at in (EARLY, LATE)
        for store, kept in (("s1", at == LATE), ("s2", False), ("s3", False))
    ]
    tables = frame(spark, NETWORK_REGISTRY, *before), frame(spark, STORE_HEADS, *heads)
    found = register_heads(*tables, "run-2", LATE, LINEAGE, {"head_epochs": "5"})
    made_with = {EARLY: {"head_epochs": "5"}, LATE: {"units": "64", "head_epochs": "5"}}
    names = {"mlp": "mlp_stores", "mlp_median": "mlp_stores_median"}
    detail = {EARLY: None, LATE: "1 of 3 stores have a head of their own"}
    own = {"version": "run-2", "examples": 60, "seconds": 6.5, **OF_RUN}
    expected = [
        {**row, **own, "model": names[row["model"]], "detail": detail[at], "hyperparameters": made_with[at]}
        for row in networks
        for at in (row["cutoff"],)
    ]
    assert_same(found, frame(spark, STORE_REGISTRY, *expected))


def test_heads_of_a_network_that_has_been_trained_anew_are_not_current(spark: SparkSession) -> None:
    rows = frame(spark, STORE_REGISTRY, network("mlp_stores", EARLY, "old"), network("mlp_stores", LATE, "new"))
    networks = frame(spark, NETWORK_REGISTRY, network("mlp", LATE, "new"), network("mlp_median", LATE, "new"))
    assert [row.cutoff for row in current_heads(rows, networks).collect()] == [LATE]


def test_a_score_names_the_version_of_its_model_at_each_cutoff_and_over_all(spark: SparkSession) -> None:
    measured = [{"panel": "product", "model": "mlp", "cutoff": at, "slice": "all", "wape": 0.3} for at in (LATE, None)]
    rows = frame(spark, REGISTRY, {"panel": "product", "model": "mlp", "cutoff": LATE, "version": "run-1"},
                 {"panel": "reference", "model": "mlp", "cutoff": LATE, "version": "run-2"})  # fmt: skip
    found = with_versions(frame(spark, METRICS, *measured).drop("version"), rows)
    expected = frame(spark, METRICS, *[{**row, "version": "run-1"} for row in measured])
    assert_df_equality(
        found, expected, ignore_row_order=True, ignore_nullable=True, ignore_column_order=True, allow_nan_equality=True
    )
