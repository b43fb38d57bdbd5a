import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shelfcast.availability.silence import find_gaps, log_chance_of_silence, probability_of_absence

days = st.floats(1, 90)


@given(days, days, st.floats(0, 60))
def test_the_chance_of_silence_is_that_of_a_beta_binomial(selling: float, silent: float, run: float) -> None:
    """Of r days drawn by a share that is itself drawn, none sells; 30 days count as such at most."""
    weight = min(1.0, 30 / (selling + silent + 1))
    a, b = (selling + 0.5) * weight, (silent + 0.5) * weight
    found = log_chance_of_silence(np.array([selling]), np.array([selling + silent]), np.array([float(round(run))]))
    np.testing.assert_allclose(np.exp(found[0]), stats.betabinom(round(run), a, b).pmf(0), rtol=1e-8)


@given(days, days, st.integers(1, 60))
def test_longer_silence_and_busier_series_make_an_absence_likelier(selling: float, silent: float, run: int) -> None:
    sells, known = np.array([selling, selling, selling + 1]), np.full(3, selling + silent + 1)
    chance = log_chance_of_silence(sells, known, np.array([run, run + 1, run], dtype=float))
    probability = probability_of_absence(chance, 0.02)
    assert probability[1] >= probability[0]
    assert probability[2] >= probability[0]


def test_gaps_lie_between_sales_and_after_the_last() -> None:
    sold = pd.DataFrame({"series": [1, 0, 0, 0], "day": [9, 5, 0, 1]})
    found = find_gaps(sold, 9)
    assert [*found.itertuples(index=False, name=None)] == [(0, 2, 4, False), (0, 6, 9, True)]
