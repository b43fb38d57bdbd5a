"""A random forest of full-grown regression trees on ordered categories, in place of one on the one-hot matrix.

A tree that splits one of 3,600 indicators at a time needs minutes, and a depth of hundreds. Here a category is a place
in the order of the categories' mean units. A threshold on the places parts the categories in two groups, not
just one from the rest. The order of a tree is learned from the rows that its bootstrap left out: learned from the rows
that it grows on, it would rank a rare product by the very units that it is to explain.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from shelfcast.panel import FloatArray
from shelfcast.study.representation import Inputs, order_by_mean


@dataclass(frozen=True)
class OrderedTree:
    """A grown tree, and the place of each category in each column's order."""

    tree: DecisionTreeRegressor
    places: tuple[NDArray[np.int32], ...]

    def predict(self, inputs: Inputs) -> FloatArray:
        predicted: FloatArray = self.tree.predict(_as_places(inputs, self.places))
        return predicted


def grow(train: Inputs, y: FloatArray, rng: np.random.Generator) -> OrderedTree:
    """One tree on a bootstrap of the training rows (Breiman 2001), all columns open to each split."""
    drawn = np.bincount(rng.integers(len(train), size=len(train)), minlength=len(train)).astype(float)
    left_out = (drawn == 0).astype(float)
    places = tuple(order_by_mean(train.codes[:, column], size, y, left_out) for column, size in enumerate(train.sizes))
    tree = DecisionTreeRegressor(random_state=int(rng.integers(2**31)))
    return OrderedTree(tree.fit(_as_places(train, places), y, sample_weight=drawn), places)


def predict_forest(train: Inputs, y: FloatArray, queries: Inputs, trees: int, seed: tuple[int, ...]) -> FloatArray:
    """The mean prediction of `trees` trees, each forgotten once it has spoken: fifty of them would take a gigabyte."""
    total = np.zeros(len(queries))
    for tree in range(trees):
        total += grow(train, y, np.random.default_rng((*seed, tree))).predict(queries)
    return total / trees


def _as_places(inputs: Inputs, places: tuple[NDArray[np.int32], ...]) -> NDArray[np.float32]:
    """Code -1, a category not seen, takes the last place of its column's array."""
    columns = [place[inputs.codes[:, column]] for column, place in enumerate(places)]
    return np.column_stack([*columns, inputs.numbers]).astype(np.float32)
