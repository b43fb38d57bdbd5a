"""The networks: all periods ahead at once, their quantiles and mean, from the window of a series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from shelfcast.events import CALENDAR_FEATURES
from shelfcast.features import LEVEL_FEATURES
from shelfcast.models.mlp.layers import EmbeddingSum, ForecastHead
from shelfcast.models.mlp.windows import AHEAD, BASES, HISTORY

QUANTILES = (0.1, 0.5, 0.9, 0.98)
MIDDLE = QUANTILES.index(0.5)
# Columns of each period ahead that enter whether or not the calendar does: the layer `step` reads them first.
ROWS_AHEAD = len(AHEAD) - len(CALENDAR_FEATURES)
_BLOCK = ("norm", "inner", "dropout", "outer", "sum")


@dataclass(frozen=True)
class Design:
    """What a network is made of.

    kind: how it reads the history. sizes: words of each identity. units: of each hidden layer; blocks: residual ones,
    of the window and of each period ahead. calendar: whether the calendar of the target enters. embeddings: numbers
    that stand for a word of each identity; 0, as where there are none, stands for as many as `units`. adapters: further
    blocks behind those ahead, with batch normalisation, by which a network is fitted to another company.
    """

    kind: Literal["mlp", "lstm"]
    horizon: int
    sizes: Sequence[int]
    units: int
    blocks: int
    dropout: float
    calendar: bool
    embeddings: Sequence[int] = ()
    adapters: int = 0


def make_network(design: Design, seed: int) -> keras.Model:
    """history (n, HISTORY), level (n, ..), codes (n, identities), ahead (n, h, ..), base (n, h, ..) -> (n, h,
    QUANTILES and the mean), multiples of the scale.

    After TiDE (Das et al. 2023): dense residual blocks encode the window once, then further ones read it beside what is
    known of each period ahead.
    """
    keras.utils.set_random_seed(seed)
    inputs = _inputs(design)
    layers = keras.layers
    read = layers.Concatenate()([_encode(design, inputs["history"]), inputs["level"]])
    hidden = layers.Add()([layers.Dense(design.units, name="window")(read), *_identities(design, inputs["codes"])])
    for block in range(design.blocks):
        hidden = _residual(design, hidden, f"window_{block}")
    ahead, base = inputs["ahead"], inputs["base"]
    known = ahead if design.calendar else ahead[..., : -len(CALENDAR_FEATURES)]
    of_step = layers.Dense(design.units, name="step")(layers.Concatenate()([known, base]))
    steps = layers.Add()([layers.RepeatVector(design.horizon)(hidden), of_step])
    for block in range(design.blocks):
        steps = _residual(design, steps, f"step_{block}")
    for block in range(design.adapters):
        steps = _adapter(design, steps, f"adapter_{block}")
    said = ForecastHead(len(QUANTILES), MIDDLE, name="head")([steps, base])
    return keras.Model(inputs, said, name=design.kind)


def _inputs(design: Design) -> dict[str, Any]:
    shapes: dict[str, tuple[int, ...]] = {
        "history": (HISTORY,),
        "level": (len(LEVEL_FEATURES),),
        "codes": (len(design.sizes),),
        "ahead": (design.horizon, len(AHEAD)),
        "base": (design.horizon, len(BASES)),
    }
    types = {"codes": "int32"}
    return {name: keras.Input(shape, dtype=types.get(name, "float32"), name=name) for name, shape in shapes.items()}


def _encode(design: Design, history: Any) -> Any:
    if design.kind == "mlp":
        return history
    return keras.layers.LSTM(design.units, name="history_lstm")(keras.layers.Reshape((HISTORY, 1))(history))


def _identities(design: Design, codes: Any) -> list[Any]:
    """What the identities add to the hidden values, together or each by an embedding of its own size.

    All start at 0, and what was never seen stays there: the embeddings are 0 and not the layers behind them.
    """
    if not any(design.embeddings):
        return [EmbeddingSum(design.sizes, design.units, "zeros", name="identity")(codes)]
    said = []
    for place, (size, width) in enumerate(zip(design.sizes, design.embeddings, strict=True)):
        embedding = EmbeddingSum((size,), width or design.units, "zeros", name=f"identity_{place}")
        row = embedding(codes[:, place : place + 1])
        dense = keras.layers.Dense(design.units, use_bias=False, name=f"identity_{place}_units")
        said.append(dense(row) if width else row)
    return said


def _residual(design: Design, hidden: Any, name: str) -> Any:
    return _block(design, hidden, keras.layers.LayerNormalization(name=f"{name}_norm"), name)


def _adapter(design: Design, hidden: Any, name: str) -> Any:
    # Its means and variances are measured once: those of each batch would differ between processes, and be no numbers
    # where one has read its share. The dense layer behind it scales and shifts.
    norm = keras.layers.BatchNormalization(center=False, scale=False, trainable=False, name=f"{name}_norm")
    return _block(design, hidden, norm, name)


def adapters_of(network: keras.Model) -> list[list[keras.layers.Layer]]:
    """The layers of each adapter, in the order in which values pass them."""
    found: list[list[keras.layers.Layer]] = []
    names = {layer.name for layer in network.layers}
    while (name := f"adapter_{len(found)}") + "_norm" in names:
        found.append([network.get_layer(f"{name}_{part}") for part in _BLOCK])
    return found


def _block(design: Design, hidden: Any, norm: keras.layers.Layer, name: str) -> Any:
    """x + dense(relu(dense(norm(x)))): where the block has nothing to add, x passes unchanged."""
    layers = keras.layers
    inner = norm(hidden)
    inner = layers.Dense(design.units, activation="relu", name=f"{name}_inner")(inner)
    inner = layers.Dropout(design.dropout, name=f"{name}_dropout")(inner)
    outer = layers.Dense(design.units, kernel_initializer="zeros", name=f"{name}_outer")(inner)
    return layers.Add(name=f"{name}_sum")([hidden, outer])
