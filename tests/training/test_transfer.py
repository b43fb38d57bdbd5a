from collections.abc import Iterable
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from mlp_builders import WEEKS, design, forecaster, poisson_panel
from panel_builders import axis, poisson_series, week, write_windows
from rings import Ring
from shelfcast import artefacts
from shelfcast.features import LEVEL_FEATURES
from shelfcast.metrics import wape
from shelfcast.models.mlp import network as networks
from shelfcast.models.mlp.forecaster import Forecaster, dumps, encode, loads, network_inputs
from shelfcast.models.mlp.network import Design
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import Panel, densify
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Alone, Communicator
from shelfcast.training.loop import Recipe
from shelfcast.training.networks import NetworkFit
from shelfcast.training.stream import Source, Stream
from shelfcast.training.transfer import (
    Hidden,
    NetworkTransfer,
    Passes,
    adapt,
    halves,
    measure,
    transfer,
    transfer_networks,
)

RECIPE = Recipe("adam", epochs=2, learning_rate=0.01, warmup=0.0, weight_decay=0.0, patience=5, seed=3)
STILL = replace(RECIPE, epochs=1, learning_rate=0.0)
WORDS = {"store_id": ["t0", "t1", "t2"], "item_id": ["j0"]}
WANTED = design(sizes=(4, 2))
# What an untrained network says of unknown words must not hang on how large a series is in the base's units.
LOG_SCALE = LEVEL_FEATURES.index("log_scale") - len(LEVEL_FEATURES)


class Company:
    """The windows of a panel whose words are none of the base's; those of the last origin are held back."""

    def __init__(self) -> None:
        panel = poisson_panel(seed=8)
        parts = [self._at(panel, origin) for origin in range(14, 26)]
        *learned, self.held = parts
        inputs = {name: np.concatenate([part.inputs[name] for part in learned]) for name in self.held.inputs}
        self.rows = Batch(
            inputs, np.concatenate([part.y for part in learned]), np.concatenate([part.weight for part in learned])
        )
        self.total, self.empty = len(self.rows.weight), map_batch(lambda values: values[:0], self.rows)

    def _at(self, panel: Panel, origin: int) -> Batch:
        made = make_windows(panel, origin, WANTED.horizon)
        codes = encode(panel.ids.assign(store_id="t1", item_id="j0"), WORDS)[made.series]
        return Batch(network_inputs(made, codes), made.y, made.scale)

    def training(self, epoch: int) -> Iterable[Batch]:
        order = np.random.default_rng(epoch).permutation(self.total)
        return (
            map_batch(lambda values, at=at: values[order[at : at + 16]], self.rows) for at in range(0, self.total, 16)
        )

    def validation(self) -> Iterable[Batch]:
        return [self.held]


def weights(network: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in network.layers if layer.weights}


