import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import shelfcast
from shelfcast import code
from shelfcast.code import _reachable, code_version


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
    yield
    code_version.cache_clear()
