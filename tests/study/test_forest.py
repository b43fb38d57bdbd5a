import numpy as np
import pytest

from shelfcast.study.forest import grow, predict_forest
from shelfcast.study.representation import Encoder, Inputs, order_by_mean
from study_builders import random_rows

SEED = (27, 0)


@pytest.fixture
def rows() -> tuple[Inputs, np.ndarray, Inputs]:
    """Training rows whose units hang on product and store, their units, and rows to predict (one product not seen)."""
    train, asked = random_rows(400, seed=1), random_rows(60, seed=2, products=7)
    encoder = Encoder.fit(train)
    units = 3.0 * train["product_id"].astype(int).to_numpy() + train["store_id"].astype(int).to_numpy()
    return encoder.encode(train), units, encoder.encode(asked)


def test_the_same_seed_grows_the_same_forest(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    first, second = predict_forest(*rows, trees=3, seed=SEED), predict_forest(*rows, trees=3, seed=SEED)
    np.testing.assert_array_equal(first, second)


def test_trees_and_parts_differ_by_their_seed(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    train, _, asked = rows
    noise = np.random.default_rng(5).random(len(train))
    one, other, both = (
        predict_forest(train, noise, asked, trees, seed) for trees, seed in ((1, SEED), (1, (27, 1)), (2, SEED))
    )
    assert (one != other).any()
    assert (one != both).any()


def test_a_forest_is_the_mean_of_its_trees(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    train, units, asked = rows
    trees = [grow(train, units, np.random.default_rng((*SEED, tree))).predict(asked) for tree in range(3)]
    np.testing.assert_allclose(predict_forest(*rows, trees=3, seed=SEED), np.mean(trees, axis=0))


def test_what_hangs_on_the_categories_is_learned(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    _, _, asked = rows
    known = (asked.codes >= 0).all(axis=1)
    wanted = 3.0 * asked.codes[:, 0] + asked.codes[:, 1]
    np.testing.assert_allclose(predict_forest(*rows, trees=20, seed=SEED)[known], wanted[known], atol=0.5)


def test_no_prediction_leaves_the_range_of_what_was_seen(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    _, units, _ = rows
    predicted = predict_forest(*rows, trees=3, seed=SEED)
    assert units.min() <= predicted.min() <= predicted.max() <= units.max()


def test_a_tree_takes_its_order_from_the_rows_that_it_does_not_grow_on(rows: tuple[Inputs, np.ndarray, Inputs]) -> None:
    train, units, _ = rows
    drawn = np.random.default_rng(SEED).integers(len(train), size=len(train))
    left_out = np.ones(len(train))
    left_out[drawn] = 0
    tree = grow(train, units, np.random.default_rng(SEED))
    for column, size in enumerate(train.sizes):
        np.testing.assert_array_equal(tree.places[column], order_by_mean(train.codes[:, column], size, units, left_out))
