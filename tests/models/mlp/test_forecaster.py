import json
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Any

import keras
import numpy as np
import pytest

from mlp_builders import forecaster, poisson_panel
from shelfcast.errors import ArtefactError
from shelfcast.models.mlp.forecaster import dumps, loads


@pytest.mark.parametrize("changes", [{"kind": "mlp"}, {"kind": "lstm"}, {"embeddings": (2, 0)}])
def test_a_forecaster_read_back_says_the_same(changes: dict[str, object]) -> None:
    made, panel = forecaster(**changes), poisson_panel()
    np.testing.assert_allclose(loads(dumps(made)).predict(panel, 30), made.predict(panel, 30), rtol=0, atol=1e-6)


def test_no_code_is_kept_with_a_forecaster() -> None:
    with zipfile.ZipFile(BytesIO(dumps(forecaster()))) as archive:
        network = zipfile.ZipFile(BytesIO(archive.read("network.keras")))
    assert sorted(network.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
    assert b"__lambda__" not in network.read("config.json")


def packed_as(config: dict[str, Any]) -> bytes:
    """A forecaster's file with another network's description in it."""
    made, network = BytesIO(), BytesIO()
    with zipfile.ZipFile(BytesIO(dumps(forecaster()))) as archive:
        inner = zipfile.ZipFile(BytesIO(archive.read("network.keras")))
        with zipfile.ZipFile(network, "w") as written:
            for name in inner.namelist():
                written.writestr(name, json.dumps(config) if name == "config.json" else inner.read(name))
        with zipfile.ZipFile(made, "w") as written:
            written.writestr("network.keras", network.getvalue())
            written.writestr("forecaster.json", archive.read("forecaster.json"))
    return made.getvalue()


def test_a_network_with_a_lambda_in_it_is_refused_by_the_name_of_its_file_and_not_run() -> None:
    run = []
    network = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda values: run.append(1) or values)])
    run.clear()
    packed = packed_as(keras.saving.serialize_keras_object(network))
    with pytest.raises(ArtefactError, match=r"^models/mlp.zip: Keras's safe mode says: .*Lambda.*; wanted a network"):
        loads(packed, "models/mlp.zip")
    assert not run


@pytest.mark.parametrize(("module", "name"), [("subprocess", "Popen"), ("builtins", "exec"), ("keras", "Lambda")])
def test_a_network_that_names_another_packages_code_is_refused(module: str, name: str) -> None:
    function = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}
    config = {"module": module, "class_name": name, "config": {"function": function}, "registered_name": None}
    with pytest.raises(ArtefactError, match=name):
        loads(packed_as(config))


def test_forecasts_are_in_units_never_negative_and_in_order() -> None:
    panel = poisson_panel()
    said = forecaster().predict(panel, 30)
    assert said.shape == (6, 4, 5)
    assert (said >= 0).all()
    assert (np.diff(said[..., :4]) >= 0).all()


def test_quantiles_of_counted_demand_are_whole_and_its_mean_is_not() -> None:
    panel = poisson_panel()
    made = forecaster()
    counted, measured = made.predict(panel, 30), made.predict(replace(panel, y=panel.y * 1.1), 30)
    assert (counted[..., :4] % 1 == 0).all()
    assert (measured[..., :4] % 1 != 0).any()
    assert (counted[..., 4] % 1 != 0).any()


def test_net_returns_may_be_forecast_where_demand_was_negative() -> None:
    made, panel = forecaster(), poisson_panel()
    bias = made.network.get_layer("head").bias
    bias.assign(np.full(bias.shape, -2.0))
    assert not made.predict(panel, 30).any()
    assert (replace(made, non_negative=False).predict(panel, 30) < 0).all()


def test_a_series_that_never_sold_is_forecast_zero_and_moves_no_other_item() -> None:
    panel = poisson_panel(season=52)
    y = panel.y.copy()
    y[0] = 0
    said, before = (forecaster().predict(replace(panel, y=values), 30) for values in (y, panel.y))
    assert not said[0].any()
    np.testing.assert_allclose(said[1:3], before[1:3], rtol=1e-5)


def test_a_store_never_seen_is_forecast_from_what_is_known_of_the_item() -> None:
    panel = poisson_panel()
    renamed = replace(panel, ids=panel.ids.assign(store_id="new"))
    made = forecaster()
    table = made.network.get_layer("identity").kernel
    table.assign(np.where(np.arange(7)[:, None] == 0, 0.0, table))
    silenced = np.where(np.arange(7)[:, None] < 3, 0.0, table)
    unseen = made.predict(renamed, 30)
    table.assign(silenced)
    np.testing.assert_allclose(unseen, made.predict(panel, 30))
