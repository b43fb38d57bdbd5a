import math
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from regression_task import RECIPE, SIZES, Task, fit, rows, with_dropout
from rings import Ring
from shelfcast.errors import ShelfcastError
from shelfcast.models.mlp.seed import make_seed_network, squared_error_sums
from shelfcast.training.batch import Batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe, State, Trainer, train


class Memory:
    """A store that loses what is written after `until` epochs, as a process killed then would."""

    def __init__(self, until: int = 99) -> None:
        self.until, self.states = until, []

    def read(self) -> State | None:
        return self.states[-1] if self.states else None

    def write(self, state: State) -> None:
        if len(self.states) == self.until:
            raise KeyboardInterrupt
        self.states.append([array.copy() for array in state])


def assert_equal(found, wanted, atol: float = 0.0) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.8), (1.0, 0.0), (0.9, 0.05, 0.05)])
def test_processes_with_any_shares_learn_what_one_learns_from_the_whole_batches(shares) -> None:
    alone, _ = fit(Alone())
    for weights, _ in Ring(len(shares)).run(lambda member: fit(member, shares=shares)):
        assert_equal(weights, alone, atol=1e-5)


def test_adam_comes_to_the_same_losses_in_two_processes_as_in_one() -> None:
    recipe = replace(RECIPE, optimizer="adam", learning_rate=0.01)
    _, alone = fit(Alone(), recipe, held=30)
    for _, history in Ring(2).run(lambda member: fit(member, recipe, shares=(0.3, 0.7), held=30)):
        assert_equal(history, alone, atol=1e-4)


def test_a_step_follows_the_gradient_of_the_mean_loss() -> None:
    """One step of SGD against the gradient by central differences."""
    network, batch, recipe = make_seed_network(SIZES, 2, seed=1), rows(16), replace(RECIPE, epochs=1)
    before = network.get_weights()

    def loss_at(shift: float) -> float:
        moved = [weight.copy() for weight in before]
        moved[-1] += shift
        network.set_weights(moved)
        loss, count = squared_error_sums(batch.y, network(batch.inputs), batch.weight)
        return float(loss / count)

    gradient = (loss_at(0.01) - loss_at(-0.01)) / 0.02
    network.set_weights(before)
    train(network, squared_error_sums, Task(16, 0, [1.0]), recipe, Alone())
    assert network.get_weights()[-1][0] == pytest.approx(-recipe.learning_rate * gradient, rel=1e-3)


def test_the_loss_falls_and_is_the_mean_of_all_processes() -> None:
    _, history = fit(Alone(), held=30)
    assert history[-1].loss < history[0].loss
    assert history[-1].validation < history[0].validation


def test_training_stops_when_validation_has_not_improved_for_so_long_and_ends_with_the_best_weights() -> None:
    class Drifting(Task):
        """What is held back moves away with each epoch."""

        shift = 0.0

        def validation(self) -> Iterable[Batch]:
            self.shift += 10.0
            return [batch._replace(y=batch.y + self.shift) for batch in super().validation()]

    network, memory, recipe = make_seed_network(SIZES, 2, seed=1), Memory(), replace(RECIPE, patience=2)
    history = train(network, squared_error_sums, Drifting(150, 0, [1.0], 30), recipe, Alone(), memory)
    losses = [epoch.validation for epoch in history]
    assert (len(history), int(np.argmin(losses))) == (3, 0)
    best = network.get_weights()
    assert_equal(best, memory.states[0][2 : 2 + len(best)])
    assert not np.array_equal(memory.states[2][2], memory.states[0][2])


def test_an_interrupted_training_ends_as_an_undisturbed_one() -> None:
    recipe = replace(RECIPE, optimizer="adam", warmup=1.5)
    undisturbed = fit(Alone(), recipe, held=30)
    memory = Memory(until=2)
    with pytest.raises(KeyboardInterrupt):
        fit(Alone(), recipe, held=30, store=memory)
    memory.until = 99
    weights, history = fit(Alone(), recipe, held=30, store=memory)
    assert history == undisturbed[1]
    assert_equal(weights, undisturbed[0])


