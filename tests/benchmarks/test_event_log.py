import json
from pathlib import Path

import pytest

from benchmarks.event_log import Log, Task, busy_seconds, on_paper, read


def task(stage: int, started: float, ended: float) -> Task:
    return Task((stage, 0), "clean", "0", started, ended, is_copy=False, was_killed=False)


# Two cores: four tasks of ten seconds, then, by the driver after five seconds, one of six.
LOG = Log(
    0.0,
    31.0,
    [task(0, 0, 10), task(0, 0, 10), task(0, 10, 20), task(0, 10, 20), task(1, 25, 31)],
    {0: (), 1: (0,)},
)


def test_time_in_which_tasks_overlap_counts_once() -> None:
    assert busy_seconds(LOG.tasks) == 26.0


@pytest.mark.parametrize(
    ("cores", "seconds"),
    [
        pytest.param(2, 31.0, id="as-it-was"),
        pytest.param(1, 51.0, id="one-core-does-one-task-after-the-other"),
        pytest.param(4, 21.0, id="four-cores-shorten-what-has-four-tasks"),
        pytest.param(100, 21.0, id="no-more-cores-shorten-one-task-or-the-driver-s-own-time"),
    ],
)
def test_an_application_on_paper_takes_as_long_as_its_tasks_and_its_driver(cores: int, seconds: float) -> None:
    assert on_paper(LOG, cores) == pytest.approx(seconds)


def test_what_the_driver_waited_for_is_waited_for_on_paper_too() -> None:
    # The second stage names no parent, yet began only when the first had ended.
    log = LOG._replace(parents={0: (), 1: ()})
    assert on_paper(log, 4) == pytest.approx(21.0)


def test_the_log_is_read_as_spark_writes_it(tmp_path: Path) -> None:
    told = {
        "Launch Time": 1000,
        "Finish Time": 3500,
        "Executor ID": "1",
        "Speculative": True,
        "Killed": False,
    }
    measured = {"Disk Bytes Spilled": 300, "Shuffle Write Metrics": {"Shuffle Bytes Written": 20}}
    stage = {"Stage ID": 7, "Parent IDs": [5, 6]}
    task_end = {"Event": "SparkListenerTaskEnd", "Stage ID": 7, "Stage Attempt ID": 0, "Task Info": told}
    events = [
        {"Event": "SparkListenerApplicationStart", "Timestamp": 500},
        {"Event": "SparkListenerStageSubmitted", "Stage Info": stage, "Properties": {"spark.job.description": "clean"}},
        {**task_end, "Task Metrics": measured},
        {"Event": "SparkListenerApplicationEnd", "Timestamp": 4500},
    ]
    (tmp_path / "log").write_text("\n".join(map(json.dumps, events)))
    log = read(tmp_path / "log")
    assert (log.started, log.ended, log.parents) == (0.5, 4.5, {7: (5, 6)})
    assert log.tasks == [Task((7, 0), "clean", "1", 1.0, 3.5, is_copy=True, was_killed=False, spilled=300, shuffled=20)]
