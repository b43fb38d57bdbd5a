"""Files of the lake beside its tables, such as fitted models, written and read by the executors."""

import io
from collections.abc import Callable

import pandas as pd
from pyarrow import fs


def write_bytes(content: bytes, uri: str) -> None:
    """Write a file, whole or not at all."""
    filesystem, path = locate(uri)
    filesystem.create_dir(path.rpartition("/")[0], recursive=True)
    with filesystem.open_output_stream(f"{path}.part") as stream:
        stream.write(content)
    filesystem.move(f"{path}.part", path)


def read_bytes(uri: str) -> bytes:
    """The content of the file. Raises FileNotFoundError."""
    filesystem, path = locate(uri)
    with filesystem.open_input_stream(path) as stream:
        return bytes(stream.readall())


def exists(uri: str) -> bool:
    filesystem, path = locate(uri)
    return bool(filesystem.get_file_info(path).type == fs.FileType.File)


def once(uri: str | None, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The frame in the file; where there is none it is made and put there: what a killed run has finished is not done
    again. Without a file it is made."""
    if uri is not None and exists(uri):
        return pd.read_parquet(io.BytesIO(read_bytes(uri)))
    made = make()
    if uri is not None:
        write_bytes(made.to_parquet(index=False), uri)
    return made


def remove(uri: str) -> None:
    """Remove the file; nothing happens where there is none."""
    filesystem, path = locate(uri)
    if exists(uri):
        filesystem.delete_file(path)


def locate(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system, and the path in it. Spark's s3a is s3 to Arrow; a bare path is a file."""
    if "://" not in uri and not uri.startswith("file:"):
        return fs.LocalFileSystem(), uri
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
    return found
