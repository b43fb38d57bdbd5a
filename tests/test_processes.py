"""What differs from system to system; how a job is run and ended here is in test_submit.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shelfcast import processes
from shelfcast.processes import is_running, own_numbering, run_to_end

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def test_a_process_runs_until_it_has_ended() -> None:
    child = subprocess.Popen(["sleep", "300"])
    assert is_running(child.pid)
    child.kill()
    # Ended, and not yet asked how.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(child.pid)
    child.wait()
    assert not is_running(child.pid)


@pytest.mark.skipif(not BOOT_ID.exists(), reason="the system has no id of its start")
def test_what_numbers_processes_tells_machines_apart_that_number_theirs_alike() -> None:
    assert own_numbering().endswith(f"-{BOOT_ID.read_text().strip()}")


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The way that jobs are run on Windows, with the system's command as far as it is used: PIDs that it ended."""
    ended = tmp_path / "ended"
    command = tmp_path / "taskkill"
    command.write_text(f'#!/bin/sh\necho "$@" >> {ended}\nkill "$4"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(sys, "platform", "win32")
    return ended


@pytest.mark.parametrize("status", [0, 1, 75])
@pytest.mark.usefixtures("windows")
def test_on_windows_the_job_sees_its_variables_and_its_exit_status_survives(status: int) -> None:
    assert run_to_end(["sh", "-c", 'exit "$STATUS"'], {"STATUS": str(status)}) == status


def test_on_windows_an_interrupt_ends_the_job_and_what_it_started(
    windows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            if not started:
                started.append(self)
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(processes.subprocess, "Popen", Interrupted)
    assert run_to_end(["sleep", "300"], {}) == 130
    assert windows.read_text().split()[:4] == ["/T", "/F", "/PID", str(started[0].pid)]


@pytest.mark.usefixtures("windows")
def test_on_windows_no_process_is_touched_by_asking_for_it() -> None:
    child = subprocess.Popen(["sleep", "300"])
    assert is_running(child.pid)
    assert child.poll() is None
    child.kill()
    child.wait()
