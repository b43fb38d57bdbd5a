"""What lies beyond a stock that ran out, against sums over the distribution itself."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from shelfcast.availability.sizes import beyond, fit_sizes


@pytest.mark.parametrize(
    ("sold", "mean", "dispersion"), [(1, 2.0, 3.0), (4, 2.0, 0.3), (12, 5.0, 0.45), (3, 0.1, 10.0)]
)
def test_beyond_is_the_mean_of_the_distributions_tail(sold: int, mean: float, dispersion: float) -> None:
    units = np.arange(sold, 4000)
    chances = stats.nbinom(dispersion, dispersion / (dispersion + mean)).pmf(units)
    found = beyond(np.array([float(sold)]), np.array([mean]), dispersion)
    assert found.units[0] == pytest.approx(((units - sold) * chances).sum() / chances.sum(), rel=1e-6)
    assert found.chance[0] == pytest.approx(chances[1:].sum() / chances.sum(), rel=1e-6)


def test_a_tail_beyond_all_that_is_known_goes_on_as_it_must() -> None:
    found = beyond(np.array([1e6]), np.array([2.0]), 2.0)
    assert (found.units[0], found.chance[0]) == (pytest.approx(1.0), pytest.approx(0.5))


def test_days_that_were_cut_off_are_not_taken_for_small_ones() -> None:
    """Sizes of k = 0.5 and m = 4, cut off at a stock of 1 to 12: what was cut off comes back within a tenth."""
    draw = np.random.default_rng(5)
    wanted = draw.negative_binomial(0.5, 0.5 / 4.5, 20_000)
    wanted = wanted[wanted > 0]
    stock = draw.integers(1, 13, len(wanted))
    sold = np.minimum(wanted, stock).astype(float)
    days = pd.DataFrame({"series": np.arange(len(sold)) % 4, "day": np.arange(len(sold)), "units": sold, "rate": 1.0})
    ran_out = days[wanted >= stock].assign(weight=1.0)
    lost = fit_sizes(days, ran_out, np.zeros(4, dtype=np.int64)).lost["units"].sum()
    assert lost == pytest.approx((wanted - sold).sum(), rel=0.1)
