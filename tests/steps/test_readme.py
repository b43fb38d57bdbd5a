"""The commands of README.md, as a reader would type them."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from chain import SETTINGS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
MAKE = [line for block in BLOCKS for line in block.splitlines() if line.startswith("make ")]
OTHERS = [block for block in BLOCKS if not block.startswith("make ")]


def test_the_reader_is_told_to_run_and_to_test() -> None:
    assert {"make run", "make test"} <= {*MAKE}
    assert len(OTHERS) >= 2


@pytest.mark.parametrize("command", MAKE)
def test_make_knows_its_targets(command: str) -> None:
    done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def checkout(tmp_path: Path, chain: Path) -> Path:
    """The project as it is, but for its data: a small chain instead of the real one."""
    for name in ("jobs", "lib", "setup.py", "README.md", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").symlink_to(ROOT / "conf" / "spark-defaults.conf")
    settings = yaml.safe_load((ROOT / "conf" / "complete_journey.yaml").read_text())
    for change in (*SETTINGS, f"source.path={chain}"):
        key, _, value = change.partition("=")
        *path, last = key.split(".")
        section = settings
        for name in path:
            section = section[name]
        section[last] = yaml.safe_load(value)
    (tmp_path / "conf" / "complete_journey.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


@pytest.mark.slow
def test_the_commands_run_as_they_are_written(checkout: Path) -> None:
    outside = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYSPARK_PYTHON"}}
    ingested = OTHERS[0].replace("submit clean", "submit ingest")
    assert ingested != OTHERS[0]
    for commands in (ingested, *OTHERS):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], cwd=checkout, env=outside, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{commands}\n{done.stderr[-3000:]}"
    assert (checkout / "lake" / "clean" / "sales" / "_delta_log").is_dir()
    # by hand, with the same lake: there is nothing left to do
    assert "clean: up to date" in done.stdout + done.stderr
