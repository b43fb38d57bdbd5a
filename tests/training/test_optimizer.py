import keras
import numpy as np
import pytest

from shelfcast.training.optimizer import make_optimizer


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_the_fused_adam_comes_to_the_weights_of_keras_s_own(weight_decay: float) -> None:
    draw, ended = np.random.default_rng(1), []
    start, gradients = draw.normal(size=(5, 3)), draw.normal(size=(20, 5, 3))
    ours, theirs = make_optimizer("adam", 0.05, weight_decay), keras.optimizers.AdamW(0.05, weight_decay=weight_decay)
    for optimizer in (ours, theirs):
        variable = keras.Variable(start, dtype="float32")
        for gradient in gradients:
            optimizer.apply([keras.ops.cast(gradient, "float32")], [variable])
        ended.append(variable.numpy())
    np.testing.assert_allclose(ended[0], ended[1], rtol=0, atol=2e-5)
    assert np.abs(ended[0] - start).max() > 0.1


def test_sgd_goes_straight_down_the_gradient() -> None:
    variable = keras.Variable(np.ones(2), dtype="float32")
    make_optimizer("sgd", 0.5, 0.0).apply([keras.ops.ones(2)], [variable])
    np.testing.assert_allclose(variable.numpy(), [0.5, 0.5])
