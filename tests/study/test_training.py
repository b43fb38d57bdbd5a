import numpy as np
import pandas as pd
import pytest

from rings import Ring
from shelfcast.models.mlp.seed import HIDDEN
from shelfcast.study import training
from shelfcast.study.network import DESCRIPTION
from shelfcast.training.communicator import Alone, Communicator
from study_builders import random_rows

SEED = 27


@pytest.fixture(autouse=True)
def _few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "EPOCHS", 4)
    monkeypatch.setattr(training, "BATCH_SIZE", 64)


def as_rows(n: int = 600) -> pd.DataFrame:
    """Rows of STUDY_ROWS whose units follow from their product and price."""
    splits = np.random.default_rng(6).choice(["train", "validation", "test"], p=[0.6, 0.2, 0.2], size=n)
    rows = random_rows(n, seed=5).assign(row_id=range(n), split=splits)
    return rows.assign(units=20.0 * rows["product_id"].astype(int) + 5.0 * rows["price"])


def predicted(rows: pd.DataFrame, communicator: Communicator | None = None) -> np.ndarray:
    asked = rows[rows["split"] != "train"]
    return training.predict_rows(communicator or Alone(), rows, asked, SEED, None)


def test_the_description_is_that_of_the_network() -> None:
    assert (DESCRIPTION.parameters["hidden_1"], DESCRIPTION.parameters["hidden_2"]) == HIDDEN


def test_it_learns_from_the_training_rows_what_the_others_sell() -> None:
    rows = as_rows()
    asked = rows.loc[rows["split"] != "train", "units"].to_numpy()
    assert np.square(predicted(rows) - asked).mean() < 0.5 * asked.var()


def test_no_test_row_teaches_it_anything_and_a_validation_row_ends_its_training() -> None:
    rows = as_rows()
    among = predicted(rows.assign(units=rows["units"].where(rows["split"] != "test", 1e6)))
    np.testing.assert_array_equal(among, predicted(rows))


def test_what_no_training_row_has_adds_nothing() -> None:
    """The one-hot matrix has no column for it: the row of the table stays 0."""
    encoded = training.Encoder.fit(as_rows()).encode(as_rows()[:1])
    table = training._make_network(encoded, SEED).get_weights()[0]
    never_seen = np.cumsum([0, *(size + 1 for size in encoded.sizes[:-1])])
    assert not table[never_seen].any()
    assert np.count_nonzero(table.any(axis=1)) == sum(encoded.sizes)


def test_two_processes_predict_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, made = as_rows(), training._make_network
    # Keras draws all weights from one state: threads that make networks at once would share its numbers out by chance.
    weights = made(training.Encoder.fit(rows[rows["split"] == "train"]).encode(rows[:1]), SEED).get_weights()
    alone = predicted(rows)

    def make(*arguments: object) -> object:
        network = made(*arguments)
        network.set_weights(weights)
        return network

    monkeypatch.setattr(training, "_make_network", make)
    for found in Ring(2).run(lambda member: predicted(rows, member)):
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-2)
