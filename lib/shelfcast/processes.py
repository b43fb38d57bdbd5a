"""Processes of this machine: the one module that knows how systems differ in them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_INTERRUPTED = 130
_STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command to its end, with these variables on top of the present ones, and return its exit status; an
    interrupt stops it and all that it has started."""
    variables = {**os.environ, **environment}
    if sys.platform == "win32":
        return _run_on_windows(command, variables)
    return _run_in_session(command, variables)


def is_running(pid: int) -> bool:
    """Whether there is such a process; true where the system does not tell."""
    if sys.platform == "win32":
        # There os.kill asks nothing: it ends the process.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _has_ended(pid)


def own_numbering() -> str:
    """What tells apart within what processes are numbered: each container of a machine has a process 1, and none knows
    the others'. Outside of containers it is the same number on every Linux, where each start of a machine has an id.
    Empty where the system numbers all of its processes together."""
    try:
        namespace = str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""
    return f"{namespace}-{_boot_id()}".removesuffix("-")


def give_way() -> None:
    """This process works when no other wants to, where the system can be told so."""
    if sys.platform != "win32":
        os.nice(10)


def _boot_id() -> str:
    """Of this machine since its start; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _has_ended(pid: int) -> bool:
    """Whether only the process's entry is left: a container's first process may never ask how its orphans ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        # No Linux, or gone by now.
        return False
    return state in ("Z", "X")


def _run_on_windows(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Ctrl-C reaches all processes of the console; what does not listen is ended by the system's own command."""
    process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL)
    try:
        return process.wait()
    except KeyboardInterrupt:
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        process.wait()
        return _INTERRUPTED


if sys.platform != "win32":
    _ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)

    def _run_in_session(command: Sequence[str], variables: Mapping[str, str]) -> int:
        """The JVM and its Python processes form a session of their own, so that Ctrl-C reaches this process alone,
        which asks them to end: an interrupt of their own they would answer with stack traces."""
        ending = _Ending()
        with _handling(ending):
            ending.process = subprocess.Popen(
                command,
                env=variables,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
            ending.pass_on()
            status = ending.process.wait()
        if ending.received:
            return 128 + ending.received[0]
        return status if status >= 0 else 128 - status

    class _Ending:
        """Passes signals on to a process and what it started: asks them to end at the first, insists at the next.

        A signal may come before there is a process: it is kept, and passed on then.
        """

        def __init__(self) -> None:
            self.process: subprocess.Popen[bytes] | None = None
            self.received: list[int] = []

        def __call__(self, number: int, _: FrameType | None) -> None:
            self.received.append(number)
            self.pass_on()

        def pass_on(self) -> None:
            if self.process is None or not self.received:
                return
            is_first = len(self.received) == 1
            if is_first:
                signal.alarm(_STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM if is_first else signal.SIGKILL)

    @contextmanager
    def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
        """`handler` gets the signals that end a process, but those that are ignored: a run under nohup stays deaf."""
        heard = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, handler) for number in heard}
        try:
            yield
        finally:
            signal.alarm(0)
            for number, previous in before.items():
                signal.signal(number, previous)

    def _die_with_parent() -> None:
        """Where this process is killed outright, Linux ends the JVM: no job writes on with nobody waiting for it."""
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
