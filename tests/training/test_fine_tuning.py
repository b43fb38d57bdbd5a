from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from mlp_builders import design, forecaster
from panel_builders import axis, poisson_series, windows_of
from shelfcast.models.mlp.forecaster import Forecaster
from shelfcast.models.mlp.head import Parts, flatten, split
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.training.batch import Batch
from shelfcast.training.communicator import Alone
from shelfcast.training.fine_tuning import HeadTrainer, activate, read_windows
from shelfcast.training.loop import Recipe, train
from shelfcast.training.memory import InMemory

AXIS = axis(weeks=24)
KNOWN = 20
RECIPE = Recipe("adam", epochs=4, learning_rate=0.01, warmup=0.0, weight_decay=0.0, patience=1, seed=3)
WORDS = {"store_id": ["s1"], "item_id": ["p3", "p0"], "category_id": ["c1"]}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """The windows of a store's four series, from origins 10 to 19."""
    return windows_of(poisson_series(4, weeks=24), AXIS, range(10, KNOWN))


def base() -> Forecaster:
    made = forecaster(horizon=2, sizes=(2, 3, 2))
    return Forecaster(design(horizon=2, sizes=(2, 3, 2)), made.network, WORDS, non_negative=True, country="US")


def windows_for(parts: Parts, rows: pd.DataFrame, known: int = KNOWN) -> Batch:
    return activate(read_windows(rows, parts.forecaster, known), parts)


def test_a_head_equals_that_of_the_whole_network_trained_with_its_first_layers_frozen(rows: pd.DataFrame) -> None:
    slow = base()
    for layer in slow.network.layers:
        layer.trainable = layer.name == "head"
    whole = read_windows(rows, slow, KNOWN)
    whole = whole._replace(weight=whole.weight / whole.weight.mean())
    train(slow.network, loss_sums, InMemory(whole, None, 16, RECIPE.seed, Alone()), RECIPE, Alone())
    parts = split(base())
    quick = HeadTrainer(parts, RECIPE, 16).fit(windows_for(parts, rows))
    assert np.abs(quick - flatten(parts.weights)).max() > 0.02
    np.testing.assert_allclose(quick, flatten(slow.network.get_layer("head").get_weights()), rtol=0, atol=1e-4)


def test_no_weight_of_the_network_changes(rows: pd.DataFrame) -> None:
    made = base()
    before = [np.array(weight) for weight in made.network.get_weights()]
    parts = split(made)
    HeadTrainer(parts, RECIPE, 16).fit(windows_for(parts, rows))
    assert all(map(np.array_equal, made.network.get_weights(), before))
    assert all(map(np.array_equal, parts.trunk.get_weights(), split(base()).trunk.get_weights()))


def test_a_head_depends_on_no_store_before_it(rows: pd.DataFrame) -> None:
    parts = split(base())
    first, second = (windows_for(parts, rows[rows["item_id"].isin(items)]) for items in (["p0"], ["p1", "p3"]))
    trainer = HeadTrainer(parts, RECIPE, 16)
    trainer.fit(first)
    np.testing.assert_array_equal(trainer.fit(second), HeadTrainer(split(base()), RECIPE, 16).fit(second))


def test_a_head_learns_nothing_of_the_weeks_after_the_cutoff(rows: pd.DataFrame) -> None:
    parts = split(base())
    late = rows["origin"] + 1 == KNOWN
    assert late.any()
    changed = [np.array([y[0], 99.0], np.float32) if beyond else y for y, beyond in zip(rows["y"], late, strict=True)]
    heads = [HeadTrainer(parts, RECIPE, 16).fit(windows_for(parts, frame)) for frame in (rows, rows.assign(y=changed))]
    np.testing.assert_array_equal(*heads)
    known = HeadTrainer(parts, RECIPE, 16).fit(windows_for(parts, rows.assign(y=changed), KNOWN + 1))
    assert np.abs(known - heads[0]).max() > 0


def test_a_head_has_less_loss_on_what_it_has_learned_from(rows: pd.DataFrame) -> None:
    parts = split(base())
    windows = windows_for(parts, rows)
    head = HeadTrainer(parts, replace(RECIPE, epochs=20), 16).fit(windows)
    losses = []
    for weights in (parts.weights, parts.unflatten(head)):
        said = parts.say(weights, windows.inputs["hidden"], windows.inputs["base"])
        losses.append(float(keras.ops.convert_to_numpy(loss_sums(windows.y, said, windows.weight)[0])))
    assert losses[1] < 0.95 * losses[0]
