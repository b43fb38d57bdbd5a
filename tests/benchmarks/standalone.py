"""A standalone cluster of this machine, as processes on the loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
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
def cluster(executor_memory: str, folder: Path, workers: int = 2) -> Iterator[str]:
    """The address of a master with workers of a core each, until the block ends. Executor n of an application has its
    files in `folder`/{application}/n."""
    port = _free_port()
    address = f"spark://{HOST}:{port}"
    worker = ("worker.Worker", "--cores", "1", "--memory", executor_memory, "--work-dir", str(folder), address)
    with ExitStack() as stack:
        stack.enter_context(_daemon("master.Master", "--port", str(port)))
        # A worker that comes before its master tries again many seconds later.
        _wait_for(port)
        for _ in range(workers):
            stack.enter_context(_daemon(*worker))
        yield address


@contextmanager
def _daemon(name: str, *flags: str) -> Iterator[None]:
    command = [BIN / "spark-class", f"{_DEPLOY}.{name}", "--host", HOST, "--webui-port", "0", *flags]
    process = subprocess.Popen(command, env=_DAEMONS, stderr=subprocess.DEVNULL)
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
