"""Jobs in processes of their own, as spark-submit starts them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chain import SETTINGS

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "conf" / "complete_journey.yaml"

# What `start` has started: a test that fails may leave it at work.
STARTED: list[subprocess.Popen[str]] = []


def chain_flags(chain: Path, lake: Path, *changes: str) -> list[str]:
    """The flags of a job of the small chain, whose files are in `chain`."""
    told = (*SETTINGS, f"source.path={chain}", f"lake={lake}", *changes)
    return ["--config", str(CONFIG), *[word for change in told for word in ("--set", change)]]


def start(
    script: Path, *flags: str, master: str = "local[2]", options: Mapping[str, str] | None = None, **variables: str
) -> subprocess.Popen[str]:
    """The process that runs `script`, first of a group of its own. All that it tells is on stdout: spark-submit puts
    its job's stderr there. options: settings of Spark's. variables: of its environment."""
    command = [
        str(Path(sys.executable).parent / "spark-submit"),
        *("--master", master, "--properties-file", str(ROOT / "conf" / "spark-defaults.conf")),
        *("--conf", "spark.driver.host=localhost", "--conf", "spark.driver.bindAddress=127.0.0.1"),
        *[word for key, value in (options or {}).items() for word in ("--conf", f"{key}={value}")],
        *(str(script), *flags),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "PYSPARK_PYTHON": sys.executable, **variables}
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    STARTED.append(process)
    return process
