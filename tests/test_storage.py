"""Files wherever they lie; those of an object store are in steps/test_object_store.py."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from shelfcast import storage


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
        self.delete_file = self.local.delete_file

    def open_output_stream(self, path: str) -> HalfWritten:
        return HalfWritten(path)


def test_a_file_is_whole_or_not_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = str(tmp_path / "old.skops"), str(tmp_path / "new.skops")
    storage.write_bytes(b"old", old)
    with monkeypatch.context() as full:
        full.setattr(storage, "locate", lambda uri: (FullDisk(), uri))
        for uri in (old, new):
            with pytest.raises(OSError, match="no space left"):
                storage.write_bytes(b"new", uri)
    assert storage.read_bytes(old) == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.skops"]


def test_of_two_that_write_a_file_at_once_each_writes_a_whole_one(tmp_path: Path) -> None:
    uri = str(tmp_path / "model.skops")
    with storage._whole_file(uri) as one:
        one.write(b"one, ")
        with storage._whole_file(uri) as other:
            other.write(b"other")
        one.write(b"and the rest of one")
    assert storage.read_bytes(uri) == b"one, and the rest of one"
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("*.csv", ["a.csv", "b.csv"], id="of one kind"),
        pytest.param("?.csv*", ["a.csv", "b.csv", "b.csv.gz"], id="packed or not"),
        pytest.param("*/*.csv", ["2017/c.csv"], id="of folders"),
        pytest.param("d.csv", [], id="not there"),
    ],
)
def test_files_are_found_by_their_pattern(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("b.csv", "a.csv", "b.csv.gz", "2017/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert storage.find(str(tmp_path), pattern) == [str(tmp_path / name) for name in found]
    # Named with its scheme, as on a disk that all machines of a cluster share.
    assert storage.find(tmp_path.as_uri(), pattern) == [f"{tmp_path.as_uri()}/{name}" for name in found]


@pytest.mark.parametrize("name", ["lake/a b%20.parquet", "region=here/x.parquet"])
def test_names_with_escapes_are_what_they_stand_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    filesystem, (found,) = storage.locate_all([path.as_uri()])
    assert (type(filesystem), found) == (fs.LocalFileSystem, str(path))


@pytest.fixture
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stores are looked for as the test's own environment says."""
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AZURE_STORAGE_KEY"):
        monkeypatch.delenv(name, raising=False)
    for found in (storage._s3, storage._azure):
        found.cache_clear()
    yield
    for found in (storage._s3, storage._azure):
        found.cache_clear()


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize("scheme", ["s3a", "s3"])
def test_a_store_is_found_by_the_variables_that_amazon_s_tools_read(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.corner.example:9000")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/corner/authority.pem")
    where = {"scheme": "https", "endpoint_override": "store.corner.example:9000", "region": "us-east-1"}
    filesystem, path = storage.locate(f"{scheme}://corner/in/sales 1%.csv")
    assert path == "corner/in/sales 1%.csv"
    assert filesystem == fs.S3FileSystem(**where, tls_ca_file_path="/etc/corner/authority.pem")
    assert filesystem != fs.S3FileSystem(**where)


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize("key", ["a2V5", None], ids=["by its key", "as the machine"])
def test_an_account_of_azure_s_is_opened_with_the_key_of_the_environment(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if key:
        monkeypatch.setenv("AZURE_STORAGE_KEY", key)
    filesystem, path = storage.locate("abfss://box@shops.dfs.core.windows.net/lake/a b%.skops")
    assert path == "box/lake/a b%.skops"
    assert filesystem == fs.AzureFileSystem("shops", account_key=key)
    assert storage.locate("abfss://box@shops.dfs.core.windows.net")[1] == "box"


@pytest.mark.usefixtures("_anew")
def test_an_account_of_another_cloud_is_looked_for_there() -> None:
    authorities = {f"{kind}_storage_authority": f".{kind}.core.chinacloudapi.cn" for kind in ("blob", "dfs")}
    filesystem, _ = storage.locate("abfss://box@shops.dfs.core.chinacloudapi.cn/lake")
    assert filesystem == fs.AzureFileSystem("shops", **authorities)
