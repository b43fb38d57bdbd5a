import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import shelfcast
from shelfcast import code
from shelfcast.code import _reachable, code_version, git_commit, libraries


def test_the_version_of_a_job_counts_what_it_imports_near_and_far() -> None:
    reached = _reachable("shelfcast.steps.clean")
    assert {"shelfcast.steps.clean", "shelfcast.cleaning.sizes", "shelfcast.lake", "shelfcast.errors"} <= reached


def test_a_change_of_the_models_does_not_clean_anew() -> None:
    assert not {name for name in _reachable("shelfcast.steps.clean") if "models" in name or "reporting" in name}


def test_another_module_is_another_version() -> None:
    assert code_version("shelfcast.steps.clean") != code_version("shelfcast.steps.aggregate")


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The templates of a copy of the package, which counts from here on."""
    copy = tmp_path / "shelfcast"
    shutil.copytree(Path(shelfcast.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code.importlib.resources, "files", lambda _: copy)
    return copy / "reporting" / "templates"


def test_a_change_of_the_page_s_style_makes_the_report_anew_and_nothing_else(templates: Path) -> None:
    code_version.cache_clear()
    before = [code_version(f"shelfcast.steps.{step}") for step in ("report", "clean")]
    code_version.cache_clear()
    (templates / "style.css").write_text("body { color: red }")
    after = [code_version(f"shelfcast.steps.{step}") for step in ("report", "clean")]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_another_version_of_a_package_that_computes_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version("shelfcast.steps.clean")
    real = metadata.version
    monkeypatch.setattr(code, "version", lambda name: "0.0" if name == "scikit-learn" else real(name))
    code_version.cache_clear()
    assert code_version("shelfcast.steps.clean") != before


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a test makes of a version is its own."""
    git_commit.cache_clear()
    yield
    code_version.cache_clear()
    git_commit.cache_clear()


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, env={**os.environ, **identity}, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a package that git does not know yet."""
    package = tmp_path / "lib" / "shelfcast"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (tmp_path / "README.md").write_text("other things")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "README.md")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    monkeypatch.setattr(code.importlib.resources, "files", lambda _: package)
    return tmp_path


def test_the_commit_of_a_checkout_is_known_and_whether_it_was_changed_since(checkout: Path) -> None:
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "second")
    assert git_commit() == git(checkout, "rev-parse", "HEAD")
    git_commit.cache_clear()
    (checkout / "lib" / "shelfcast" / "__init__.py").write_text("changed = True")
    assert git_commit() == f"{git(checkout, 'rev-parse', 'HEAD')}-dirty"


def test_a_package_that_lies_untracked_in_a_checkout_is_of_none_of_its_commits(checkout: Path) -> None:
    assert (checkout / "lib" / "shelfcast").is_dir()
    assert git_commit() is None


def test_outside_of_a_checkout_there_is_no_commit(templates: Path) -> None:
    assert templates.is_dir()
    assert git_commit() is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(checkout, "add", ".")
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_an_archive_brings_its_commit_along_and_no_run_key_depends_on_it(templates: Path) -> None:
    code_version.cache_clear()
    before = code_version("shelfcast.steps.clean")
    code_version.cache_clear()
    (templates.parents[1] / "commit.txt").write_text("4392fc4\n")
    assert git_commit() == "4392fc4"
    assert code_version("shelfcast.steps.clean") == before


def test_the_libraries_that_models_are_fitted_and_stored_with_are_told() -> None:
    assert {"python", "numpy", "scikit-learn", "pyspark", "keras", "skops"} <= libraries().keys()
    assert libraries()["numpy"] == metadata.version("numpy")
