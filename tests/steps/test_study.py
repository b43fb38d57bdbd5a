import pytest

from shelfcast.runner import Runner
from shelfcast.steps import study
from shelfcast.study.models import MODELS
from shelfcast.study.network import MLP
from shelfcast.study.tables import STUDY_METRICS, STUDY_MODELS, STUDY_PREDICTIONS, STUDY_ROWS, STUDY_SAMPLE

TABLES = (STUDY_ROWS, STUDY_PREDICTIONS, STUDY_METRICS, STUDY_SAMPLE, STUDY_MODELS)
REGION = "complete_journey"


@pytest.fixture(scope="module")
def studied(ran: Runner) -> Runner:
    ran.run(study.job(ran.config))
    return ran


def test_a_second_run_has_nothing_to_do(studied: Runner) -> None:
    assert not studied.run(study.job(studied.config))


def test_each_model_is_measured_on_both_splits_and_scopes(studied: Runner) -> None:
    measured = studied.lake.read(STUDY_METRICS, REGION).select("model", "split", "scope").collect()
    wanted = {
        (m, split, scope) for m in (*MODELS, MLP) for split in ("validation", "test") for scope in ("all", "pieces")
    }
    assert {tuple(row) for row in measured} == wanted


def test_the_network_is_described_beside_the_other_models(studied: Runner) -> None:
    described = studied.lake.read(STUDY_MODELS, REGION).where(f"model = '{MLP}'").first()
    assert described["parameters"]["hidden_2"] == 100
    assert described["seconds"] > 0


def test_a_run_from_other_partitions_ends_with_the_same_tables(studied: Runner) -> None:
    before = {table.name: studied.lake.content_hash(table, REGION) for table in TABLES}
    studied.spark.conf.set("spark.sql.shuffle.partitions", "3")
    changed = studied.config.model_copy(update={"study": studied.config.study.model_copy(update={"max_rows": 999_999})})
    assert Runner(studied.spark, changed).run(study.job(changed))
    assert {table.name: studied.lake.content_hash(table, REGION) for table in TABLES} == before
