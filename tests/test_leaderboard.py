"""The board's panels are cases: each is ranked alone, all in one go."""

import math
from datetime import date, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import Row, frame
from shelfcast.leaderboard import mark, rank, show
from shelfcast.schemas import ENSEMBLES, LEADERBOARD, METRICS, REGISTRY

LAST = date(2017, 11, 6)
EARLIER = (LAST - timedelta(weeks=16), LAST - timedelta(weeks=8))


def scores(panel: str, model: str, *earlier: float, last: float = 1.0, rows: int = 10, **changes: object) -> list[Row]:
    """Rows of forecasts/metrics: RMSE and MAE are `earlier` at the earlier cutoffs, one of 10 units a row without their
    sign, and `last` at the last."""
    row = {
        "panel": panel,
        "model": model,
        "slice": "all",
        "value": "all",
        "rows": rows,
        # In some weeks more was taken back than sold.
        "units": 8.0 * rows,
        "units_abs": 10.0 * rows,
        **changes,
    }
    pairs = zip((*EARLIER, LAST), map(float, (*earlier, last)), strict=True)
    return [{**row, "cutoff": cutoff, "rmse": loss, "mae": loss, "wape": loss / 10} for cutoff, loss in pairs]


def weighed(panel: str, model: str, cutoff: date, **weights: float) -> list[Row]:
    """Rows of models/ensembles."""
    row = {"region": "here", "panel": panel, "model": model, "cutoff": cutoff, "whole": True}
    return [{**row, "member": member, "weight": weight} for member, weight in weights.items()]


def became(panel: str, model: str, *statuses: str, **changes: object) -> list[Row]:
    """Rows of models/registry, a status for each cutoff: `fitted` where none is given."""
    row = {"panel": panel, "model": model, "family": "numpy", "minimises": "mean", "seconds": 2.0, **changes}
    pairs = zip((*EARLIER, LAST), (*statuses, *["fitted"] * 3), strict=False)
    details = {"fitted": None}
    return [
        {**row, "cutoff": cutoff, "status": status, "detail": details.get(status, f"why {status}")}
        for cutoff, status in pairs
    ]


