import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, Ridge
from sklearn.neighbors import KNeighborsRegressor

from shelfcast.study.models import MODELS
from shelfcast.study.representation import Encoder, Inputs, one_hot
from study_builders import random_rows

SEED = (27, 0)


@pytest.fixture(scope="module")
def rows() -> tuple[Inputs, np.ndarray, Inputs]:
    train, asked = random_rows(300, seed=1), random_rows(80, seed=2)
    train["price"] += np.random.default_rng(3).random(300)
    asked["price"] += np.random.default_rng(4).random(80)
    encoder = Encoder.fit(train)
    return encoder.encode(train), train["units"].to_numpy(), encoder.encode(asked)


def test_the_models_are_those_of_the_study() -> None:
    wanted = {
        "random_forest": {"trees": 50},
        "knn": {"neighbours": 5},
        "linear": {},
        "ridge": {"alpha": 1.0},
        "lasso": {"alpha": 0.1},
        "elastic_net": {"alpha": 0.1, "l1_ratio": 0.5},
    }
    assert {name: dict(model.parameters) for name, model in MODELS.items()} == wanted


ORACLES = {
    "ridge": (Ridge(alpha=1.0, tol=1e-10), 1e-4),
    "lasso": (Lasso(alpha=0.1, tol=1e-10), 1e-3),
    "elastic_net": (ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-10), 1e-3),
    # prices are drawn at random: no two rows are equally near
    "knn": (KNeighborsRegressor(n_neighbors=5, algorithm="brute"), 1e-9),
}


@pytest.mark.parametrize("name", ORACLES)
def test_a_model_predicts_as_scikit_learn_does_on_the_dense_matrix(
    name: str, rows: tuple[Inputs, np.ndarray, Inputs]
) -> None:
    train, units, asked = rows
    oracle, tolerance = ORACLES[name]
    wanted = oracle.fit(one_hot(train).toarray(), units).predict(one_hot(asked).toarray())
    np.testing.assert_allclose(MODELS[name].predict(*rows, SEED), wanted, atol=tolerance)


def test_linear_is_the_least_squares_fit_however_many_coefficients_reach_it(
    rows: tuple[Inputs, np.ndarray, Inputs],
) -> None:
    train, units, asked = rows
    design = np.column_stack([one_hot(train).toarray(), np.ones(len(train))])
    coefficients, *_ = np.linalg.lstsq(design, units)
    wanted = np.column_stack([one_hot(asked).toarray(), np.ones(len(asked))]) @ coefficients
    np.testing.assert_allclose(MODELS["linear"].predict(*rows, SEED), wanted, atol=1e-4)
