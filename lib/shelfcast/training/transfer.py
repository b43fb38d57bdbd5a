"""A network of one company made one of another: its hidden layers are kept, what meets the company is made anew.

First the new layers learn, while the kept ones are frozen; then all of them, at a smaller rate.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from shelfcast import artefacts
from shelfcast.features import LEVEL_FEATURES
from shelfcast.lineage import as_text
from shelfcast.models.mlp.forecaster import Forecaster, loads
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import Design, make_network
from shelfcast.training.checkpoint import Checkpoint
from shelfcast.training.communicator import Communicator
from shelfcast.training.loop import Data, Epoch, Recipe, Store, train
from shelfcast.training.networks import NetworkFit, Outcome, Taught, fit_network, use_device

# What meets a company's words (layers whose names begin so), and its columns, units and targets; every other layer of a
# base is a hidden one.
_WORDS = "identity"
_BORDER = ("window", "step", "head")
# Enough rows for means and variances.
_MEASURED_BATCHES = 32


@dataclass(frozen=True)
class Passes:
    """adapters: blocks of batch normalisation and dense layers that are put behind the kept ones. frozen: how the new
    layers learn while the kept ones stand still. tuning: how all of them do after that."""

    adapters: int
    frozen: Recipe
    tuning: Recipe


@dataclass(frozen=True)
class NetworkTransfer:
    """A network to fit that begins with the hidden layers of the one at `base`. fit: its recipe is that of the first
    pass; its design tells horizon, calendar and dropout alone."""

    fit: NetworkFit
    base: str
    adapters: int
    tuning: Recipe

    @property
    def hyperparameters(self) -> dict[str, str]:
        """As the fit's; the base by region, run and file, wherever its lake lies."""
        tuning = {f"tuning_{name}": value for name, value in asdict(self.tuning).items()}
        base = "/".join(self.base.split("/")[-3:])
        return {**self.fit.hyperparameters, **as_text({"base": base, "adapters": self.adapters, **tuning})}


def transfer_networks(
    communicator: Communicator, transfers: Sequence[NetworkTransfer], mixed_precision: bool
) -> list[Outcome]:
    """As `fit_networks`."""
    use_device(communicator, mixed_precision)
    return [fit_network(communicator, each.fit, partial(_teach, each)) for each in transfers]


def _teach(
    each: NetworkTransfer, communicator: Communicator, design: Design, data: Data, tell: Callable[[str], None] | None
) -> Taught:
    fit = each.fit
    base = loads(artefacts.read_bytes(each.base), each.base)
    passes = Passes(each.adapters, fit.recipe, each.tuning)
    stores = [Checkpoint(f"{fit.checkpoint.removesuffix('.npz')}-{name}.npz") for name in ("frozen", "tuning")]
    return transfer(base, design, data, passes, communicator, stores, tell)


def transfer(
    base: Forecaster,
    wanted: Design,
    data: Data,
    passes: Passes,
    communicator: Communicator,
    stores: Sequence[Store | None] = (None, None),
    say: Callable[[str], None] | None = None,
) -> Taught:
    """A network for the words, horizon and calendar of `wanted`, trained on `data` from the hidden layers of `base`.

    stores: of the state of either pass. The second pass is undone where the validation loss was less before it.
    """
    design, network = adapt(base, wanted, passes.adapters, passes.frozen.seed)
    kept = kept_layers(base)
    measure(network, kept, data, communicator)
    hold(network, kept, True)
    epochs = train(network, loss_sums, data, passes.frozen, communicator, stores[0], say)
    before = network.get_weights()
    hold(network, kept, False)
    tuned = train(network, loss_sums, data, passes.tuning, communicator, stores[1], say)
    if _least(tuned) > _least(epochs):
        network.set_weights(before)
    return Taught(design, network, [*epochs, *tuned])


def kept_layers(base: Forecaster) -> frozenset[str]:
    """The names of the hidden layers."""
    return frozenset(layer.name for layer in _reusable(base)) - {*_BORDER}


def adapt(base: Forecaster, wanted: Design, adapters: int, seed: int) -> tuple[Design, keras.Model]:
    """A network for the words, horizon, calendar and dropout of `wanted` with the hidden layers of `base` and new
    adapters.

    In- and outputs are multiples of a series' own level, whatever is sold: those layers begin as the base's where they
    have its shape, else as the seed draws them. No word is known yet, an adapter adds nothing yet, and what a series'
    size says in the base's units is forgotten.
    """
    design = replace(
        base.design,
        sizes=wanted.sizes,
        embeddings=wanted.embeddings,
        horizon=wanted.horizon,
        calendar=wanted.calendar,
        dropout=wanted.dropout,
        adapters=base.design.adapters + adapters,
    )
    network = make_network(design, seed)
    for layer in _reusable(base):
        own, weights = network.get_layer(layer.name), layer.get_weights()
        if [part.shape for part in own.get_weights()] == [part.shape for part in weights]:
            own.set_weights(weights)
    _forget_size(network)
    return design, network


def _reusable(base: Forecaster) -> list[keras.layers.Layer]:
    """What has learned anything, but the words."""
    return [layer for layer in base.network.layers if layer.weights and not layer.name.startswith(_WORDS)]


def hold(network: keras.Model, names: Collection[str], frozen: bool) -> None:
    """Freeze the layers of these names, or let them learn. Batch normalisation has nothing to learn."""
    for layer in network.layers:
        if layer.name in names and not isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = not frozen


def _forget_size(network: keras.Model) -> None:
    window = network.get_layer("window")
    kernel, bias = window.get_weights()
    # Behind what is read of the history.
    kernel[len(kernel) - len(LEVEL_FEATURES) + LEVEL_FEATURES.index("log_scale")] = 0.0
    window.set_weights([kernel, bias])


def measure(network: keras.Model, kept: Collection[str], data: Data, communicator: Communicator) -> None:
    """Give the new batch normalisation the means and variances that the company's windows have there, over all
    processes (adaptive batch normalisation, Li et al. 2017)."""
    norms = [layer for layer in network.layers if _is_norm(layer) and layer.name not in kept]
    if not norms:
        return
    reading = keras.Model(network.input, {layer.name: layer.input for layer in norms})
    units = norms[0].input.shape[-1]
    sums, rows = np.zeros((len(norms), 2, units)), 0
    for batch in islice(data.training(0), _MEASURED_BATCHES):
        found = reading(batch.inputs)
        hidden = [ops.convert_to_numpy(found[layer.name]).reshape(-1, units) for layer in norms]
        sums += [[part.sum(axis=0), (part.astype(np.float64) ** 2).sum(axis=0)] for part in hidden]
        rows += len(hidden[0])
    summed, count = (
        np.asarray(part) for part in communicator.all_reduce([tf.constant(sums), tf.constant(float(rows))])
    )
    for layer, (first, second) in zip(norms, summed / max(float(count), 1.0), strict=True):
        layer.set_weights([first, np.maximum(second - first**2, 0.0)])


def _is_norm(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _least(epochs: Sequence[Epoch]) -> float:
    """The least validation loss; NaN, which is neither more nor less than any, where nothing is held back."""
    return min(epoch.validation for epoch in epochs)
