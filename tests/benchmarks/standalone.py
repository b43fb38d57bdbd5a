"""A standalone cluster of this machine, as processes on the loopback."""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from shelfcast.submit import spark_environment

BIN = Path(sys.executable).parent
HOST = "127.0.0.1"
# The daemons, the driver and what it starts speak on the loopback.
ENVIRONMENT = {**os.environ, **spark_environment()}
_DAEMONS = {**ENVIRONMENT, "SPARK_DAEMON_MEMORY": "256m"}
_DEPLOY = "org.apache.spark.deploy"
# A machine that is busy starts a JVM late.
_SECONDS = 300


@contextmanager
def cluster(
    executor_memory: str, folder: Path, workers: int = 2, cores: int = 1, hidden: Sequence[Path] = ()
) -> Iterator[str]:
    """The address of a master with workers of so many cores each, until the block ends. Executor n of an application
    has its files in `folder`/{application}/n. hidden: folders that are empty for the workers and their executors.

    Each worker has an address of its own, as on a machine of its own: Spark does no task twice on one.
    """
    port = _free_port()
    address = f"spark://{HOST}:{port}"
    flags = ("--cores", str(cores), "--memory", executor_memory, "--work-dir", str(folder), address)
    with ExitStack() as stack:
        stack.enter_context(_daemon("master.Master", HOST, "--port", str(port)))
        # A worker that comes before its master tries again many seconds later.
        _wait_for(port)
        for number in range(workers):
            stack.enter_context(_daemon("worker.Worker", f"127.0.0.{2 + number}", *flags, hidden=hidden))
        yield address


def can_hide() -> bool:
    """Whether this system lets a process have folders of its own."""
    try:
        return subprocess.run([*_hiding([Path("/mnt")]), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _hiding(folders: Sequence[Path]) -> list[str]:
    """The words before a command for which the folders are empty."""
    if not folders:
        return []
    mounts = " && ".join(f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in folders)
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]


@contextmanager
def _daemon(name: str, host: str, *flags: str, hidden: Sequence[Path] = ()) -> Iterator[None]:
    program = [str(BIN / "spark-class"), f"{_DEPLOY}.{name}", "--host", host, "--webui-port", "0", *flags]
    environment = {**_DAEMONS, "SPARK_LOCAL_IP": host}
    process = subprocess.Popen([*_hiding(hidden), *program], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError), socket.create_connection((HOST, port)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"port {port}: no master of Spark answers after {_SECONDS} s")
