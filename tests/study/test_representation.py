from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from shelfcast.study.representation import CATEGORIES, UNSEEN, Encoder, one_hot, order_by_mean
from study_builders import random_rows, row

CATEGORY_AND_UNITS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=2, max_size=40)


def squared_error(units: np.ndarray) -> float:
    return float(((units - units.mean()) ** 2).sum()) if len(units) else 0.0


def test_categories_are_numbered_by_name_and_new_ones_are_unseen() -> None:
    encoder = Encoder.fit(pd.DataFrame([row(product_id="b"), row(product_id="a")]))
    asked = pd.DataFrame([row(product_id="a"), row(product_id="b"), row(product_id="c")])
    assert encoder.encode(asked).codes[:, 0].tolist() == [0, 1, UNSEEN]


def test_a_category_that_is_not_stated_is_one_of_its_own() -> None:
    encoder = Encoder.fit(pd.DataFrame([row(classification=None), row(classification="DELI")]))
    assert encoder.encode(pd.DataFrame([row(classification=None)])).codes[0, 2] == 0


def test_numbers_are_standardized_by_the_training_rows_and_missing_ones_are_their_mean() -> None:
    encoder = Encoder.fit(pd.DataFrame([row(size=1.0), row(size=3.0), row(size=None)]))
    asked = pd.DataFrame([row(size=4.0), row(size=None)])
    assert encoder.encode(asked).numbers[:, 0].tolist() == [2.0, 0.0]


def test_a_number_that_never_varies_tells_nothing() -> None:
    encoder = Encoder.fit(pd.DataFrame([row(), row()]))
    assert encoder.encode(pd.DataFrame([row()])).numbers.tolist() == [[0.0, 0.0]]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_one_hot_is_that_of_scikit_learn(seed: int) -> None:
    train, asked = random_rows(30, seed), random_rows(10, seed + 1, products=8)
    oracle = ColumnTransformer(
        [
            ("hot", OneHotEncoder(handle_unknown="ignore"), [*CATEGORIES]),
            ("scaled", StandardScaler(), ["size", "price", "purchase_price"]),
        ],
        sparse_threshold=0,
    ).fit(train)
    encoded = one_hot(Encoder.fit(train).encode(asked)).toarray()
    np.testing.assert_allclose(encoded, np.nan_to_num(oracle.transform(asked)), atol=1e-12)


@settings(deadline=None)
@given(CATEGORY_AND_UNITS)
def test_no_way_to_part_the_categories_beats_the_best_cut_of_their_order(pairs: list[tuple[int, int]]) -> None:
    codes, units = np.array(pairs).T
    places = order_by_mean(codes, 6, units.astype(float), np.ones(len(codes)))[codes]
    errors = [squared_error(units[places <= cut]) + squared_error(units[places > cut]) for cut in range(7)]
    groups = [group for size in range(7) for group in combinations(range(6), size)]
    inside = [np.isin(codes, group) for group in groups]
    assert min(errors) == pytest.approx(min(squared_error(units[i]) + squared_error(units[~i]) for i in inside))


@settings(deadline=None, max_examples=50)
@given(CATEGORY_AND_UNITS)
def test_of_three_categories_the_first_split_is_that_of_the_one_hot_tree(pairs: list[tuple[int, int]]) -> None:
    codes, units = np.array(pairs).T
    codes = codes % 3
    places = order_by_mean(codes, 3, units.astype(float), np.ones(len(codes)))
    ordered = DecisionTreeRegressor(max_depth=1, random_state=0).fit(places[codes][:, None], units)
    hot = DecisionTreeRegressor(max_depth=1, random_state=0).fit(np.eye(3)[codes], units)
    left = ordered.predict(places[codes][:, None])
    assert squared_error_of(units, left) == pytest.approx(squared_error_of(units, hot.predict(np.eye(3)[codes])))


def squared_error_of(units: np.ndarray, predicted: np.ndarray) -> float:
    return float(((units - predicted) ** 2).sum())


def test_the_order_rests_on_rows_with_weight_and_puts_what_has_none_at_the_mean() -> None:
    codes, units = np.array([0, 1, 2, 3]), np.array([9.0, 1.0, 5.0, 100.0])
    places = order_by_mean(codes, 4, units, np.array([1.0, 1.0, 1.0, 0.0]))
    # the overall mean is 5: category 2 is there, and so are 3 without weight and the one not seen
    assert places.tolist() == [4, 0, 1, 2, 3]
