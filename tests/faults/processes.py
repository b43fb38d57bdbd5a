"""What a job's process tells, and the processes that it consists of."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

# For a whole pipeline on a machine that is busy.
SECONDS = 1800


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it tells until it says `words`."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if words in line:
            return told
    raise AssertionError(told)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit status and the rest of what it tells."""
    told, _ = process.communicate(timeout=SECONDS)
    return process.returncode, told


def ends_within(process: subprocess.Popen[str], seconds: float) -> bool:
    """Waits so long at most."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def kill_all(process: subprocess.Popen[str]) -> None:
    """It, and all that it has started in its session."""
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)


def refusal(told: str) -> str:
    """The one line in which it says why it ends."""
    assert "Traceback" not in told, told
    (line,) = [line for line in told.splitlines() if line.startswith("error: ")]
    return line


def wait_for(found: Callable[[], object]) -> None:
    until = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def offspring(parent: int, *words: str) -> list[psutil.Process]:
    """The processes that it started, and that those started, whose command names all `words`."""
    return [each for each in psutil.Process(parent).children(recursive=True) if {*words} <= {*_command(each)}]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
