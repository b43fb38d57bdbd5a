import math
import os
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from shelfcast.tuning import search as module
from shelfcast.tuning.search import Dimension, Grid, Numbered, Parameters, Told, Tpe, minimise, search

DIMENSIONS = {
    "learning_rate": Dimension(1e-4, 1e-1, is_log=True, is_whole=False),
    "units": Dimension(8, 256, is_log=True, is_whole=True),
    "blocks": Dimension(0, 3, is_log=False, is_whole=True),
    "dropout": Dimension(0.2, 0.2, is_log=False, is_whole=False),
}
GRID = Grid({"learning_rate": (0.1, 0.2, 0.1), "units": (8, 16)})
POINTS = [{"learning_rate": rate, "units": units} for rate in (0.1, 0.2) for units in (8.0, 16.0)]


def bowl(parameters: Parameters) -> float:
    """Least at a learning rate of 0.003, 64 units and no block."""
    rate, units = (math.log(parameters[name] / best) for name, best in (("learning_rate", 0.003), ("units", 64)))
    return rate**2 + units**2 + parameters["blocks"]


def tried(strategy: Tpe | Grid, told: tuple[Told, ...] = (), failing: tuple[int, ...] = ()) -> dict[int, Parameters]:
    """What a search in this process tries, by number, in its order."""
    seen: dict[int, Parameters] = {}

    def objective(number: int, parameters: Parameters) -> float | None:
        assert number not in seen
        seen[number] = parameters
        return None if number in failing else bowl({"learning_rate": 1, "units": 1, "blocks": 0, **parameters})

    minimise(strategy, objective, told, Numbered())
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_tpe_finds_the_better_region(seed: int) -> None:
    """Beside as many trials that are all drawn at random."""
    led, at_random = (
        [bowl(parameters) for parameters in tried(Tpe(DIMENSIONS, 60, first, seed)).values()] for first in (12, 60)
    )
    assert led[:12] == at_random[:12]
    assert min(led) < min(at_random)
    assert median(led[30:]) < median(at_random[30:])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), low=st.integers(1, 50), more=st.integers(0, 50))
def test_what_is_drawn_lies_within_its_bounds(seed: int, low: int, more: int) -> None:
    dimensions = {
        name: Dimension(low, low + more, is_log, is_whole)
        for name, is_log, is_whole in (("a", True, True), ("b", True, False), ("c", False, True), ("d", False, False))
    }
    for parameters in tried(Tpe(dimensions, 6, 4, seed)).values():
        assert all(low - 1e-9 <= parameters[name] <= low + more + 1e-9 for name in "abcd")
        assert all(parameters[name].is_integer() for name in "ac")


def test_a_failed_trial_is_no_reason_to_end() -> None:
    assert list(tried(Tpe(DIMENSIONS, 12, 4, seed=1), failing=(0, 5, 6))) == list(range(12))
    assert list(tried(GRID, failing=(0, 1, 2, 3))) == [0, 1, 2, 3]


def test_a_grid_is_tried_at_every_point_once() -> None:
    assert [*tried(GRID).values()] == POINTS


def test_a_search_that_goes_on_makes_the_missing_trials_alone() -> None:
    told = tuple(Told(number, POINTS[number], 1.0) for number in (0, 3))
    assert tried(GRID, told) == {1: POINTS[1], 2: POINTS[2]}
    assert tried(GRID, (*told, Told(1, POINTS[1], None), Told(2, POINTS[2], 1.0))) == {}


def test_tpe_goes_on_from_what_it_has_been_told() -> None:
    strategy = Tpe(DIMENSIONS, 16, 6, seed=3)
    before = tried(strategy, failing=(4,))
    told = tuple(Told(n, own, None if n == 4 else bowl(own)) for n, own in before.items() if n not in (2, 15))
    after = tried(strategy, told)
    assert list(after) == [2, 15]
    # The last one knows as much as it did in the search that was not interrupted, but for the second.
    assert after[15] not in [own.parameters for own in told]


def test_a_trial_drawn_at_random_is_the_same_in_a_search_that_was_interrupted() -> None:
    strategy = Tpe(DIMENSIONS, 6, 6, seed=3)
    before = tried(strategy)
    assert len({tuple(own.values()) for own in before.values()}) == 6
    assert tried(strategy, tuple(Told(n, before[n], 1.0) for n in (0, 1, 4))) == {n: before[n] for n in (2, 3, 5)}


def test_trials_of_a_longer_search_before_do_no_harm() -> None:
    before = tried(Tpe(DIMENSIONS, 12, 4, seed=3))
    told = tuple(Told(n, before[n], 1.0) for n in (0, 1, 5, 10, 11))
    assert list(tried(Tpe(DIMENSIONS, 6, 4, seed=3), told)) == [2]
    assert tried(Tpe(DIMENSIONS, 5, 4, seed=3), told) == {}


def test_trials_run_in_spark_s_tasks_and_one_that_loses_its_worker_is_told_of(spark: SparkSession, tmp_path) -> None:
    driver = os.getpid()

    def objective(number: int, parameters: Parameters) -> float | None:
        (tmp_path / str(number)).write_text(str(os.getpid()))
        if number == 1:
            os._exit(9)
        return None if number == 2 else parameters["units"]

    lost = search(spark, GRID, objective, (), parallelism=4)
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1", "2", "3"}
    assert str(driver) not in {path.read_text() for path in tmp_path.iterdir()}
    assert list(lost) == [1]
    parameters, error = lost[1]
    assert parameters == POINTS[1]
    assert error.startswith("lost with its worker: ")


def test_no_more_trials_run_at_once_than_were_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    def objective(number: int, _: Parameters) -> float:
        started = time.time()
        time.sleep(0.5)
        (tmp_path / str(number)).write_text(f"{started} {time.time()}")
        return 1.0

    search(spark, GRID, objective, (Told(3, POINTS[3], 1.0),), parallelism=1)
    spans = sorted(tuple(map(float, path.read_text().split())) for path in tmp_path.iterdir())
    assert len(spans) == 3
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("asked", "found"), [pytest.param(100, 3, id="more-than-are-left"), pytest.param(2, 2, id="fewer")]
)
def test_no_more_trials_run_at_once_than_are_left(spark: SparkSession, monkeypatch, asked: int, found: int) -> None:
    seen = []
    monkeypatch.setattr(module, "minimise", lambda *given: seen.append(given[-1].parallelism))
    search(spark, GRID, lambda *_: 1.0, (Told(3, POINTS[3], 1.0),), asked)
    assert seen == [found]
    assert search(spark, GRID, lambda *_: 1.0, [Told(n, POINTS[n], 1.0) for n in range(4)], asked) == {}
    assert seen == [found]
