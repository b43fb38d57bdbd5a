"""What Spark's event log tells of an application: its stages and tasks, and how long they would take elsewhere."""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# An application writes its log as one file of lines that can be read.
_SETTINGS = ("spark.eventLog.enabled=true", "spark.eventLog.rolling.enabled=false", "spark.eventLog.compress=false")


class Task(NamedTuple):
    """stage: number and attempt; started, ended: seconds of the system's clock; job: as Spark's page describes it;
    is_copy: started beside another attempt that was slow; was_killed: another attempt was first. Bytes on the disk:
    spilled, what did not fit into memory; shuffled, what other tasks read."""

    stage: tuple[int, int]
    job: str
    executor: str
    started: float
    ended: float
    is_copy: bool
    was_killed: bool
    spilled: int = 0
    shuffled: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.started


class Log(NamedTuple):
    """started, ended: of the application, seconds of the system's clock. parents: stage -> those it waits for."""

    started: float
    ended: float
    tasks: Sequence[Task]
    parents: dict[int, tuple[int, ...]]


def logging_to(folder: Path) -> tuple[str, ...]:
    """The settings by which an application leaves its log in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return (*_SETTINGS, f"spark.eventLog.dir={folder.absolute().as_uri()}")


def read(file: Path) -> Log:
    names: dict[int, str] = {}
    parents: dict[int, tuple[int, ...]] = {}
    tasks: list[Task] = []
    started = ended = 0.0
    for event in _events(file):
        kind = event["Event"]
        if kind == "SparkListenerApplicationStart":
            started = event["Timestamp"] / 1000
        elif kind == "SparkListenerApplicationEnd":
            ended = event["Timestamp"] / 1000
        elif kind == "SparkListenerStageSubmitted":
            stage = event["Stage Info"]
            names[stage["Stage ID"]] = event["Properties"].get("spark.job.description") or "between jobs"
            parents[stage["Stage ID"]] = tuple(stage["Parent IDs"])
        elif kind == "SparkListenerTaskEnd":
            tasks.append(_task(event, names))
    return Log(started, ended, tasks, parents)


def busy_seconds(tasks: Iterable[Task]) -> float:
    """How long at least one task ran."""
    total, until = 0.0, 0.0
    for task in sorted(tasks, key=lambda task: task.started):
        total += max(0.0, task.ended - max(task.started, until))
        until = max(until, task.ended)
    return total


def on_paper(log: Log, cores: int) -> float:
    """The seconds that the application would take on so many cores."""
    alone = (log.ended - log.started) - busy_seconds(log.tasks)
    return alone + _laid_out(log, cores)


def _laid_out(log: Log, cores: int) -> float:
    """When the last task ends, of stages that begin as soon as their parents and what ran before them are done."""
    stages: dict[tuple[int, int], list[Task]] = defaultdict(list)
    for task in log.tasks:
        stages[task.stage].append(task)
    free = [0.0] * cores
    done: dict[int, float] = {}
    for stage, tasks in sorted(stages.items(), key=lambda item: min(task.started for task in item[1])):
        ready = max([done.get(parent, 0.0) for parent in log.parents.get(stage[0], ())], default=0.0)
        ready = max(ready, _begun_after(stage, tasks, stages, done))
        for task in sorted(tasks, key=lambda task: task.started):
            begun = max(heapq.heappop(free), ready)
            heapq.heappush(free, begun + task.seconds)
            done[stage[0]] = max(done.get(stage[0], 0.0), begun + task.seconds)
    return max(free)


def _begun_after(
    stage: tuple[int, int],
    tasks: Sequence[Task],
    stages: Mapping[tuple[int, int], Sequence[Task]],
    done: Mapping[int, float],
) -> float:
    """When the stages are done that had ended before this one began: the driver had to see them first."""
    begun = min(task.started for task in tasks)
    before = [other for other, its in stages.items() if other != stage and max(task.ended for task in its) <= begun]
    return max((done.get(number, 0.0) for number, _ in before), default=0.0)


def _events(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _task(event: dict[str, Any], names: dict[int, str]) -> Task:
    told, measured = event["Task Info"], event.get("Task Metrics", {})
    return Task(
        (event["Stage ID"], event["Stage Attempt ID"]),
        names.get(event["Stage ID"], ""),
        told["Executor ID"],
        told["Launch Time"] / 1000,
        told["Finish Time"] / 1000,
        told["Speculative"],
        told["Killed"],
        measured.get("Disk Bytes Spilled", 0),
        measured.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0),
    )