# panel -> rows of metrics
METRIC_ROWS = {
    "the-best-is-not-the-first-row": [
        *scores("the-best-is-not-the-first-row", "a", 3, 3),
        *scores("the-best-is-not-the-first-row", "b", 2, 1),
        *scores("the-best-is-not-the-first-row", "c", 2, 2),
    ],
    "the-last-cutoff-does-not-count": [
        *scores("the-last-cutoff-does-not-count", "a", 3, 3, last=0.1),
        *scores("the-last-cutoff-does-not-count", "b", 2, 2, last=9),
    ],
    "zero-is-no-candidate": [*scores("zero-is-no-candidate", "zero", 1, 1), *scores("zero-is-no-candidate", "b", 2, 2)],
    "a-part-of-the-series-is-no-candidate": [
        *scores("a-part-of-the-series-is-no-candidate", "a", 1, 1, rows=9),
        *scores("a-part-of-the-series-is-no-candidate", "b", 2, 2),
    ],
    "a-model-that-failed-once-is-no-candidate": [
        *scores("a-model-that-failed-once-is-no-candidate", "a", 1, 1),
        *scores("a-model-that-failed-once-is-no-candidate", "b", 2, 2),
    ],
    "a-model-without-any-forecast-is-on-the-board": scores("a-model-without-any-forecast-is-on-the-board", "b", 2, 2),
    "equals-go-by-name": [*scores("equals-go-by-name", "b", 2, 2), *scores("equals-go-by-name", "a", 2, 2)],
    "slices-and-all-cutoffs-do-not-count": [
        *scores("slices-and-all-cutoffs-do-not-count", "a", 3, 3),
        *scores("slices-and-all-cutoffs-do-not-count", "a", 0, 0, slice="store", value="s1"),
        *({**row, "cutoff": None} for row in scores("slices-and-all-cutoffs-do-not-count", "a", 0, 0)[:1]),
        *scores("slices-and-all-cutoffs-do-not-count", "b", 2, 2),
    ],
    "mean-and-median-are-two-choices": [
        # a errs much and seldom: the less absolute error and the greater squared one
        *({**row, "mae": 1.0} for row in scores("mean-and-median-are-two-choices", "a", 3, 3)),
        *scores("mean-and-median-are-two-choices", "b", 2, 2),
    ],
    # an ensemble has nothing to say at the first cutoff
    "an-ensemble-is-better-where-both-forecast": [
        *scores("an-ensemble-is-better-where-both-forecast", "single", 1, 3),
        *scores("an-ensemble-is-better-where-both-forecast", "joint", 9, 2)[1:],
    ],
    "an-ensemble-is-worse-where-both-forecast": [
        *scores("an-ensemble-is-worse-where-both-forecast", "single", 9, 1),
        *scores("an-ensemble-is-worse-where-both-forecast", "joint", 9, 2)[1:],
    ],
    "cutoffs-weigh-by-their-rows": [
        # RMSE 1 on 10 rows and 2 on 40; WAPE 10 of 100 units and 80 of 400
        *scores("cutoffs-weigh-by-their-rows", "a", 1, 9)[:1],
        *scores("cutoffs-weigh-by-their-rows", "a", 9, 2, rows=40)[1:2],
    ],
}
# A network is a candidate where one knows all weeks of the panel that this one's champion forecasts.
METRIC_ROWS |= {
    "product": [*scores("product", "mlp", 1, 1), *scores("product", "naive", 2, 2)],
    "reference": [
        *scores("reference", "mlp", 1, 1),
        *scores("reference", "lstm", 1.5, 1.5),
        *scores("reference", "naive", 2, 2),
    ],
    "category": scores("category", "mlp", 1, 1),
}
NETWORKS = ("mlp", "lstm")
AHEAD = (("product", "mlp"), ("reference", "mlp"), ("category", "lstm"))
FAILED = "a-model-that-failed-once-is-no-candidate"
ABSENT = "a-model-without-any-forecast-is-on-the-board"
SPECIAL = {(FAILED, "a"): ("fitted", "failed"), (ABSENT, "a"): ("not enough history",) * 3}


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Metrics, registry, and what ensembles weigh."""
    metrics = [{"region": "here", **row} for rows in METRIC_ROWS.values() for row in rows]
    known = {(row["panel"], row["model"]) for row in metrics} | {*SPECIAL}
    registry = [row for panel, model in sorted(known) for row in became(panel, model, *SPECIAL.get((panel, model), ()))]
    families = {"joint": "ensemble", **dict.fromkeys(NETWORKS, "Keras")}
    joint = [{**row, "family": families.get(row["model"], row["family"])} for row in registry]
    for panel, model in AHEAD:
        joint.append({**became(panel, model, family="Keras", seconds=9.0)[0], "cutoff": LAST + timedelta(weeks=8)})
    weights = [
        *weighed("an-ensemble-is-better-where-both-forecast", "joint", LAST, a=0.25, b=0.6, c=0.15),
        *weighed("an-ensemble-is-better-where-both-forecast", "joint", EARLIER[1], a=1.0),
    ]
    return frame(spark, METRICS, *metrics), frame(spark, REGISTRY, *joint), frame(spark, ENSEMBLES, *weights)


@pytest.fixture(scope="module")
def board(spark: SparkSession, tables: tuple[DataFrame, DataFrame, DataFrame]) -> DataFrame:
    ranked = rank(*tables, LAST)
    # what the tests read, computed once
    return spark.createDataFrame(ranked.collect(), ranked.schema)


@pytest.fixture(scope="module")
def rows(board: DataFrame) -> dict[tuple[str, str], Row]:
    return {(row["panel"], row["model"]): row.asDict() for row in board.collect()}


@pytest.mark.parametrize(
    ("panel", "champions"),
    [
        ("the-best-is-not-the-first-row", {"b": "mean and median"}),
        ("the-last-cutoff-does-not-count", {"b": "mean and median"}),
        ("zero-is-no-candidate", {"b": "mean and median"}),
        ("a-part-of-the-series-is-no-candidate", {"b": "mean and median"}),
        (FAILED, {"b": "mean and median"}),
        (ABSENT, {"b": "mean and median"}),
        ("equals-go-by-name", {"a": "mean and median"}),
        ("slices-and-all-cutoffs-do-not-count", {"b": "mean and median"}),
        ("mean-and-median-are-two-choices", {"a": "median", "b": "mean"}),
        ("an-ensemble-is-better-where-both-forecast", {"joint": "mean and median"}),
        ("an-ensemble-is-worse-where-both-forecast", {"single": "mean and median"}),
        ("product", {"mlp": "mean and median"}),
        ("reference", {"lstm": "mean and median"}),
        ("category", {}),
    ],
)
def test_the_champions_are_chosen_on_the_earlier_cutoffs(
    panel: str, champions: dict[str, str], rows: dict[tuple[str, str], Row]
) -> None:
    assert {model: row["champion"] for (of, model), row in rows.items() if of == panel and row["champion"]} == champions


@pytest.mark.parametrize(
    ("panel", "challengers"),
    [
        ("the-best-is-not-the-first-row", {"c": "mean and median"}),
        ("the-last-cutoff-does-not-count", {"a": "mean and median"}),
        ("zero-is-no-candidate", {}),
        ("a-part-of-the-series-is-no-candidate", {}),
        (FAILED, {}),
        (ABSENT, {}),
        ("equals-go-by-name", {"b": "mean and median"}),
        ("mean-and-median-are-two-choices", {"a": "mean", "b": "median"}),
        ("an-ensemble-is-better-where-both-forecast", {"single": "mean and median"}),
    ],
)
def test_the_challenger_is_whom_the_same_rule_chooses_without_the_champion(
    panel: str, challengers: dict[str, str], rows: dict[tuple[str, str], Row]
) -> None:
    found = {model: row["challenger"] for (of, model), row in rows.items() if of == panel and row["challenger"]}
    assert found == challengers


def test_the_earlier_scores_are_those_of_all_their_rows(rows: dict[tuple[str, str], Row]) -> None:
    found = rows["cutoffs-weigh-by-their-rows", "a"]
    assert found["earlier_rmse"] == pytest.approx(math.sqrt((10 * 1 + 40 * 4) / 50), rel=1e-12)
    assert found["earlier_wape"] == pytest.approx((10 + 80) / (100 + 400), rel=1e-12)


def test_the_board_shows_the_scores_of_the_last_cutoff(rows: dict[tuple[str, str], Row]) -> None:
    found = rows["the-last-cutoff-does-not-count", "a"]
    assert (found["rmse"], found["mae"], found["wape"], found["seconds"]) == (0.1, 0.1, 0.01, 6.0)


def test_a_model_that_could_not_is_on_the_board_with_the_reason(rows: dict[tuple[str, str], Row]) -> None:
    assert (rows[FAILED, "a"]["status"], rows[FAILED, "a"]["detail"]) == ("failed", "why failed")
    absent = rows[ABSENT, "a"]
    assert (absent["status"], absent["earlier_rmse"], absent["rmse"]) == ("not enough history", None, None)


def test_the_board_has_a_row_a_model_in_the_columns_of_its_table(
    board: DataFrame, rows: dict[tuple[str, str], Row]
) -> None:
    assert board.columns == [name for name in LEADERBOARD.names if name != "region"]
    assert board.count() == len(rows) == 30


def test_a_network_that_cannot_forecast_the_weeks_ahead_says_for_which_panel_it_is_missing(
    rows: dict[tuple[str, str], Row],
) -> None:
    assert rows["reference", "mlp"]["detail"] == "no network knows all weeks of panel category"
    assert (rows["reference", "lstm"]["detail"], rows["product", "mlp"]["detail"]) == (None, None)
    assert rows["product", "mlp"]["seconds"] == 6.0, "of the backtest, as of the others"


def test_an_ensemble_names_its_members_of_the_last_cutoff_the_heaviest_first(
    rows: dict[tuple[str, str], Row],
) -> None:
    assert rows["an-ensemble-is-better-where-both-forecast", "joint"]["members"] == "0.60 b + 0.25 a + 0.15 c"
    assert rows["an-ensemble-is-better-where-both-forecast", "single"]["members"] is None


def test_prints_the_best_of_the_last_cutoff_first_and_why_a_model_is_missing(
    board: DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    show(board.where(f"panel in ('the-last-cutoff-does-not-count', '{ABSENT}')"))
    of_absent, of_last = capsys.readouterr().out.split("Backtest, ")[1:]
    lines = of_last.splitlines()
    (a,), (b,) = ([n for n, line in enumerate(lines) if f" {model} " in line] for model in "ab")
    assert a < b
    assert "0.0100" in lines[a]
    assert "mean and median" in lines[b]
    assert "challenger: mean and median" in lines[a]
    assert "not enough history: why" in of_absent


HOLDERS = "panel string, purpose string, model string"
STAYED = {
    "the-best-is-not-the-first-row": ("c", "mean", "b", "mean"),
    # barred from the mean alone
    "mean-and-median-are-two-choices": ("a", "mean and median", "b", "median"),
    # no candidate any more, and nobody else is barred
    FAILED: ("b", "mean and median", None, None),
    "an-ensemble-is-better-where-both-forecast": ("single", "mean", "joint", "mean"),
}


def test_a_champion_until_now_stays_while_it_is_a_candidate_and_who_is_barred_does_not_challenge(
    spark: SparkSession, tables: tuple[DataFrame, DataFrame, DataFrame]
) -> None:
    best, two, joint = "the-best-is-not-the-first-row", "mean-and-median-are-two-choices", [*STAYED][3]
    incumbents = [(best, "mean", "c"), (two, "mean", "a"), (FAILED, "mean", "a"), (joint, "mean", "single")]
    ranked = rank(
        *tables,
        LAST,
        spark.createDataFrame(incumbents, HOLDERS),
        spark.createDataFrame([(two, "mean", "b")], HOLDERS),
    )
    found = {
        (row.panel, row.model): (row.champion, row.challenger)
        for row in ranked.where(ranked.panel.isin(*STAYED)).collect()
    }
    for panel, (champion, of, challenger, by) in STAYED.items():
        assert found[panel, champion][0] == of
        assert challenger is None or found[panel, challenger][1] == by


def test_a_board_is_marked_with_other_champions_and_challengers(spark: SparkSession, board: DataFrame) -> None:
    panel = "the-best-is-not-the-first-row"
    titles = [(panel, "mean", "a", "b"), (panel, "median", "b", None)]
    marked = mark(board, spark.createDataFrame(titles, f"{HOLDERS}, challenger string"))
    assert marked.columns == board.columns
    found = {row.model: (row.champion, row.challenger) for row in marked.where(marked.panel == panel).collect()}
    assert found == {"a": ("mean", None), "b": ("median", "mean"), "c": (None, None)}
