import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pyarrow import fs

from shelfcast import artefacts

CONTENT = b"weights"


@pytest.mark.parametrize("scheme", [pytest.param("", id="a-bare-path"), pytest.param("file://", id="a-uri")])
def test_a_file_is_read_as_it_was_written_and_nothing_else_lies_beside_it(scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "models" / "run-1" / "product-linear.skops"
    artefacts.write_bytes(CONTENT, f"{scheme}{path}")
    assert artefacts.read_bytes(f"{scheme}{path}") == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_a_second_writer_replaces_the_first(tmp_path: Path) -> None:
    uri = str(tmp_path / "model.skops")
    artefacts.write_bytes(b"first", uri)
    artefacts.write_bytes(b"second", uri)
    assert artefacts.read_bytes(uri) == b"second"


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


def test_a_file_is_whole_or_not_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = str(tmp_path / "old.skops"), str(tmp_path / "new.skops")
    artefacts.write_bytes(b"old", old)
    with monkeypatch.context() as full:
        full.setattr(artefacts, "locate", lambda uri: (FullDisk(), uri))
        for uri in (old, new):
            with pytest.raises(OSError, match="no space left"):
                artefacts.write_bytes(b"new", uri)
    assert artefacts.read_bytes(old) == b"old"
    assert not artefacts.exists(new)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        artefacts.read_bytes(str(tmp_path / "nowhere.skops"))


def test_the_names_that_spark_has_for_object_stores_are_arrows_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def from_uri(uri: str) -> tuple[fs.FileSystem, str]:
        asked.append(uri)
        return fs.LocalFileSystem(), str(tmp_path / "model.skops")

    monkeypatch.setattr(artefacts, "fs", SimpleNamespace(FileSystem=SimpleNamespace(from_uri=from_uri)))
    artefacts.write_bytes(CONTENT, "s3a://lake/models/model.skops")
    assert asked == ["s3://lake/models/model.skops"]


def test_a_frame_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    first, second = (pd.DataFrame({"y": [value, None], "why": [None, "short"]}) for value in (1.0, 2.0))
    uri = str(tmp_path / "3.parquet")
    for made in (first, second):
        pd.testing.assert_frame_equal(artefacts.once(uri, lambda made=made: made), first)
    pd.testing.assert_frame_equal(artefacts.once(None, lambda: second), second)
