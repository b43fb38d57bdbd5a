import numpy as np
import pytest

from mlp_builders import forecaster
from rings import Ring
from shelfcast.models.mlp.layers import LEAST_SHARE
from shelfcast.models.mlp.windows import BASES
from shelfcast.training.batch import Batch
from shelfcast.training.centres import begin_head, fit_weights
from shelfcast.training.communicator import Alone

TRUE = np.array([0.0, 0.5, 0.1, 0.0, 0.6, *[0.0] * (len(BASES) - 5)])


def rows(count: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simple forecasts, the demand that is their sum by TRUE, and weights."""
    draw = np.random.default_rng(seed)
    base = draw.gamma(4.0, 0.25, (count, len(TRUE)))
    return base, base @ TRUE, draw.uniform(0.5, 2.0, count)


@pytest.mark.parametrize("steps", [1, 20])
def test_the_weights_of_demand_that_is_a_weighted_sum_are_found(steps: int) -> None:
    np.testing.assert_allclose(fit_weights(*rows(300), Alone(), steps), TRUE, atol=1e-4)


def test_the_least_absolute_error_does_not_follow_a_few_odd_weeks_and_the_least_square_does() -> None:
    base, y, weight = rows(300)
    y[:15] += 20.0
    least, squared = (np.abs(fit_weights(base, y, weight, Alone(), steps) - TRUE).max() for steps in (20, 1))
    assert least < 0.02 < squared


def test_no_weight_is_negative() -> None:
    base, y, weight = rows(300)
    assert (fit_weights(base, y - 2.0 * base[:, 0], weight, Alone(), 20) >= 0).all()


def test_processes_with_any_shares_find_what_one_does() -> None:
    base, y, weight = rows(300)
    y[::7] += 1.0
    alone = fit_weights(base, y, weight, Alone(), 20)
    shares = [slice(0, 0), slice(0, 300)], [slice(0, 80), slice(80, 300)]
    for parts in shares:
        own = [(base[part], y[part], weight[part]) for part in parts]
        for found in Ring(2).run(lambda member, own=own: fit_weights(*own[member.rank], member, 20)):
            np.testing.assert_allclose(found, alone, atol=1e-8)


def test_a_head_begins_with_the_weighted_sum_whatever_the_hidden_values_say() -> None:
    head, draw = forecaster().network.get_layer("head"), np.random.default_rng(1)
    base, y, weight = rows(400)
    cells = (100, 4)
    y[::9] = np.nan
    inputs = {"hidden": draw.normal(size=(*cells, 8)), "base": base.reshape(*cells, len(BASES))}
    begin_head(head, [Batch(inputs, y.reshape(cells), weight[:100])], Alone())
    said = np.asarray(head([inputs["hidden"].astype(np.float32), inputs["base"].astype(np.float32)]))
    # What is learned from must weigh something: each forecast has its least share of the sum.
    shares = np.maximum(TRUE / TRUE.sum(), LEAST_SHARE)
    expected = base @ (TRUE.sum() * shares / shares.sum())
    for place in (1, -1):
        np.testing.assert_allclose(said[..., place], expected.reshape(cells), rtol=0.01)
    assert (np.diff(said[..., :4], axis=-1) > 0).all()
