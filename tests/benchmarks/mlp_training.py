"""Examples a second: the study's network by our training loop, beside plain `keras.Model.fit` on dense one-hot input.

    python tests/benchmarks/mlp_training.py [--examples 100000] [--runs 3] [--out FILE.json]

The same network, optimizer and batch size, on drawn rows of 3,000 products, 450 stores, 30 classifications and 700
vendors; what makes batches of the rows is timed too. Each contestant runs in a process of its own, an epoch a run; the
first one, in which TensorFlow traces, is not in the median.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from commandline import command, make_parser, write_json
from measured import contest, measured

from shelfcast.models.mlp.seed import HIDDEN, make_seed_network, squared_error_sums
from shelfcast.training.batch import Batch
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe, Trainer
from shelfcast.training.memory import InMemory

SIZES, NUMBERS, SEED, RATE = (3000, 450, 30, 700), 3, 27, 0.001
BATCHES, WANTED = (256, 4096), 20.0
CONTESTANTS = ("shelfcast", "keras")


def rows(count: int) -> Batch:
    draw = np.random.default_rng(SEED)
    codes = np.stack([draw.integers(0, size, count) for size in SIZES], axis=1).astype(np.int32)
    numbers = draw.normal(size=(count, NUMBERS)).astype(np.float32)
    y = (codes[:, :1] % 7 + numbers[:, :1]).astype(np.float32)
    return Batch({"codes": codes, "numbers": numbers}, y, np.ones(count, np.float32))


def with_shelfcast(examples: Batch, batch: int) -> Callable[[int], dict[str, Any]]:
    data = InMemory(examples, None, batch, SEED, Alone())
    recipe = Recipe("adam", 1000, RATE, warmup=0.0, weight_decay=0.0, patience=1000, seed=SEED)
    trainer = Trainer(make_seed_network(SIZES, NUMBERS, SEED), squared_error_sums, data, recipe, Alone())
    return lambda _: {"loss": trainer.run_epoch().loss}


def with_keras(examples: Batch, batch: int) -> Callable[[int], dict[str, Any]]:
    """One-hot by TensorFlow's own operator, batches made in parallel and ahead of the fit."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    network = keras.Sequential([*(layers.Dense(units, "elu") for units in HIDDEN), layers.Dense(1)])
    network.compile(keras.optimizers.Adam(RATE), "mse")

    def dense(codes: Any, numbers: Any, y: Any) -> Any:
        hot = [tf.one_hot(codes[:, place], size) for place, size in enumerate(SIZES)]
        return tf.concat([*hot, numbers], axis=1), y

    source = tf.data.Dataset.from_tensor_slices((*examples.inputs.values(), examples.y))
    shuffled = source.shuffle(len(examples.weight), SEED).batch(batch).map(dense, tf.data.AUTOTUNE)
    data = shuffled.prefetch(tf.data.AUTOTUNE)
    return lambda _: {"loss": network.fit(data, verbose=0).history["loss"][-1]}


def play(contestant: str, batch: int, count: int, runs: int) -> None:
    makers = {"shelfcast": with_shelfcast, "keras": with_keras}
    contest(time.time(), makers[contestant](rows(count), batch), runs + 1)


def race(flags: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for batch in BATCHES:
        for contestant in CONTESTANTS:
            result = measured(command(__file__, contestant, flags, "examples", "runs", batch=batch), os.environ)
            best = float(np.median(result["seconds"][1:]))
            found[f"{contestant}, {batch}"] = result | {"examples_a_second": round(flags.examples / best)}
        ours, theirs = (found[f"{name}, {batch}"]["examples_a_second"] for name in CONTESTANTS)
        found[f"shelfcast, {batch}"]["times_keras"] = round(ours / theirs, 1)
    return found


def show(found: dict[str, Any]) -> None:
    print(f"{'batch':20s} {'examples/s':>11s} {'times':>6s} {'start-up':>9s} {'processor':>10s} {'peak':>8s}")
    for name, result in found.items():
        times = f"{result['times_keras']:.1f}" if "times_keras" in result else ""
        cells = "{:7.2f} s {:8.2f} s {:5.2f} GB".format(*(result[key] for key in ("startup_s", "cpu_s", "peak_gb")))
        print(f"{name:20s} {result['examples_a_second']:11,d} {times:>6s} {cells}")
    print(f"wanted: {WANTED:.0f} times as many as Keras at each batch size")


def main() -> None:
    parser = make_parser(__doc__, examples=100_000, runs=3)
    parser.add_argument("--play", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.play:
        play(flags.play, flags.batch, flags.examples, flags.runs)
        return
    found = race(flags)
    show(found)
    write_json(found, flags.out)


if __name__ == "__main__":
    main()
