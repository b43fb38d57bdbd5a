"""A network of one company made one of another: its hidden layers are kept, what meets the company is made anew.

First the new layers learn, while the kept ones are frozen: what these make of a window is computed once. Then all of
them learn, at a smaller rate.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from shelfcast import artefacts
from shelfcast.features import LEVEL_FEATURES
from shelfcast.lineage import as_text
from shelfcast.models.mlp.forecaster import Forecaster, loads
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import ROWS_AHEAD, Design, adapters_of, make_network
from shelfcast.models.mlp.windows import Float32
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.centres import begin_head
from shelfcast.training.checkpoint import Checkpoint
from shelfcast.training.communicator import Communicator
from shelfcast.training.loop import Data, Epoch, Recipe, Store, train
from shelfcast.training.networks import NetworkFit, Outcome, Taught, fit_network, use_device

# What meets a company's words: layers whose names begin so.
_WORDS = "identity"


@dataclass(frozen=True)
class Passes:
    """adapters: blocks of batch normalisation and dense layers that are put behind the kept ones. frozen: how the new
    layers learn while the kept ones stand still. tuning: how all of them do after that; not at all where it has no
    epochs."""

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
    front, back = halves(network, base.design.adapters)
    hidden = Hidden(data, front, passes.frozen.seed)
    measure(network, base.design.adapters, hidden, communicator)
    begin_head(network.get_layer("head"), hidden.batches, communicator)
    epochs = train(back, loss_sums, hidden, passes.frozen, communicator, stores[0], say)
    if not passes.tuning.epochs:
        return Taught(design, network, epochs)
    before = network.get_weights()
    tuned = train(network, loss_sums, data, passes.tuning, communicator, stores[1], say)
    if _least(tuned) > _least(epochs):
        network.set_weights(before)
    return Taught(design, network, [*epochs, *tuned])


def halves(network: keras.Model, adapters: int) -> tuple[keras.Model, keras.Model]:
    """The network up to its first `adapters` adapters: inputs -> hidden values, and what is behind: {hidden, base} ->
    forecast. They share the network's layers."""
    head = network.get_layer("head")
    new = adapters_of(network)[adapters:]
    steps = new[0][0].input if new else head.input[0]
    front = keras.Model(network.input, steps)
    hidden, base = keras.Input(steps.shape[1:], name="hidden"), keras.Input(head.input[1].shape[1:], name="base")
    values = hidden
    for *inner, add in new:
        said = values
        for layer in inner:
            said = layer(said)
        values = add([values, said])
    return front, keras.Model({"hidden": hidden, "base": base}, head([values, base]), name="back")


class Hidden:
    """What the kept layers make of a process's windows, computed once; as `Data`. batches: to learn from."""

    def __init__(self, data: Data, front: keras.Model, seed: int) -> None:
        self._front, self._seed, self.total = front, seed, data.total
        nothing = np.zeros((0, *front.output.shape[1:]), np.float32)
        self.empty = Batch({"hidden": nothing, "base": data.empty.inputs["base"]}, data.empty.y, data.empty.weight)
        self.batches = [self._of(batch) for batch in data.training(0)]
        self._held_back = [self._of(batch) for batch in data.validation()]

    def training(self, epoch: int) -> Iterable[Batch]:
        """The same batches in an order of the epoch's own."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self.batches))
        return (self.batches[place] for place in order)

    def validation(self) -> Iterable[Batch]:
        return self._held_back

    def _of(self, batch: Batch) -> Batch:
        made = Batch({"hidden": self._front(batch.inputs), "base": batch.inputs["base"]}, batch.y, batch.weight)
        return map_batch(np.asarray, made)


def adapt(base: Forecaster, wanted: Design, adapters: int, seed: int) -> tuple[Design, keras.Model]:
    """A network for the words, horizon, calendar and dropout of `wanted` with the hidden layers of `base` and new
    adapters.

    In- and outputs are multiples of a series' own level, whatever is sold: those layers begin as the base's, and what
    the base has not read says nothing yet. Nor does any word, an adapter, or a series' size in the base's units.
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
        own = network.get_layer(layer.name)
        read = ROWS_AHEAD if layer.name == "step" else 0
        own.set_weights([_carry(*pair, read) for pair in zip(own.get_weights(), layer.get_weights(), strict=True)])
    _forget_size(network)
    return design, network


def _carry(own: Float32, other: Float32, first: int) -> Float32:
    """The weights `other` in the shape of `own`: of kernels that read unlike columns the `first` rows are the same,
    and then those at the end."""
    if own.shape == other.shape:
        return other
    carried, last = np.zeros_like(own), min(len(own), len(other)) - first
    carried[:first], carried[len(own) - last :] = other[:first], other[len(other) - last :]
    return carried


def _reusable(base: Forecaster) -> list[keras.layers.Layer]:
    """What has learned anything, but the words."""
    return [layer for layer in base.network.layers if layer.weights and not layer.name.startswith(_WORDS)]


def _forget_size(network: keras.Model) -> None:
    window = network.get_layer("window")
    kernel, bias = window.get_weights()
    # Behind what is read of the history.
    kernel[len(kernel) - len(LEVEL_FEATURES) + LEVEL_FEATURES.index("log_scale")] = 0.0
    window.set_weights([kernel, bias])


def measure(network: keras.Model, adapters: int, hidden: Hidden, communicator: Communicator) -> None:
    """Give the batch normalisation of the adapters behind the first `adapters` the means and variances that the hidden
    values of the company's windows have, over all processes (adaptive batch normalisation, Li et al. 2017). New
    adapters add nothing yet: each one reads the same values."""
    units = hidden.empty.inputs["hidden"].shape[-1]
    values = np.concatenate([batch.inputs["hidden"].reshape(-1, units) for batch in (hidden.empty, *hidden.batches)])
    own = (values.sum(axis=0, dtype=np.float64), (values.astype(np.float64) ** 2).sum(axis=0), float(len(values)))
    first, second, count = (
        np.asarray(part) for part in communicator.all_reduce([tf.constant(part, tf.float64) for part in own])
    )
    mean = first / max(float(count), 1.0)
    for norm, *_ in adapters_of(network)[adapters:]:
        norm.set_weights([mean, np.maximum(second / max(float(count), 1.0) - mean**2, 0.0)])


def _least(epochs: Sequence[Epoch]) -> float:
    """The least validation loss; NaN, which is neither more nor less than any, where nothing is held back."""
    return min(epoch.validation for epoch in epochs)
