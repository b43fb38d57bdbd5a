import numpy as np
import pytest

from mlp_builders import design, poisson_panel
from shelfcast.models.mlp.forecaster import network_inputs
from shelfcast.models.mlp.loss import MEAN_LIMIT, MEAN_WEIGHT, loss_sums
from shelfcast.models.mlp.network import QUANTILES, make_network
from shelfcast.models.mlp.windows import AHEAD, make_windows


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_both_kinds_read_the_same_windows_and_say_the_same_things(kind: str) -> None:
    inputs = network_inputs(make_windows(poisson_panel(), 20, 4), np.zeros((6, 2), dtype="int32"))
    assert make_network(design(kind=kind), seed=1)(inputs).shape == (6, 4, len(QUANTILES) + 1)


def test_the_same_seed_makes_the_same_network() -> None:
    one, other = (make_network(design(), seed=3).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_without_the_calendar_what_the_target_week_is_called_says_nothing() -> None:
    inputs = network_inputs(make_windows(poisson_panel(), 20, 4), np.zeros((6, 2), dtype="int32"))
    moved = inputs | {"ahead": inputs["ahead"] + (np.array(AHEAD) == "weeks_to_easter").astype("float32")}
    for calendar in (True, False):
        network = make_network(design(calendar=calendar), seed=1)
        network.set_weights([np.full(weight.shape, 0.1) for weight in network.get_weights()])
        same = np.allclose(network(inputs), network(moved))
        assert same is not calendar


def test_identities_have_embeddings_of_their_own_sizes_that_say_nothing_at_first() -> None:
    network = make_network(design(sizes=(3, 4), embeddings=(2, 5)), seed=3)
    shapes = {layer.name: [tuple(weight.shape) for weight in layer.weights] for layer in network.layers}
    assert (shapes["identity_0"], shapes["identity_0_units"]) == ([(3, 2)], [(2, 8)])
    assert (shapes["identity_1"], shapes["identity_1_units"]) == ([(4, 5)], [(5, 8)])
    assert not any(np.any(network.get_layer(f"identity_{place}").get_weights()) for place in (0, 1))


def test_an_embedding_without_a_size_is_as_wide_as_a_layer() -> None:
    both, one = (make_network(design(embeddings=sizes), seed=3) for sizes in ((0, 0), (0, 2)))
    assert both.get_layer("identity").kernel.shape == (7, 8)
    assert one.get_layer("identity_0").kernel.shape == (3, 8)
    assert [layer.name for layer in one.layers if layer.name.endswith("_units")] == ["identity_1_units"]


def test_embeddings_with_the_layers_behind_them_are_one_row_for_each_word() -> None:
    factored, plain = make_network(design(embeddings=(2, 5)), seed=3), make_network(design(), seed=3)
    draw = np.random.default_rng(1)
    for weight in factored.weights:
        weight.assign(draw.normal(0, 0.3, weight.shape))
    for layer in plain.layers:
        if layer.name != "identity" and layer.weights:
            layer.set_weights(factored.get_layer(layer.name).get_weights())
    rows = [
        factored.get_layer(f"identity_{place}").kernel.numpy()
        @ factored.get_layer(f"identity_{place}_units").kernel.numpy()
        for place in (0, 1)
    ]
    plain.get_layer("identity").kernel.assign(np.concatenate(rows))
    codes = np.array([[store, item] for store in range(3) for item in (1, 3)], dtype="int32")
    inputs = network_inputs(make_windows(poisson_panel(), 20, 4), codes)
    np.testing.assert_allclose(factored(inputs), plain(inputs), rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_pinball_loss_of_each_quantile_and_the_square_of_the_mean() -> None:
    y = np.array([[2.0, np.nan]], dtype="float32")
    said = np.zeros((1, 2, len(QUANTILES) + 1), dtype="float32")
    loss, count = loss_sums(y, said, np.array([3.0], dtype="float32"))
    pinball = sum(2 * nominal * 2.0 for nominal in QUANTILES)
    assert float(loss) == pytest.approx(3 * (pinball + MEAN_WEIGHT * 4), rel=1e-6)
    assert float(count) == 1


def test_beyond_the_limit_the_loss_of_the_mean_is_linear() -> None:
    y = np.array([[0.0, 0.0]], dtype="float32")
    said = np.zeros((1, 2, len(QUANTILES) + 1), dtype="float32")
    losses = []
    for error in (MEAN_LIMIT, MEAN_LIMIT + 1, MEAN_LIMIT + 2):
        said[..., -1] = error
        losses.append(float(loss_sums(y, said, np.ones(1, dtype="float32"))[0]))
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0]) == pytest.approx(4 * MEAN_WEIGHT * MEAN_LIMIT)
