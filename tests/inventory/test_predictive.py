import numpy as np
import pytest

from shelfcast.inventory.predictive import DISPERSIONS, Draws


def test_the_gammas_have_mean_one_and_the_variance_of_their_shape() -> None:
    gammas = Draws.make(4000, 3, 0.0, 7).gammas
    assert gammas.mean(axis=1) == pytest.approx(np.ones((len(DISPERSIONS), 3)), abs=0.05)
    shape = np.abs(DISPERSIONS - 1.0).argmin()
    assert gammas[shape].var(axis=0) * DISPERSIONS[shape] == pytest.approx(np.ones(3), rel=0.1)


@pytest.mark.parametrize("dependence", [0.0, 0.6])
def test_neighbouring_weeks_depend_on_one_another_as_they_are_told_to(dependence: float) -> None:
    gammas = Draws.make(4000, 2, dependence, 7).gammas[-1]
    # Of a large shape a gamma is nearly normal, and the scores' correlation is its own.
    assert np.corrcoef(gammas.T)[0, 1] == pytest.approx(dependence, abs=0.05)


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = (Draws.make(50, 2, 0.3, seed).gammas for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
