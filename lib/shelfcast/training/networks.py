"""Networks fitted by the processes of one ring, one network after the other: starting a ring costs most of a minute."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import NamedTuple

import keras
import numpy as np
import pyarrow.compute as pc
import tensorflow as tf

from shelfcast import artefacts
from shelfcast.lineage import as_text
from shelfcast.logs import say
from shelfcast.models.encoder import NEVER_SEEN
from shelfcast.models.mlp.forecaster import Forecaster, dumps
from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import Design, make_network
from shelfcast.settings.networks import Kind, Networks
from shelfcast.training.checkpoint import Checkpoint
from shelfcast.training.communicator import Communicator
from shelfcast.training.frames import open_parquet
from shelfcast.training.loop import Data, Epoch, Recipe, Store, train
from shelfcast.training.stream import Source, Stream

IDENTITIES = ("store_id", "item_id", "category_id")


@dataclass(frozen=True)
class NetworkPlan:
    """One network to train on the windows of `panel` known at `cutoff` (the last week).

    source: less its words, which every process reads from `vocabulary` (files of features/vocabularies). design: less
    the sizes, which follow from them.
    """

    panel: str
    model: str
    cutoff: date
    source: Source
    vocabulary: tuple[str, ...]
    design: Design
    recipe: Recipe
    batch_size: int
    country: str

    @property
    def hyperparameters(self) -> dict[str, str]:
        """What the network is made of and trained with, less the sizes, which are those of its words."""
        design = {name: value for name, value in asdict(self.design).items() if name != "sizes"}
        return as_text({**design, **asdict(self.recipe), "batch_size": self.batch_size})

    def with_settings(self, settings: Networks) -> "NetworkPlan":
        """The plan with the design, the recipe and the batch size of `settings`."""
        design = make_design(self.design.kind, self.design.horizon, settings)
        recipe = make_recipe(settings, self.recipe.seed)
        return replace(self, design=design, recipe=recipe, batch_size=settings.batch_size)


@dataclass(frozen=True)
class NetworkFit(NetworkPlan):
    """A network to be put into `artefact`. checkpoint: where the state of an interrupted training lies."""

    artefact: str
    checkpoint: str


class Taught(NamedTuple):
    """A trained network, and the epochs of its training."""

    design: Design
    network: keras.Model
    epochs: list[Epoch]


# Makes a network of the design wanted from the data of all processes, and tells of its progress.
Teach = Callable[[Communicator, Design, Data, Callable[[str], None] | None], Taught]


class Outcome(NamedTuple):
    """What a fit came to: the columns of FIT_COLUMNS, and the epochs."""

    panel: str
    model: str
    cutoff: date
    artefact: str
    examples: int
    seconds: float
    epochs: list[Epoch]


def fit_networks(communicator: Communicator, fits: Sequence[NetworkFit], mixed_precision: bool) -> list[Outcome]:
    """Fit all, one after the other, each by all processes. What a run before has finished is not done again."""
    use_device(communicator, mixed_precision)
    return [fit_network(communicator, fit) for fit in fits]


def use_device(communicator: Communicator, mixed_precision: bool) -> None:
    """A GPU for each process of a machine, in the order of their local ranks; a core where there is none."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        own = gpus[communicator.local_rank % len(gpus)]
        tf.config.set_visible_devices(own, "GPU")
        tf.config.experimental.set_memory_growth(own, True)
    elif communicator.size > 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    # bfloat16 has the range of float32: nothing underflows, and no loss need be scaled.
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if gpus and mixed_precision else "float32")


def fit_network(communicator: Communicator, fit: NetworkFit, teach: Teach | None = None) -> Outcome:
    """Fit one, from scratch where nothing else teaches it."""
    started = time.monotonic()

    def tell(message: str) -> None:
        say(f"  {fit.panel}, {fit.model}, {fit.cutoff}: {message}")

    learned = learn_by(teach or from_scratch(fit.recipe, Checkpoint(fit.checkpoint)), communicator, fit, tell)
    if communicator.rank == 0:
        artefacts.write_bytes(dumps(learned.forecaster), fit.artefact)
    communicator.join()
    seconds = time.monotonic() - started
    return Outcome(fit.panel, fit.model, fit.cutoff, fit.artefact, learned.examples, seconds, learned.epochs)


class Learned(NamedTuple):
    """A trained network, the windows that it learned from, and its epochs."""

    forecaster: Forecaster
    examples: int
    epochs: list[Epoch]


def learn(
    communicator: Communicator,
    plan: NetworkPlan,
    store: Store | None = None,
    tell: Callable[[str], None] | None = None,
) -> Learned:
    """Train the network of the plan, going on from the state in `store`."""
    return learn_by(from_scratch(plan.recipe, store), communicator, plan, tell)


def from_scratch(recipe: Recipe, store: Store | None) -> Teach:
    def teach(communicator: Communicator, design: Design, data: Data, tell: Callable[[str], None] | None) -> Taught:
        network = make_network(design, recipe.seed)
        return Taught(design, network, train(network, loss_sums, data, recipe, communicator, store, tell))

    return teach


def learn_by(
    teach: Teach, communicator: Communicator, plan: NetworkPlan, tell: Callable[[str], None] | None = None
) -> Learned:
    """The network that `teach` makes of the plan."""
    words = read_words(plan.vocabulary, plan.panel, plan.cutoff)
    design = replace(plan.design, sizes=tuple(len(known) + 1 for known in words.values()))
    data = Stream(replace(plan.source, words=words), plan.batch_size, plan.recipe.seed, communicator)
    taught = teach(communicator, design, data, tell)
    forecaster = Forecaster(taught.design, taught.network, words, data.non_negative, plan.country)
    return Learned(forecaster, data.total, taught.epochs)


def make_design(kind: Kind, horizon: int, settings: Networks) -> Design:
    """Less the sizes."""
    embeddings = (settings.store_embedding, settings.item_embedding, settings.category_embedding)
    return Design(kind, horizon, (), settings.units, settings.blocks, settings.dropout, settings.calendar, embeddings)


def make_recipe(settings: Networks, seed: int) -> Recipe:
    return Recipe(
        "adam",
        settings.epochs,
        settings.learning_rate,
        settings.warmup_epochs,
        settings.weight_decay,
        settings.patience,
        seed,
    )


def read_words(files: Sequence[str], panel: str, cutoff: date) -> dict[str, list[str]]:
    """The words of each identity known at the cutoff, in the order of their codes, which begin behind NEVER_SEEN."""
    wanted = (pc.field("panel") == panel) & (pc.field("cutoff") == pc.scalar(cutoff))
    found = open_parquet(files).to_table(columns=["column", "value", "index"], filter=wanted)
    rows = found.to_pandas().sort_values("index")
    words = {name: rows.loc[rows["column"] == name] for name in IDENTITIES}
    assert all((own["index"] == np.arange(len(own)) + NEVER_SEEN + 1).all() for own in words.values())
    return {name: own["value"].tolist() for name, own in words.items()}
