"""Runs a contestant in a process of its own, and watches the processor time and the memory of all that it starts."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

EVERY = 0.25


class Sample(NamedTuple):
    """at: seconds of the system's clock; cpu: processor seconds so far; pss: proportional set size, bytes."""

    at: float
    cpu: float
    pss: int


def measured(command: Sequence[str | Path], environment: Mapping[str, str]) -> dict[str, Any]:
    """What `command` tells in its last line (see `contest`), with processor seconds of each run and its peak memory.

    Raises CalledProcessError where it fails.
    """
    started = time.time()
    child = subprocess.Popen([str(part) for part in command], env=dict(environment), stdout=subprocess.PIPE, text=True)
    samples: list[Sample] = []
    watcher = threading.Thread(target=watch, args=(child.pid, samples))
    watcher.start()
    output, _ = child.communicate()
    watcher.join()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    told = json.loads(output.splitlines()[-1])
    seconds = [end - begin for begin, end in told["runs"]]
    return {
        **told["result"],
        "startup_s": round(told["ready"] - started, 2),
        "first_s": round(seconds[0], 2),
        "median_s": round(statistics.median(seconds), 2),
        "seconds": [round(value, 2) for value in seconds],
        "cpu_s": round(statistics.median(_cpu(samples, end) - _cpu(samples, begin) for begin, end in told["runs"]), 2),
        "peak_gb": round(max((sample.pss for sample in samples), default=0) / 1e9, 2),
    }


def contest(ready: float, work: Callable[[int], Mapping[str, Any]], runs: int) -> None:
    """Do the work so often and tell, as one line of JSON, when it was done and what the last time gave."""
    spans, result = [], dict[str, Any]()
    for number in range(runs):
        begin = time.time()
        result = dict(work(number))
        spans.append((begin, time.time()))
    sys.stdout.write(json.dumps({"ready": ready, "runs": spans, "result": result}) + "\n")


def watch(pid: int, samples: list[Sample]) -> None:
    """Samples of the process and all below it until it ends. What has ended keeps its processor time."""
    spent: dict[int, float] = {}
    root = psutil.Process(pid)
    while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
        pss = 0
        for process in _family(root):
            try:
                times = process.cpu_times()
                spent[process.pid] = times.user + times.system
                pss += process.memory_full_info().pss
            except psutil.Error:
                continue
        samples.append(Sample(time.time(), sum(spent.values()), pss))
        time.sleep(EVERY)


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _cpu(samples: Sequence[Sample], at: float) -> float:
    """Processor seconds spent until then."""
    return max((sample.cpu for sample in samples if sample.at <= at + EVERY), default=0.0)