def moved(one: keras.Model, other: keras.Model) -> set[str]:
    """The layers of both that have the same shapes and not the same weights."""
    before, after = weights(one), weights(other)
    return {
        name
        for name in before.keys() & after.keys()
        if any(a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def without_size(base: Forecaster) -> Forecaster:
    """The base, to which a series' size in units says nothing."""
    window = base.network.get_layer("window")
    kernel, bias = window.get_weights()
    kernel[LOG_SCALE] = 0.0
    window.set_weights([kernel, bias])
    return base


def of_company(design_: Design, network: keras.Model) -> Forecaster:
    return Forecaster(design_, network, WORDS, non_negative=True, country="US")


@pytest.mark.parametrize("adapters", [0, 2])
def test_the_halves_of_a_network_are_the_network(adapters: int) -> None:
    network, rows = forecaster(adapters=adapters).network, Company().rows
    inputs = {**rows.inputs, "codes": np.zeros_like(rows.inputs["codes"])}
    front, back = halves(network, 0)
    said = back({"hidden": np.asarray(front(inputs)), "base": inputs["base"]})
    np.testing.assert_allclose(said, network(inputs), rtol=1e-5, atol=1e-6)


def test_hidden_values_are_those_of_the_same_windows_in_another_order_each_epoch() -> None:
    company, (front, _) = Company(), halves(forecaster(sizes=WANTED.sizes).network, 0)
    hidden = Hidden(company, front, seed=3)
    epochs = [list(hidden.training(epoch)) for epoch in (1, 2, 1)]
    assert sum(len(batch.weight) for batch in epochs[0]) == hidden.total == company.total
    first = next(iter(company.training(0)))
    np.testing.assert_array_equal(hidden.batches[0].inputs["hidden"], front(first.inputs))
    np.testing.assert_array_equal(hidden.batches[0].y, first.y)
    orders = [[float(batch.y.sum()) for batch in batches] for batches in epochs]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_untrained_it_says_what_the_base_says_of_words_that_it_has_never_seen(kind: str) -> None:
    base, panel = without_size(forecaster(kind=kind)), poisson_panel()
    table = base.network.get_layer("identity").kernel
    table.assign(np.zeros(table.shape))
    made = of_company(*adapt(base, WANTED, adapters=2, seed=1))
    np.testing.assert_allclose(made.predict(panel, WEEKS), base.predict(panel, WEEKS), rtol=1e-5, atol=1e-5)


def test_untrained_its_forecasts_are_sensible_in_any_unit() -> None:
    made, counts = of_company(*adapt(forecaster(seed=9), WANTED, adapters=1, seed=1)), poisson_panel()
    panel, dollars = (replace(counts, y=counts.y * size) for size in (100, 100 * 1000.5))
    said, in_dollars = (made.predict(each.until(26), 26)[..., -1] for each in (panel, dollars))
    assert np.isfinite(said).all()
    assert wape(panel.y[:, 26:30], said) < 0.9
    np.testing.assert_allclose(in_dollars, said * 1000.5, rtol=1e-3, atol=1e-2)


def test_horizon_calendar_and_history_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "HISTORY", 26)
    base = forecaster()
    monkeypatch.undo()
    design_, made = adapt(base, design(sizes=(4, 2), horizon=7, calendar=False), adapters=1, seed=1)
    assert of_company(design_, made).predict(poisson_panel(), WEEKS).shape == (6, 7, 5)
    assert moved(base.network, made) == {"identity", "window", "step"}


def test_a_column_that_the_base_has_not_read_says_nothing_yet() -> None:
    base, panel = without_size(forecaster(calendar=False)), poisson_panel()
    table = base.network.get_layer("identity").kernel
    table.assign(np.zeros(table.shape))
    made = of_company(*adapt(base, design(sizes=(4, 2), calendar=True), adapters=1, seed=1))
    np.testing.assert_allclose(made.predict(panel, WEEKS), base.predict(panel, WEEKS), rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def base() -> Forecaster:
    return forecaster()


@pytest.fixture(scope="module")
def frozen(base: Forecaster) -> Forecaster:
    """After the first pass alone."""
    design_, network, epochs = transfer(base, WANTED, Company(), Passes(1, RECIPE, STILL), Alone())
    assert [epoch.number for epoch in epochs] == [1, 2, 1]
    return of_company(design_, network)


def test_while_they_are_frozen_the_hidden_layers_stay_as_they_are(base: Forecaster, frozen: Forecaster) -> None:
    assert moved(base.network, frozen.network) == {"identity", "window", "head"}
    assert np.abs(weights(frozen.network)["adapter_0_outer"][0]).max() > 0


def test_in_the_second_pass_all_layers_learn(base: Forecaster, frozen: Forecaster) -> None:
    taught = transfer(base, WANTED, Company(), Passes(1, RECIPE, RECIPE), Alone())
    assert moved(base.network, taught.network) == weights(base.network).keys()
    assert moved(frozen.network, taught.network) == weights(frozen.network).keys() - {"adapter_0_norm"}


def test_without_a_second_pass_the_first_one_is_all(base: Forecaster, frozen: Forecaster) -> None:
    taught = transfer(base, WANTED, Company(), Passes(1, RECIPE, replace(STILL, epochs=0)), Alone())
    assert len(taught.epochs) == RECIPE.epochs
    assert not moved(frozen.network, taught.network)


def test_a_second_pass_that_made_it_worse_is_undone(base: Forecaster, frozen: Forecaster) -> None:
    spoiled = transfer(base, WANTED, Company(), Passes(1, RECIPE, replace(RECIPE, learning_rate=3.0)), Alone())
    assert spoiled.epochs[2].validation > spoiled.epochs[1].validation
    assert not moved(frozen.network, spoiled.network)


def test_batch_normalisation_knows_the_means_and_variances_of_the_company(base: Forecaster, frozen: Forecaster) -> None:
    _, untrained = adapt(base, WANTED, adapters=1, seed=RECIPE.seed)
    layer = untrained.get_layer("adapter_0_norm")
    hidden = keras.Model(untrained.input, layer.input)(Company().rows.inputs).numpy().reshape(-1, WANTED.units)
    mean, variance = weights(frozen.network)["adapter_0_norm"]
    np.testing.assert_allclose(mean, hidden.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, hidden.var(axis=0), rtol=1e-3, atol=1e-5)


def test_a_network_that_was_transferred_once_may_be_the_base_of_another(frozen: Forecaster) -> None:
    again = loads(dumps(frozen))
    design_, network = adapt(again, design(sizes=(1, 1)), adapters=1, seed=1)
    assert design_.adapters == 2
    assert moved(frozen.network, network) == {"identity"}


AXIS = axis(weeks=24)
ROWS = poisson_series(4, weeks=24)
CUTOFF = 20


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> NetworkTransfer:
    folder = tmp_path_factory.mktemp("transfer")
    words = [("store_id", "s1", 1), ("item_id", "p0", 1), ("category_id", "c1", 1)]
    vocabulary = pd.DataFrame(
        [("product", week(CUTOFF - 1), *word) for word in words],
        columns=["panel", "cutoff", "column", "value", "index"],
    )
    vocabulary.to_parquet(folder / "words.parquet")
    artefacts.write_bytes(dumps(forecaster()), f"{folder}/base.zip")
    fit = NetworkFit(
        panel="product",
        model="mlp_transferred",
        cutoff=week(CUTOFF - 1),
        source=Source(write_windows(ROWS, AXIS, range(10, 24), folder / "windows"), {}, 2, CUTOFF - 2, CUTOFF),
        vocabulary=(str(folder / "words.parquet"),),
        design=design(horizon=2, sizes=()),
        recipe=RECIPE,
        batch_size=16,
        country="US",
        artefact=f"{folder}/networks/mlp_transferred.zip",
        checkpoint=f"{folder}/staging/mlp_transferred.npz",
    )
    return NetworkTransfer(fit, f"{folder}/base.zip", 1, RECIPE)


@pytest.fixture(scope="module")
def transferred(planned: NetworkTransfer) -> Forecaster:
    (outcome,) = transfer_networks(Alone(), [planned], mixed_precision=False)
    assert (outcome.model, outcome.examples, len(outcome.epochs)) == ("mlp_transferred", 32, 4)
    return loads(artefacts.read_bytes(planned.fit.artefact))


def test_it_knows_its_own_words_and_forecasts_series_of_others(transferred: Forecaster) -> None:
    assert (transferred.design.sizes, transferred.design.horizon) == ([2, 2, 2], 2)
    panel = densify(ROWS, AXIS)
    said = transferred.predict(replace(panel, ids=panel.ids.assign(store_id="new", item_id="new")), CUTOFF)
    assert said.shape == (4, 2, 5)
    assert (said[..., -1] > 0).all()


def test_a_transfer_that_is_over_is_not_done_again(planned: NetworkTransfer, transferred: Forecaster) -> None:
    other = replace(planned, fit=replace(planned.fit, recipe=replace(RECIPE, seed=99)))
    transfer_networks(Alone(), [other], mixed_precision=False)
    assert not moved(loads(artefacts.read_bytes(planned.fit.artefact)).network, transferred.network)


def test_means_and_variances_are_those_of_all_processes_also_where_one_has_no_rows(planned: NetworkTransfer) -> None:
    base_, fit = forecaster(), planned.fit
    source = replace(fit.source, words={"store_id": ["s1"], "item_id": ["p0"]}, files=fit.source.files[:1])
    networks_ = [adapt(base_, design(sizes=(2, 2), horizon=2), 1, seed=1)[1] for _ in range(3)]
    fronts = [halves(network, 0)[0] for network in networks_]

    def measured(member: Communicator, place: int) -> list[np.ndarray]:
        measure(networks_[place], 0, Hidden(Stream(source, 16, 3, member), fronts[place], 3), member)
        return weights(networks_[place])["adapter_0_norm"]

    alone = measured(Alone(), 2)
    assert (alone[1] > 0).all()
    for found in Ring(2).run(lambda member: measured(member, member.rank)):
        np.testing.assert_allclose(found, alone, rtol=1e-6)
