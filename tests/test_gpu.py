"""What the project ships for GPUs, as far as a machine without one can tell."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from shelfcast.errors import ConfigError
from shelfcast.training.distributed import require_settings

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf" / "gpu"


def _discover(folder: Path, answer: str) -> subprocess.CompletedProcess[str]:
    """The discovery script on a machine whose driver gives this answer."""
    driver = folder / "nvidia-smi"
    driver.write_text(f"#!/bin/sh\n{answer}\n")
    driver.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run([CONF / "discover_gpus.sh"], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("indices", "addresses"),
    [
        pytest.param("0\\n", ["0"], id="one"),
        pytest.param("0\\n1\\n2\\n3\\n", ["0", "1", "2", "3"], id="four"),
    ],
)
def test_discovery_tells_spark_the_addresses_of_the_gpus(tmp_path: Path, indices: str, addresses: list[str]) -> None:
    done = _discover(tmp_path, f"printf '{indices}'")
    assert json.loads(done.stdout) == {"name": "gpu", "addresses": addresses}


def test_discovery_fails_where_the_driver_does(tmp_path: Path) -> None:
    assert _discover(tmp_path, "echo 'no devices were found'; exit 6").returncode != 0


def test_the_settings_for_gpus_let_processes_train_together() -> None:
    lines = (CONF / "spark-gpu.conf").read_text().splitlines()
    settings = dict(line.split() for line in lines if line.startswith("spark."))
    require_settings({"spark.master": "spark://host:7077", **settings})
    with pytest.raises(ConfigError, match=r"spark\.task\.maxFailures"):
        require_settings({"spark.master": "spark://host:7077"})
    assert settings["spark.task.resource.gpu.amount"] == "1"


def test_tensorflow_for_gpus_has_the_version_and_needs_of_that_for_cpus() -> None:
    gpu, cpu = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "environment" / name).read_text(), flags=re.MULTILINE))
        for name in ("gpu.txt", "requirements.txt")
    )
    assert gpu["tensorflow"] == cpu["tensorflow-cpu"]
    both = gpu.keys() & cpu.keys()
    assert {name: gpu[name] for name in both} == {name: cpu[name] for name in both}
    assert "nvidia-nccl-cu12" in gpu
