"""What is told on stderr, for people and for machines."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import cli, command, config, logs
from shelfcast.errors import LakeError, TransientError
from shelfcast.job import Job, Run
from shelfcast.runner import Runner
from shelfcast.table import Table

CONFIG = str(Path(__file__).parents[1] / "conf" / "complete_journey.yaml")
PRICES = Table("clean/prices", "region string, number int", key=("region",))


@pytest.fixture(autouse=True)
def _text_again() -> Iterator[None]:
    yield
    logs.configure("text")


def write(run: Run) -> None:
    run.say("looking")
    run.write(PRICES, run.spark.createDataFrame([(run.config.region, 1)], PRICES.schema))


JOB = Job("price", (), (PRICES,), (), write, dated=False)


@pytest.mark.parametrize("form", [*logs.FORMATS])
def test_what_any_module_logs_is_written_with_its_traceback(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form)
    try:
        raise OSError("disk full")
    except OSError:
        logging.getLogger("shelfcast.api").exception("not written")
    said = capsys.readouterr().err
    assert "error" in said.splitlines()[0]
    assert "not written" in said
    assert "OSError: disk full" in said


def test_for_people_progress_has_its_time_and_a_failure_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    logs.say("clean: started")
    logs.end("error", "no file", 1)
    said, failed = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d clean: started", said)
    assert failed == "error: no file"


def test_py4j_s_stack_of_a_jvm_that_is_gone_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    logs.configure("text")
    logging.exception("Exception while sending command.")
    logging.exception("another library's")
    assert caplog.messages == ["another library's"]


def test_each_line_of_a_run_is_an_object_that_names_the_run(
    spark: SparkSession, lake_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json")
    runner = Runner(spark, config.load(CONFIG, [f"lake={lake_root}"]))
    assert [runner.run(JOB), runner.run(JOB)] == [True, False]
    logs.say("over")
    *lines, over = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    key = runner.lake.last_commit(PRICES, {"region": "complete_journey"}).run_key
    assert {(line["region"], line["job"], line["run_id"], line["level"]) for line in lines} == {
        ("complete_journey", "price", key, "info")
    }
    assert [line["message"] for line in lines][:2] == ["price: started", "price: looking"]
    assert lines[-1]["message"] == "price: up to date"
    assert [datetime.fromisoformat(line["time"]).utcoffset().total_seconds() for line in lines] == [0] * len(lines)
    assert "run_id" not in over


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        pytest.param(LakeError('a "quoted" table\nof two lines'), "error", 1, id="permanent"),
        pytest.param(TransientError("held"), "error", 75, id="transient"),
        pytest.param(KeyboardInterrupt(), "interrupted", 130, id="interrupted"),
    ],
)
@pytest.mark.usefixtures("spark")
def test_a_failure_is_an_object_with_its_exit_status(
    error: BaseException, kind: str, status: int, lake_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Runner) -> None:
        raise error

    flags = ["--config", CONFIG, "--set", f"lake={lake_root}", "--log", "json"]
    assert command.run("fails", fail, flags) == status
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["level"], told["kind"], told["exit_status"]) == ("error", kind, status)
    assert told["message"] == (str(error) or command._INTERRUPTED)


def test_the_command_that_is_submitted_is_an_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "clean.py").write_text('"""clean: raw -> clean"""')
    monkeypatch.setattr(cli, "job_files", lambda: {"clean": tmp_path / "clean.py"})
    monkeypatch.setattr(cli, "run", lambda _: 130)
    secret = ["--spark-conf", "spark.hadoop.fs.s3a.secret.key=canary"]
    assert cli.main(["submit", "clean", *secret, "--config", "x.yaml", "--log=json"]) == 130
    submitted, interrupted = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert "clean.py" in submitted["message"]
    assert "canary" not in submitted["message"]
    assert interrupted["exit_status"] == 130
