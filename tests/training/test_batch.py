from itertools import chain

import numpy as np

from shelfcast.training.batch import Batch, stack_batches
from shelfcast.training.communicator import Alone
from shelfcast.training.memory import InMemory


def batch(*rows: int) -> Batch:
    values = np.array(rows, dtype=np.float32)
    return Batch({"x": values[:, None]}, values, values)


def test_batches_of_one_size_that_follow_one_another_are_stacked_up_to_the_most() -> None:
    found = list(stack_batches([batch(1, 2), batch(3, 4), batch(5, 6), batch(7), batch(8, 9)], most=2))
    wanted = [[[1, 2], [3, 4]], [[5, 6]], [[7]], [[8, 9]]]
    assert [stacked.weight.tolist() for stacked in found] == wanted
    assert [stacked.inputs["x"].shape for stacked in found] == [(2, 2, 1), (1, 2, 1), (1, 1, 1), (1, 2, 1)]


def in_memory(rank: int = 0, size: int = 1) -> InMemory:
    member = Alone()
    member.rank, member.size = rank, size
    return InMemory(batch(*range(10)), batch(90, 91, 92), 4, 3, member)


def test_an_epoch_is_every_example_once_in_an_order_of_its_own() -> None:
    first, again, second = ([b.y.tolist() for b in in_memory().training(epoch)] for epoch in (1, 1, 2))
    assert [len(rows) for rows in first] == [4, 4, 2]
    assert sorted(chain(*first)) == list(range(10))
    assert first == again != second


def test_processes_share_each_batch_of_one() -> None:
    whole = [sorted(b.y.tolist()) for b in in_memory().training(1)]
    parts = zip(*([b.y.tolist() for b in in_memory(rank, 3).training(1)] for rank in range(3)), strict=True)
    assert [sorted(chain(*part)) for part in parts] == whole


def test_processes_share_what_is_held_back() -> None:
    held = [[b.y.tolist() for b in in_memory(rank, 2).validation()] for rank in range(2)]
    assert held == [[[90, 92]], [[91]]]
