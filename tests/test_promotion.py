"""Histories and contests are tables of a few rows; the numbers are checked against the metrics themselves."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from benchmarks.scores import paired_bootstrap
from builders import Row, frame
from shelfcast import metrics, promotion
from shelfcast.challengers import CHAMPIONS
from shelfcast.promotion import Verdict

CUTOFFS = [date(2017, 9, 4), date(2017, 10, 2), date(2017, 10, 30)]
STORES, SEED = 12, 5
RULE = Verdict(origins=3, tolerance=0.02, seed=SEED)


def contest(
    purpose: str = "mean",
    ratio: float = 0.8,
    *,
    spread: float = 0.05,
    stores: int = STORES,
    cutoffs: int = 3,
    **classes: float,
) -> pd.DataFrame:
    """Rows of challengers.oppose: the challenger's errors are `ratio` of the champion's, by a `spread` more in every
    other store and less in the rest; of a class named in `classes` they are that share."""
    draw = np.random.default_rng(SEED)
    grid = [(at, f"s{n:02}", name) for at in CUTOFFS[:cutoffs] for n in range(stores) for name in ("lumpy", "smooth")]
    rows = pd.DataFrame(grid, columns=["cutoff", "store_id", "demand_class"]).assign(panel="product", purpose=purpose)
    rows["absolute"], rows["rows"], rows["units"] = 10 + draw.random(len(rows)), 8.0, 40.0
    of_store = {f"s{n:02}": ratio + spread * (-1) ** n for n in range(stores)}
    share = rows["demand_class"].map(classes).fillna(rows["store_id"].map(of_store))
    rows["challenger_absolute"] = rows["absolute"] * share
    rows["squared"], rows["challenger_squared"] = rows["absolute"] ** 2, rows["challenger_absolute"] ** 2
    return rows


@pytest.mark.parametrize("purpose", ["mean", "median"])
@pytest.mark.parametrize(
    ("changes", "promoted", "reason"),
    [
        pytest.param({}, True, "]", id="better-in-every-store"),
        pytest.param({"ratio": 1.2}, False, "no better beyond chance", id="worse"),
        pytest.param({"ratio": 0.98, "spread": 0.15}, False, "no better beyond chance", id="better-by-chance"),
        pytest.param({"cutoffs": 2}, False, "2 origins, wanted 3", id="too-few-origins"),
        pytest.param({"stores": 4}, False, "4 stores, wanted 5", id="too-few-stores"),
        pytest.param({"lumpy": 1.019}, True, "]", id="a-class-a-little-worse"),
        pytest.param({"lumpy": 1.021}, False, "2.1% worse on lumpy demand", id="a-class-too-much-worse"),
    ],
)
def test_a_challenger_is_promoted_by_the_rule_alone(
    purpose: str, changes: dict[str, float], promoted: bool, reason: str
) -> None:
    found = RULE.of(contest(purpose, **changes)).iloc[0]
    assert (found["panel"], found["purpose"], bool(found["promoted"])) == ("product", purpose, promoted)
    assert found["reason"].endswith(reason)


@pytest.mark.parametrize("purpose", ["mean", "median"])
def test_the_interval_is_that_of_the_metric_over_stores(purpose: str) -> None:
    rows = contest(purpose)
    # an error a row of sixty-four and two, whose absolute and squared sums are those of the table
    y = np.zeros(len(rows))
    errors = {name: rows[name].to_numpy() for name in ("absolute", "challenger_absolute")}
    found = RULE.of(rows).iloc[0]["reason"]
    if purpose == "median":
        per_unit = 40.0
        y = np.full(len(rows), per_unit)
        stores = rows["store_id"].to_numpy()
        wanted = paired_bootstrap(y, y + errors["challenger_absolute"], y + errors["absolute"], stores, SEED)
    else:
        champion, challenger = (
            float(np.sqrt(rows[name].sum() / rows["rows"].sum())) for name in ("squared", "challenger_squared")
        )
        by_store = rows.groupby("store_id")[["challenger_squared", "squared", "rows"]].sum()
        wanted = metrics.bootstrap_of_roots(*[by_store[name].to_numpy() for name in by_store], SEED)
        assert wanted.difference == pytest.approx(challenger - champion)
    assert found == f"challenger {wanted.difference:+.4g} [{wanted.lower:+.4g}, {wanted.upper:+.4g}]"


def test_where_the_champion_makes_no_error_in_a_class_any_is_too_much() -> None:
    rows = contest("median")
    rows.loc[rows["demand_class"] == "lumpy", "absolute"] = 0.0
    rows.loc[rows["demand_class"] == "lumpy", "challenger_absolute"] = 1e-6
    assert RULE.of(rows).iloc[0]["reason"].endswith("inf% worse on lumpy demand")


NOON = datetime(2017, 10, 1, 12)


def decided(model: str, as_of: date, decision: str, hour: int, challenger: str | None = None, **changes: str) -> Row:
    row = {"region": "here", "panel": "product", "purpose": "mean", "model": model, "as_of": as_of, "since": as_of}
    row |= {"version": f"v-{model}", "challenger": challenger, "decided_at": NOON.replace(hour=hour)}
    return {**row, "decision": decision, **changes}


def day(number: int) -> date:
    return date(2017, 10, number)


HISTORY = [
    decided("a", day(1), "first", 1),
    # evaluated twice on the day, and then again for the day before
    decided("b", day(8), "promoted", 2, "a"),
    decided("b", day(8), "promoted", 3, "a"),
    decided("a", day(1), "first", 4),
    decided("t", day(1), "first", 1, purpose="median"),
]
ROLLED_BACK = [*HISTORY, decided("a", day(8), "rolled_back", 1, "b")]


def models(found: DataFrame, purpose: str = "mean") -> list[str]:
    return [row["model"] for row in found.where(f"purpose = '{purpose}'").collect()]


@pytest.mark.parametrize(
    ("rows", "on", "stands", "before"),
    [
        pytest.param(HISTORY, 1, ["a"], [], id="the-first"),
        pytest.param(HISTORY, 7, ["a"], ["a"], id="what-is-decided-later-is-not-known"),
        pytest.param(HISTORY, 8, ["b"], ["a"], id="a-day-done-again-begins-as-it-began"),
        pytest.param(HISTORY, 9, ["b"], ["b"], id="the-day-after"),
        pytest.param(ROLLED_BACK, 8, ["a"], ["a"], id="rolled-back-on-the-day-whenever-it-was-evaluated"),
        pytest.param(ROLLED_BACK, 7, ["a"], ["a"], id="before-it-was-rolled-back"),
        pytest.param([], 7, [], [], id="nobody-ever"),
    ],
)
def test_who_is_champion_follows_from_what_was_decided_by_then(
    spark: SparkSession, rows: list[Row], on: int, stands: list[str], before: list[str]
) -> None:
    history = frame(spark, CHAMPIONS, *rows)
    assert models(promotion.standing(history, day(on))) == stands
    assert models(promotion.incumbents(history, day(on))) == before


@pytest.mark.parametrize(
    ("on", "days", "expected"),
    [(7, 28, []), (8, 28, ["b"]), (28, 21, ["b"]), (29, 21, [])],
)
def test_a_champion_that_was_rolled_back_is_no_challenger_for_so_long(
    spark: SparkSession, on: int, days: int, expected: list[str]
) -> None:
    assert models(promotion.barred(frame(spark, CHAMPIONS, *ROLLED_BACK), day(on), days)) == expected


@pytest.mark.parametrize(
    ("rows", "on", "expected"),
    [
        pytest.param(HISTORY, 9, [("mean", "a", "v-a", "b")], id="to-the-champion-before"),
        pytest.param(HISTORY, 7, [], id="nobody-was-promoted-yet"),
        pytest.param(ROLLED_BACK, 9, [], id="once-alone"),
        pytest.param([*HISTORY, decided("c", day(15), "replaced", 1)], 20, [], id="who-was-promoted-is-gone"),
        pytest.param(
            [*HISTORY, decided("u", day(15), "promoted", 1, "t", purpose="median")],
            20,
            [("median", "t", "v-t", "u")],
            id="the-last-promotion-alone",
        ),
        pytest.param(
            [*ROLLED_BACK, decided("c", day(15), "promoted", 1, "a"), decided("c", day(22), "kept", 1, "a")],
            23,
            [("mean", "a", "v-a", "c")],
            id="a-promotion-after-a-rollback",
        ),
    ],
)
def test_a_rollback_restores_whom_the_last_promotion_replaced(
    spark: SparkSession, rows: list[Row], on: int, expected: list[tuple[str, ...]]
) -> None:
    found = promotion.undone(frame(spark, CHAMPIONS, *rows), day(on)).collect()
    assert [(row.purpose, row.model, row.version, row.challenger) for row in found] == expected
    assert all((row.as_of, row.since, row.decision) == (day(on), day(on), "rolled_back") for row in found)


def test_training_days_are_those_of_evaluations_each_once(spark: SparkSession) -> None:
    assert promotion.training_days(frame(spark, CHAMPIONS, *ROLLED_BACK)) == [day(1), day(8)]


VERDICTS = "panel string, purpose string, promoted boolean, reason string"


def test_what_is_promoted_changes_places_and_each_decision_is_named(spark: SparkSession) -> None:
    pairs = spark.createDataFrame(
        [(panel, "mean", "old", "new") for panel in ("promoted", "kept", "first", "gone")],
        "panel string, purpose string, model string, challenger string",
    )
    verdicts = spark.createDataFrame(
        [("promoted", "mean", True, "better"), ("kept", "mean", False, "no better")], VERDICTS
    )
    swapped = promotion.applied(pairs, verdicts)
    assert {row.panel: (row.model, row.challenger) for row in swapped.collect()} == {
        "promoted": ("new", "old"),
        **dict.fromkeys(("kept", "first", "gone"), ("old", "new")),
    }
    before = spark.createDataFrame(
        [("promoted", "mean", "old"), ("kept", "mean", "old"), ("gone", "mean", "older")],
        "panel string, purpose string, model string",
    )
    told = promotion.with_decision(swapped, verdicts, before).collect()
    assert {row.panel: (row.decision, row.reason) for row in told} == {
        "promoted": ("promoted", "better"),
        "kept": ("kept", "no better"),
        "first": ("first", None),
        "gone": ("replaced", "older is no candidate any more"),
    }
