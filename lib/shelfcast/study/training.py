"""The study's network, fitted by the processes of a ring on rows that each of them holds: the configuration bounds
them."""

import io
import time
from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd

from shelfcast import artefacts
from shelfcast.logs import say
from shelfcast.models.mlp.seed import make_seed_network, squared_error_sums
from shelfcast.panel import FloatArray
from shelfcast.study.network import BATCH_SIZE, EPOCHS, LEARNING_RATE, MLP, PATIENCE, StudyFit
from shelfcast.study.representation import CATEGORIES, NUMBERS, Encoder, Inputs
from shelfcast.training.batch import Batch
from shelfcast.training.checkpoint import Checkpoint
from shelfcast.training.communicator import Communicator
from shelfcast.training.frames import open_parquet
from shelfcast.training.loop import Recipe, train
from shelfcast.training.memory import InMemory
from shelfcast.training.networks import use_device

_COLUMNS = ("row_id", "split", "units", *CATEGORIES, *NUMBERS)
_AT_ONCE = 8192


def fit_and_predict(communicator: Communicator, fit: StudyFit) -> float:
    """As fit_study_network."""
    use_device(communicator, mixed_precision=False)
    started = time.process_time()
    rows = _read(fit.files)
    asked = rows[rows["split"] != "train"]
    predicted = predict_rows(communicator, rows, asked, fit.seed, Checkpoint(fit.checkpoint))
    if communicator.rank == 0:
        packed = io.BytesIO()
        pd.DataFrame({"row_id": asked["row_id"], "prediction": predicted}).to_parquet(packed, index=False)
        artefacts.write_bytes(packed.getvalue(), fit.predictions)
    communicator.join()
    return time.process_time() - started


def predict_rows(
    communicator: Communicator, rows: pd.DataFrame, asked: pd.DataFrame, seed: int, checkpoint: Checkpoint | None
) -> FloatArray:
    """The units that the network predicts for the rows `asked`. It learns from those of `rows` whose split is train;
    those whose split is validation end its training.

    The units are standardized while it trains: the least squares stay where they are, and Adam's steps fit any scale.
    """
    train_rows, held_back = (rows[rows["split"] == split] for split in ("train", "validation"))
    encoder = Encoder.fit(train_rows)
    mean, deviation = train_rows["units"].mean(), train_rows["units"].std(ddof=0) or 1.0
    learned, held = (
        _as_batch(encoder.encode(part), (part["units"] - mean) / deviation) for part in (train_rows, held_back)
    )
    data = InMemory(learned, held, BATCH_SIZE, seed, communicator)
    network = _make_network(encoder.encode(train_rows[:1]), seed)
    # With n processes the loop takes steps n times as large, for n batches: here they share one.
    rate = LEARNING_RATE / communicator.size
    recipe = Recipe("adam", EPOCHS, rate, warmup=0.0, weight_decay=0.0, patience=PATIENCE, seed=seed)
    train(network, squared_error_sums, data, recipe, communicator, checkpoint, lambda told: say(f"  {MLP}: {told}"))
    return mean + deviation * _run(network, _inputs(encoder.encode(asked)))


def _read(files: Sequence[str]) -> pd.DataFrame:
    """The rows by their id: that of files is chance, and training depends on it."""
    table = open_parquet(files).to_table(columns=list(_COLUMNS))
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    return frame.sort_values("row_id", ignore_index=True)


def _make_network(inputs: Inputs, seed: int) -> keras.Model:
    """The network with one word more in each category, for what training has never seen: it has no column in the
    one-hot matrix, and so its row of the table is 0. Nothing is ever learned about it."""
    sizes = [size + 1 for size in inputs.sizes]
    network = make_seed_network(sizes, inputs.numbers.shape[1], seed)
    table, *rest = network.get_weights()
    table[np.cumsum([0, *sizes[:-1]])] = 0.0
    network.set_weights([table, *rest])
    return network


def _inputs(inputs: Inputs) -> dict[str, np.ndarray]:
    return {"codes": inputs.codes + np.int32(1), "numbers": inputs.numbers.astype(np.float32)}


def _as_batch(inputs: Inputs, y: pd.Series) -> Batch:
    return Batch(_inputs(inputs), y.to_numpy(dtype=np.float32)[:, None], np.ones(len(y), np.float32))


def _run(network: keras.Model, inputs: dict[str, np.ndarray]) -> FloatArray:
    rows = len(inputs["codes"])
    parts = [
        keras.ops.convert_to_numpy(network({name: values[at : at + _AT_ONCE] for name, values in inputs.items()}))
        for at in range(0, rows, _AT_ONCE)
    ]
    return np.concatenate(parts)[:, 0].astype(np.float64)
