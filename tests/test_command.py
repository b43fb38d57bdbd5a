import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import AnalysisException, PythonException

from shelfcast import command
from shelfcast.errors import LakeError, TransientError
from shelfcast.monitoring.tables import ALERTS

CONFIG = str(Path(__file__).parents[1] / "conf" / "complete_journey.yaml")


class Corrupt(Py4JJavaError):
    """What a file that is no Parquet ends in."""

    def __init__(self) -> None:
        pass

    def __str__(self) -> str:
        return (
            "An error occurred while calling o329.count.\n: org.apache.spark.SparkException: Job aborted.\n"
            "\tat a.b(C.scala)\nCaused by: java.lang.RuntimeException: /lake/x.parquet is not a Parquet file\n"
            "\tat d.e(F.java)\n\t... 3 more"
        )


VIOLATED = "[DELTA_VIOLATE_CONSTRAINT] CHECK constraint price > 0 violated by row with values:\n - price : -1.0"
WORKER = "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n  File x\nValueError: 7"
OUTCOMES = {
    "done": (None, 0, ""),
    "a permanent failure": (LakeError("table x: not there"), 1, "error: table x: not there"),
    "a transient one": (TransientError("region north: held"), 75, "error: region north: held"),
    "a row against a check": (
        AnalysisException(VIOLATED),
        1,
        "error: [DELTA_VIOLATE_CONSTRAINT] CHECK constraint price > 0 violated by row with values: - price : -1.0; "
        "all of it is in ",
    ),
    "a corrupt file": (
        Corrupt(),
        1,
        "error: java.lang.RuntimeException: /lake/x.parquet is not a Parquet file; all of it is in ",
    ),
    "a worker's error": (
        PythonException(WORKER),
        1,
        "error: An exception was thrown from the Python worker: Traceback (most recent call last): ValueError: 7; "
        "all of it is in ",
    ),
}


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[BaseException | None], int]:
    """Runs work that ends in an error; returns the exit status."""
    monkeypatch.setattr(command, "open_session", lambda _: None)
    monkeypatch.setattr(command, "Runner", lambda *_: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def work(error: BaseException | None) -> int:
        def fail(_: object) -> None:
            if error:
                raise error

        return command.run("a job", fail, ["--config", CONFIG])

    return work


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        ([], 0, ""),
        (["--fail-on", "critical"], 0, ""),
        (["--fail-on", "warning"], 3, "alerts: 1 of severity warning or above, such as store 7: late\n"),
    ],
    ids=["not-asked", "nothing-so-bad", "alerts"],
)
def test_alerts_as_bad_as_asked_end_in_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str], status: int, said: str
) -> None:
    worst = {"critical": "", "warning": "1 of severity warning or above, such as store 7: late"}
    made = [date(2017, 8, 1), date(2017, 8, 2)]
    monkeypatch.setattr(command, "open_session", lambda _: None)
    monkeypatch.setattr(command, "Runner", lambda *_: None)
    monkeypatch.setattr(
        command,
        "worst_alert",
        lambda _, table, fail_on, days: worst[fail_on] if (table, days) == (ALERTS, made) else "",
    )
    assert command.run("daily: a job", lambda _: made, ["--config", CONFIG, *flags], ALERTS) == status
    assert capsys.readouterr().err == said


def test_a_job_without_alerts_knows_no_such_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.run("a job", lambda _: None, ["--config", CONFIG, "--fail-on", "critical"])
    assert end.value.code == 2
    assert "unrecognized arguments: --fail-on" in capsys.readouterr().err


def test_a_day_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.run("a job", lambda _: None, ["--config", CONFIG, "--as-of", "2016-02-30"])
    assert end.value.code == 2
    assert "argument --as-of: found '2016-02-30', wanted a day such as 2017-08-01" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status", "line"), OUTCOMES.values(), ids=OUTCOMES)
def test_an_end_is_an_exit_status_and_a_line(
    end: Callable[[BaseException | None], int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    status: int,
    line: str,
) -> None:
    assert end(error) == status
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == (1 if line else 0)
    if line.endswith(" in "):
        assert str(error) in Path(said.rpartition(" in ")[2].strip()).read_text()


LOST = {
    "that hung up": Py4JError("Answer from Java side is empty"),
    "that listens no more": ConnectionRefusedError(111, "Connection refused"),
}


@pytest.mark.parametrize("error", LOST.values(), ids=LOST)
def test_a_jvm_that_is_gone_is_told_of_in_a_line(
    end: Callable[[BaseException | None], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "is_jvm_gone", lambda: True)
    assert end(error) == TransientError.exit_status
    assert capsys.readouterr().err == (
        "error: Spark's JVM has ended or was killed; wanted it to live until the job was done\n"
    )


REFUSED = {
    "a call that it refuses": Py4JError("An error occurred while calling o1.x. Trace:\npy4j.Py4JException"),
    "a reader who has seen enough": BrokenPipeError(32, "Broken pipe"),
}


@pytest.mark.parametrize("error", REFUSED.values(), ids=REFUSED)
def test_while_the_jvm_answers_it_is_not_to_blame(
    end: Callable[[BaseException | None], int], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(command, "is_jvm_gone", lambda: False)
    with pytest.raises(type(error), match=str(error)[-10:]):
        end(error)
