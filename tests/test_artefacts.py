import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pyarrow import fs

from shelfcast import artefacts

MODEL = {"weights": np.arange(3.0), "words": ["a", "b"]}


@pytest.fixture(autouse=True)
def _nothing_loaded() -> None:
    artefacts.load.cache_clear()


@pytest.mark.parametrize("scheme", [pytest.param("", id="a-bare-path"), pytest.param("file://", id="a-uri")])
def test_a_model_is_read_as_it_was_written_and_nothing_else_lies_beside_it(scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "models" / "run-1" / "product-linear.joblib"
    artefacts.save(MODEL, f"{scheme}{path}")
    found = artefacts.load(f"{scheme}{path}")
    assert (found["weights"].tolist(), found["words"]) == ([0.0, 1.0, 2.0], ["a", "b"])
    assert list(path.parent.iterdir()) == [path]


def test_a_second_writer_replaces_the_first(tmp_path: Path) -> None:
    uri = str(tmp_path / "model.joblib")
    artefacts.save("first", uri)
    artefacts.save("second", uri)
    assert artefacts.load(uri) == "second"


class HalfWritten(io.BytesIO):
    """A stream to a full disk: half of what is written arrives."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def write(self, data: Any) -> int:
        Path(self.path).write_bytes(data[: len(data) // 2])
        raise OSError("no space left on device")


class FullDisk:
    """The local file system, without room for a file."""

    def __init__(self) -> None:
        self.local = fs.LocalFileSystem()
        self.create_dir, self.move = self.local.create_dir, self.local.move

    def open_output_stream(self, path: str) -> HalfWritten:
        return HalfWritten(path)


def test_a_model_is_whole_or_not_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = str(tmp_path / "old.joblib"), str(tmp_path / "new.joblib")
    artefacts.save("old", old)
    with monkeypatch.context() as full:
        full.setattr(artefacts, "_locate", lambda uri: (FullDisk(), uri))
        for uri in (old, new):
            with pytest.raises(OSError, match="no space left"):
                artefacts.save("new", uri)
    assert artefacts.load(old) == "old"
    assert not Path(new).exists()


def test_what_cannot_be_pickled_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="pickle"):
        artefacts.save((n for n in range(3)), str(tmp_path / "models" / "model.joblib"))
    assert not list(tmp_path.iterdir())


def test_a_process_reads_a_model_once(tmp_path: Path) -> None:
    uri = str(tmp_path / "model.joblib")
    artefacts.save(MODEL, uri)
    first = artefacts.load(uri)
    Path(uri).unlink()
    assert artefacts.load(uri) is first


def test_an_artefact_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        artefacts.load(str(tmp_path / "nowhere.joblib"))


def test_the_names_that_spark_has_for_object_stores_are_arrows_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def from_uri(uri: str) -> tuple[fs.FileSystem, str]:
        asked.append(uri)
        return fs.LocalFileSystem(), str(tmp_path / "model.joblib")

    monkeypatch.setattr(artefacts, "fs", SimpleNamespace(FileSystem=SimpleNamespace(from_uri=from_uri)))
    artefacts.save(MODEL, "s3a://lake/models/model.joblib")
    assert asked == ["s3://lake/models/model.joblib"]
