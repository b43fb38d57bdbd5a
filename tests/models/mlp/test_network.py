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
