import pytest
from pyspark.sql import SparkSession

from builders import Row, frame
from shelfcast.study import board
from shelfcast.study.tables import STUDY_METRICS, STUDY_MODELS


def score(model: str, rmse: float, **changes: object) -> Row:
    row = {"model": model, "split": "test", "scope": "all", "rows": 1234, "rmse": rmse, "zeros_left_out": 0}
    return row | changes


def described(model: str, differs: str | None = None) -> Row:
    row = {"model": model, "seconds": 1.5, "inputs": ["store_id (one-hot)"], "absent_inputs": ["excise tax"]}
    return row | {"differs": differs}


@pytest.fixture
def printed(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> str:
    """What the terminal shows of two models, the worse of which differs from the study's."""
    metrics = frame(
        spark,
        STUDY_METRICS,
        score("worse", 2.0, zeros_left_out=7),
        score("better", 1.25),
        score("better", 1.75, scope="pieces", split="validation", rows=99),
    )
    board.show(metrics, frame(spark, STUDY_MODELS, described("worse", "not the same"), described("better")))
    return " ".join(capsys.readouterr().out.split())


SAYS = [
    pytest.param("Study, test: all rows (1,234)", id="which-rows"),
    pytest.param("Study, validation: rows of products sold by the piece (99)", id="each-split-and-scope"),
    pytest.param("leak across time", id="that-it-leaks"),
    pytest.param("Inputs: store_id (one-hot). Absent from these data: excise tax.", id="which-inputs-it-lacks"),
    pytest.param("MAPE leaves out rows without units: 7 of them.", id="what-mape-leaves-out"),
    pytest.param("worse differs: not the same.", id="where-a-model-differs"),
]


@pytest.mark.parametrize("words", SAYS)
def test_the_table_says(words: str, printed: str) -> None:
    assert words in printed


def test_the_best_model_comes_first_and_a_metric_that_is_not_there_is_blank(printed: str) -> None:
    assert printed.index("better │ 1.2500 │ │") < printed.index("worse │ 2.0000 │ │")


def test_a_model_that_is_the_studys_own_needs_no_word(printed: str) -> None:
    assert "better differs" not in printed
