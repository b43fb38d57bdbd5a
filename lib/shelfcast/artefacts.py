"""Fitted models as files of the lake, written and read by the executors."""

import io
from functools import lru_cache
from typing import Any

import joblib
from pyarrow import fs

# A worker scores bucket after bucket with the same few models: it loads each once.
_LOADED_AT_ONCE = 64


def save(model: Any, uri: str) -> None:
    """Write a model, whole or not at all: a reader of `uri` never finds half of one."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer, compress=3)
    write_bytes(buffer.getvalue(), uri)


@lru_cache(maxsize=_LOADED_AT_ONCE)
def load(uri: str) -> Any:
    """The model at `uri`, kept by the process that loads it."""
    return joblib.load(io.BytesIO(read_bytes(uri)))


def write_bytes(content: bytes, uri: str) -> None:
    """Write a file, whole or not at all."""
    filesystem, path = _locate(uri)
    filesystem.create_dir(path.rpartition("/")[0], recursive=True)
    with filesystem.open_output_stream(f"{path}.part") as stream:
        stream.write(content)
    filesystem.move(f"{path}.part", path)


def read_bytes(uri: str) -> bytes:
    """The content of the file. Raises FileNotFoundError."""
    filesystem, path = _locate(uri)
    with filesystem.open_input_stream(path) as stream:
        return bytes(stream.readall())


def exists(uri: str) -> bool:
    filesystem, path = _locate(uri)
    return bool(filesystem.get_file_info(path).type == fs.FileType.File)


def _locate(uri: str) -> tuple[fs.FileSystem, str]:
    """Spark's s3a is s3 to Arrow; a bare path is a file."""
    if "://" not in uri and not uri.startswith("file:"):
        return fs.LocalFileSystem(), uri
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
    return found
