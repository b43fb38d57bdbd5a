import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from panel_builders import axis, poisson_series, week, windows_of, write_windows
from shelfcast.training.communicator import Alone
from shelfcast.training.stream import Source, Stream

AXIS = axis(weeks=24)
ROWS = poisson_series(4, weeks=24)
ORIGINS = range(10, 24)
WORDS = {"store_id": ["s1"], "item_id": ["p0", "p2"]}


class Rank(Alone):
    """One of several processes, heard by nobody."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """56 windows in two files of row groups of ten."""
    return write_windows(ROWS, AXIS, ORIGINS, tmp_path_factory.mktemp("windows"), rows_per_group=10)


def stream(files: tuple[str, ...], learn_until: int = 24, known: int = 24, batch: int = 8, rank=(0, 1)) -> Stream:
    return Stream(Source(files, WORDS, AXIS.horizon, learn_until, known), batch, seed=3, communicator=Rank(*rank))


def rows_of(batches) -> np.ndarray:
    """The rows of all batches, each as its weight and history, in order."""
    parts = [np.column_stack([batch.weight, batch.inputs["history"]]) for batch in batches]
    return np.concatenate(parts)


def ordered(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T)]


def test_an_epoch_is_every_window_once_in_batches_of_the_size_asked_for(files) -> None:
    batches = list(stream(files).training(1))
    assert [len(batch.weight) for batch in batches] == [8] * 7
    everything = stream(files, batch=100).training(1)
    np.testing.assert_array_equal(ordered(rows_of(batches)), ordered(rows_of(everything)))


def test_the_order_follows_from_seed_and_epoch(files) -> None:
    first, again, second = (rows_of(stream(files).training(epoch)) for epoch in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(ordered(first), ordered(second))


def test_processes_share_the_windows_and_none_is_dropped(files) -> None:
    parts = [rows_of(stream(files, rank=(rank, 3)).training(1))[:, 1:] for rank in range(3)]
    whole = rows_of(stream(files).training(1))[:, 1:]
    assert [len(part) for part in parts] == [20, 20, 16]
    np.testing.assert_array_equal(ordered(np.concatenate(parts)), ordered(whole))


def test_nothing_beyond_the_weeks_to_learn_from_is_learned(files) -> None:
    y = np.concatenate([batch.y for batch in stream(files, learn_until=20).training(1)])
    # Four series, ten origins up to 19: of the last only the first of two weeks is known.
    assert y.shape == (40, 2)
    assert np.isnan(y).sum() == 4


def test_what_is_held_back_are_the_windows_that_begin_where_learning_ends(files) -> None:
    held = list(stream(files, learn_until=20, known=22).validation())
    assert sum(len(batch.weight) for batch in held) == 4
    assert not np.isnan(np.concatenate([batch.y for batch in held])).any()
    assert list(stream(files).validation()) == []


def test_words_become_their_place_and_the_never_seen_zero(files) -> None:
    codes = np.concatenate([batch.inputs["codes"] for batch in stream(files).training(1)])
    pairs, counts = np.unique(codes, axis=0, return_counts=True)
    assert pairs.tolist() == [[1, 0], [1, 1], [1, 2]]
    assert counts.tolist() == [28, 14, 14]


def test_the_survey_counts_the_windows_to_learn_from_and_their_scale(files) -> None:
    surveyed, made = stream(files, learn_until=20), windows_of(ROWS, AXIS, ORIGINS)
    assert surveyed.total == 40
    assert surveyed.mean_scale == pytest.approx(made.loc[made["origin"] < 20, "scale"].mean(), rel=1e-6)
    assert surveyed.non_negative


def test_demand_that_was_negative_later_is_not_known_to_the_survey(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows.loc[rows["week"] == week(20), "quantity"] *= -1
    late = write_windows(rows, AXIS, ORIGINS, tmp_path)
    assert stream(late, learn_until=20).non_negative
    assert not stream(late, learn_until=21).non_negative


def test_an_empty_batch_has_the_shapes_of_any_other(files) -> None:
    made = stream(files)
    batch = next(iter(made.training(1)))
    assert {name: values.shape[1:] for name, values in batch.inputs.items()} == {
        name: values.shape[1:] for name, values in made.empty.inputs.items()
    }
    assert made.empty.y.shape == (0, 2)


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """Thirty times the rows in as many row groups, read to the end: the same peak of numpy's memory."""
    table = pa.Table.from_pandas(windows_of(poisson_series(8, weeks=24), AXIS, ORIGINS), preserve_index=False)
    peaks = []
    for number, copies in enumerate((8, 240)):
        path = tmp_path / f"{number}.parquet"
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(copies):
                writer.write_table(table)
        source = Source((str(path),), WORDS, AXIS.horizon, 24, 24)
        made = Stream(source, 64, 3, Alone())
        tracemalloc.start()
        until, draw = source.learn_until, np.random.default_rng(1)
        rows = sum(len(block.weight) for block in made._blocks(made._groups, (0, until - 1), until, draw))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows == copies * len(table)
    assert peaks[1] < 1.2 * peaks[0]
