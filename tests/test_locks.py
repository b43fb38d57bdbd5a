"""Two processes, one file between them."""

import subprocess
import sys
from pathlib import Path

import pytest

from shelfcast.locks import locked

ROOT = Path(__file__).parents[1]
# Says when it has the lock, and keeps it until it is told to end, or is killed.
HOLDER = "import sys; from pathlib import Path; from shelfcast.locks import locked\nwith locked(Path(sys.argv[1])): {}"


def _start(code: str, lock: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER.format(code), str(lock)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={"PYTHONPATH": str(ROOT / "lib")}, **pipes)  # type: ignore[call-overload,no-any-return]


def test_one_waits_until_the_other_has_ended_even_by_a_kill(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first = _start("print('held', flush=True); sys.stdin.read()", lock)
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    second = _start("print('held', flush=True)", lock)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    first.kill()
    assert second.communicate(timeout=60)[0] == "held\n"
    first.communicate()
    with locked(lock):
        pass