def test_a_training_that_was_over_is_not_done_again() -> None:
    memory = Memory()
    done = fit(Alone(), store=memory)
    memory.until = len(memory.states)
    again = fit(Alone(), store=memory)
    assert_equal(again[0], done[0])


def test_all_processes_go_on_from_the_state_of_the_first() -> None:
    memory = Memory()
    fit(Alone(), replace(RECIPE, epochs=5), store=memory)
    memory.states = memory.states[:2]
    whole, _ = fit(Alone())
    for weights, _ in Ring(2).run(lambda member: fit(member, store=memory if member.rank == 0 else None)):
        assert_equal(weights, whole, atol=1e-5)


def test_dropout_draws_from_seed_process_and_epoch() -> None:
    network = with_dropout()
    drawn = []
    for rank, epoch in ((0, 1), (0, 1), (0, 2), (1, 1)):
        member = Alone()
        member.rank = rank
        trainer = Trainer(network, squared_error_sums, Task(32, 0, [1.0]), RECIPE, member)
        trainer._sow(epoch)
        drawn.append(np.asarray(network(rows(16).inputs, training=True)))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[3])


@pytest.mark.parametrize(
    ("epochs", "processes", "rate"),
    [(0, 4, 0.1), (1, 4, 0.25), (2, 4, 0.4), (6, 4, 0.2), (10, 4, 0.0), (2, 1, 0.1), (6, 1, 0.05)],
)
def test_the_learning_rate_warms_up_to_that_of_all_processes_and_falls_along_a_cosine(epochs, processes, rate) -> None:
    recipe = Recipe("adam", epochs=10, learning_rate=0.1, warmup=2.0, weight_decay=0.0, patience=1, seed=1)
    assert recipe.rate(epochs, processes) == pytest.approx(rate)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    with pytest.raises(ShelfcastError, match=r"the loss of epoch \d is (nan|inf); wanted a number"):
        fit(Alone(), replace(RECIPE, learning_rate=1e6))


def test_a_validation_loss_that_is_no_number_ends_the_training_and_is_not_the_best() -> None:
    class Failing(Task):
        """What is held back is no number from the second epoch on."""

        shift = -math.inf

        def validation(self) -> Iterable[Batch]:
            self.shift = 0.0 if self.shift < 0 else math.nan
            return [batch._replace(y=batch.y + self.shift) for batch in super().validation()]

    network = make_seed_network(SIZES, 2, seed=1)
    with pytest.raises(ShelfcastError, match="the validation loss of epoch 2 is nan; wanted a number"):
        train(network, squared_error_sums, Failing(150, 0, [1.0], 30), RECIPE, Alone())


def test_progress_tells_epoch_loss_speed_and_time_left() -> None:
    said: list[str] = []
    train(make_seed_network(SIZES, 2, 1), squared_error_sums, Task(40, 0, [1.0], 10), RECIPE, Alone(), say=said.append)
    wanted = r"epoch 2 of 5: loss \d\.\d{5}, validation \d\.\d{5}, [\d,]+ examples/s, at most \d+ min \d+ s left"
    assert re.fullmatch(wanted, said[1])


def test_without_anything_held_back_the_last_epoch_is_the_one() -> None:
    weights, history = fit(Alone(), store=(memory := Memory()))
    assert math.isnan(history[-1].validation)
    assert_equal(weights, memory.states[-1][2 : 2 + len(weights)])


def test_a_batch_without_rows_teaches_nothing() -> None:
    network, task = make_seed_network(SIZES, 2, 1), Task(32, 0, [1.0])
    trainer = Trainer(network, squared_error_sums, task, RECIPE, Alone())
    assert isinstance(task.empty, Batch)
    before = network.get_weights()
    assert trainer._step(task.empty, 0.1) == (0.0, 0.0, 0)
    assert_equal(network.get_weights(), before)
