"""The study's multilayer perceptron beside its other models: what it is, and where its training lies."""

from collections.abc import Mapping
from dataclasses import dataclass

from shelfcast.training.communicator import Communicator

MLP = "mlp"
# The best of three settings by the validation rows of Complete Journey; the study names none.
BATCH_SIZE, LEARNING_RATE, EPOCHS, PATIENCE = 1024, 0.005, 30, 5


@dataclass(frozen=True)
class Description:
    """As StudyModel, of the model that a training of its own makes."""

    representation: str
    differs: str | None
    parameters: Mapping[str, float]


DESCRIPTION = Description(
    "one-hot as embedding sum",
    "the study does not name batch size, learning rate and epochs; the validation rows end the training, so that its "
    "scores on them flatter",
    {
        "hidden_1": 50,
        "hidden_2": 100,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "epochs": EPOCHS,
        "patience": PATIENCE,
    },
)


@dataclass(frozen=True)
class StudyFit:
    """files: of features/study_rows. predictions: where those of the validation and test rows go, a Parquet file of
    PREDICTED. checkpoint: where the state of an interrupted training lies."""

    files: tuple[str, ...]
    seed: int
    predictions: str
    checkpoint: str


PREDICTED = "row_id bigint, prediction double"


def fit_study_network(communicator: Communicator, fit: StudyFit) -> float:
    """Train on the rows of `files` and write the predictions; the processor seconds that it took of this process."""
    # Keras takes seconds to load, and the driver needs none of it.
    from shelfcast.study.training import fit_and_predict

    return fit_and_predict(communicator, fit)
