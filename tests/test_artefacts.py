from pathlib import Path

import pandas as pd
import pytest

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


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        artefacts.read_bytes(str(tmp_path / "nowhere.skops"))


def test_a_frame_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    first, second = (pd.DataFrame({"y": [value, None], "why": [None, "short"]}) for value in (1.0, 2.0))
    uri = str(tmp_path / "3.parquet")
    for made in (first, second):
        pd.testing.assert_frame_equal(artefacts.once(uri, lambda made=made: made), first)
    pd.testing.assert_frame_equal(artefacts.once(None, lambda: second), second)
