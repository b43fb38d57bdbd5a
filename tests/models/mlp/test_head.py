import numpy as np
import pytest

from mlp_builders import forecaster, poisson_panel
from shelfcast.models.mlp.forecaster import Forecaster, dumps, encode, network_inputs, read_design
from shelfcast.models.mlp.head import count_weights, flatten, split
from shelfcast.models.mlp.windows import make_windows


def inputs_of(made: Forecaster) -> dict[str, np.ndarray]:
    panel = poisson_panel()
    windows = make_windows(panel, 30, made.design.horizon)
    return network_inputs(windows, encode(panel.ids.iloc[windows.series], made.words))


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_the_two_parts_say_together_what_the_network_says(kind: str) -> None:
    made = forecaster(kind=kind)
    parts, inputs = split(made), inputs_of(made)
    said = parts.say(parts.weights, parts.hidden(inputs), inputs["base"])
    np.testing.assert_allclose(said, np.asarray(made.network(inputs)), rtol=1e-5, atol=1e-6)


def test_another_head_says_something_else_and_leaves_the_network_as_it_is() -> None:
    made = forecaster()
    parts, inputs = split(made), inputs_of(made)
    before = np.asarray(made.network(inputs))
    said = parts.say([part + 0.5 for part in parts.weights], parts.hidden(inputs), inputs["base"])
    assert np.abs(said - before).min() > 0
    np.testing.assert_array_equal(np.asarray(made.network(inputs)), before)


@pytest.mark.parametrize("units", [3, 64])
def test_a_head_is_as_large_as_its_design_says_and_its_numbers_can_be_put_in_a_row(units: int) -> None:
    made = forecaster(units=units)
    parts = split(made)
    row = flatten(parts.weights)
    assert len(row) == count_weights(made.design) == count_weights(read_design(dumps(made)))
    again = parts.unflatten(row)
    assert all(np.array_equal(one, other) for one, other in zip(again, parts.weights, strict=True))
