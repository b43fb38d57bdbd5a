import pickle

import numpy as np
import pandas as pd
import pytest

from shelfcast.events import CALENDAR_FEATURES
from shelfcast.features import NUMERIC_FEATURES
from shelfcast.models.encoder import DEVIATION_LIMIT, NEVER_SEEN, Encoder, fit_encoder


def examples(stores: str = "aab", items: str = "xyy", **columns: list[float]) -> pd.DataFrame:
    """Rows whose numeric features are 1, 2, 3 but for the given ones."""
    numeric = {name: np.arange(1.0, len(stores) + 1) for name in NUMERIC_FEATURES} | columns
    return pd.DataFrame({"store_id": list(stores), "item_id": list(items)} | numeric)


def test_words_are_coded_in_their_order_and_zero_is_the_never_seen() -> None:
    encoder = fit_encoder(examples("bab", "yxy"))
    assert encoder.vocabularies == {"store_id": ["a", "b"], "item_id": ["x", "y"]}
    assert encoder.codes(examples("acb", "yyz")).tolist() == [[1, 2], [NEVER_SEEN, 2], [2, NEVER_SEEN]]


def test_numbers_are_standardized_by_the_training_rows_and_the_unknown_is_their_mean() -> None:
    encoder = fit_encoder(examples(lag_1=[1.0, 3.0, 5.0]))
    scored = encoder.standardized(examples(lag_1=[3.0, np.nan, 3.0 + 4 * np.sqrt(8 / 3)]))
    column = list(encoder.numeric).index("lag_1")
    np.testing.assert_allclose(scored[:, column], [0.0, 0.0, 4.0])
    trained = encoder.standardized(examples(lag_1=[1.0, 3.0, 5.0]))
    np.testing.assert_allclose(
        (trained.mean(axis=0), trained.std(axis=0)), (np.zeros(trained.shape[1]), np.ones(trained.shape[1]))
    )


def test_a_number_far_off_is_cut_to_the_limit() -> None:
    encoder = fit_encoder(examples(lag_1=[1.0, 3.0, 5.0]))
    column = list(encoder.numeric).index("lag_1")
    assert encoder.standardized(examples(lag_1=[1e9, -1e9, 3.0]))[:, column].tolist() == [
        DEVIATION_LIMIT,
        -DEVIATION_LIMIT,
        0.0,
    ]


@pytest.mark.parametrize("constant", [0.0, 4.0])
def test_a_feature_that_never_changes_says_nothing(constant: float) -> None:
    encoder = fit_encoder(examples(lag_1=[constant] * 3))
    assert (encoder.standardized(examples(lag_1=[constant] * 3))[:, list(encoder.numeric).index("lag_1")] == 0).all()


def test_a_feature_that_no_training_row_knows_is_left_out() -> None:
    assert "mean_52" not in fit_encoder(examples(mean_52=[np.nan] * 3)).numeric


def test_the_calendar_is_not_read() -> None:
    assert not set(CALENDAR_FEATURES) & set(fit_encoder(examples()).numeric)


def test_a_planned_covariate_is_a_feature() -> None:
    assert "planned_promoted" in fit_encoder(examples(planned_promoted=[0.0, 1.0, 0.5])).numeric


def test_the_sparse_matrix_is_the_dense_one_hot_matrix_and_stays_sparse() -> None:
    rows = examples("acb", "yyz")
    encoder = fit_encoder(examples("bab", "yxy"))
    matrix = encoder.sparse_matrix(rows)
    one_hot = np.array([[0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1], [0, 0, 1, 1, 0, 0]])
    np.testing.assert_allclose(matrix.toarray(), np.hstack([encoder.standardized(rows), one_hot]))
    many = examples("a" * 500, "x" * 500).assign(item_id=[f"i{n}" for n in range(500)])
    assert fit_encoder(many).sparse_matrix(many).nnz <= 500 * (len(NUMERIC_FEATURES) + 2)


def test_trees_read_raw_numbers_with_their_gaps_and_codes() -> None:
    encoder = fit_encoder(examples())
    matrix = encoder.tree_matrix(examples("bza", lag_1=[np.nan, 7.0, 8.0]))
    column = list(encoder.numeric).index("lag_1")
    np.testing.assert_array_equal(matrix[:, column], [np.nan, 7.0, 8.0])
    assert matrix[:, -2].tolist() == [2, NEVER_SEEN, 1]


def test_an_encoder_comes_back_from_a_file_as_it_was() -> None:
    encoder = fit_encoder(examples())
    again: Encoder = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(again.tree_matrix(examples("zab")), encoder.tree_matrix(examples("zab")))
