import keras
import numpy as np
import pytest

from shelfcast.models.mlp.layers import EmbeddingSum, ForecastHead
from shelfcast.models.mlp.seed import make_seed_network, squared_error_sums

SIZES = (3, 5, 2)
CODES = np.array([[0, 0, 0], [2, 4, 1], [1, 4, 0], [1, 0, 1]], dtype="int32")


def one_hot(codes: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(size, dtype="float32")[column] for size, column in zip(SIZES, codes.T, strict=True)])


def test_an_embedding_sum_is_a_dense_layer_on_one_hot_columns() -> None:
    layer, dense = EmbeddingSum(SIZES, 4), keras.layers.Dense(4, use_bias=False)
    said = layer(CODES)
    dense.build((None, sum(SIZES)))
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(said, dense(one_hot(CODES)), rtol=0, atol=1e-6)


def test_the_seed_network_is_the_dense_one_on_one_hot_columns() -> None:
    network, numbers = make_seed_network(SIZES, 2, seed=1), np.ones((4, 2), dtype="float32")
    table, kernel, bias, *rest = network.get_weights()
    dense = keras.Sequential([keras.layers.Dense(50, "elu"), keras.layers.Dense(100, "elu"), keras.layers.Dense(1)])
    dense.build((None, sum(SIZES) + 2))
    dense.set_weights([np.vstack([table, kernel]), bias, *rest])
    wanted = dense(np.hstack([one_hot(CODES), numbers]))
    np.testing.assert_allclose(network({"codes": CODES, "numbers": numbers}), wanted, rtol=0, atol=1e-5)


def test_squared_errors_are_weighed_and_summed() -> None:
    y, said, weight = np.array([[1.0], [5.0]]), np.array([[3.0], [5.5]]), np.array([1.0, 2.0])
    loss, count = squared_error_sums(*(array.astype("float32") for array in (y, said, weight)))
    assert (float(loss), float(count)) == (4.5, 3.0)


@pytest.mark.parametrize("scale", [0.1, 1.0, 100.0])
def test_quantiles_never_cross_whatever_the_weights(scale: float) -> None:
    draw = np.random.default_rng(2)
    head = ForecastHead(quantiles=5, middle=2)
    hidden, base = (draw.normal(0, scale, (50, 3, width)).astype("float32") for width in (6, 2))
    head.build([hidden.shape, base.shape])
    head.set_weights([draw.normal(0, scale, weight.shape) for weight in head.get_weights()])
    said = keras.ops.convert_to_numpy(head([hidden, base]))
    assert said.shape == (50, 3, 6)
    assert (np.diff(said[..., :5]) >= 0).all()


def test_a_head_that_has_learned_nothing_averages_the_simple_forecasts() -> None:
    head = ForecastHead(quantiles=3, middle=1)
    base = np.array([[[1.0, 3.0]]], dtype="float32")
    said = keras.ops.convert_to_numpy(head([np.ones((1, 1, 4), dtype="float32"), base]))
    np.testing.assert_allclose(said, [[[2 - np.log(2), 2, 2 + np.log(2), 2]]], rtol=1e-6)
