"""Where files lie that are read and written without Spark, by executors' Python too: on this machine, or in an object
store. Arrow's file systems, under the names that Spark knows them by.

Credentials and the address of a server that is S3's like come from the environment, where Spark looks for them too:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL; on Amazon's machines from
their role. AWS_CA_BUNDLE names the file of the authorities that a store's certificate may be of. The key of an account
of Azure's is AZURE_STORAGE_KEY; without it Azure's machines have their identity.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from pyarrow import NativeFile, fs

_S3 = ("s3a", "s3")
_AZURE = ("abfss", "abfs")
_BLOCK = 1 << 22
# By the end of a name: what the file was packed by.
_PACKED = {".gz": "gzip", ".bz2": "bz2"}
_MARKS = re.compile(r"[\\\[\]{}*?]")


def is_remote(uri: str) -> bool:
    """Whether it lies in a store and not on this machine."""
    return "://" in uri and not uri.startswith("file:")


def s3_region() -> str | None:
    """The region that the environment names; us-east-1, as most take it, of a server that is S3's like."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return named or ("us-east-1" if os.environ.get("AWS_ENDPOINT_URL") else None)


def address(root: str, name: str) -> str:
    """Where the file lies that a row of a lake names: by its path below the root, which is the same in a copy of the
    lake, or, as rows of before do, by its address."""
    return name if "://" in name or name.startswith(("/", "file:")) else f"{root}/{name}"


def locate(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system, and the path in it; a bare path is a file of this machine."""
    scheme, separator, path = uri.partition("://")
    if scheme in _S3 and separator:
        return _s3(path.partition("/")[0]), path
    if scheme in _AZURE and separator:
        # Of CONTAINER@ACCOUNT.dfs.core.windows.net/PATH: to Arrow the container is the first folder of the account.
        address, slash, below = path.partition("/")
        container, _, host = address.partition("@")
        return _azure(host), f"{container}{slash}{below}"
    if not separator and not uri.startswith("file:"):
        return fs.LocalFileSystem(), uri
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri)
    return found


def locate_all(files: Sequence[str]) -> tuple[fs.FileSystem, list[str]]:
    """The one file system of files as Spark names them, which is with escapes, and their paths in it."""
    plain = [url2pathname(urlsplit(file).path) if file.startswith("file:") else unquote(file) for file in files]
    located = [locate(file) for file in plain]
    return located[0][0], [path for _, path in located]


def find(folder: str, pattern: str) -> list[str]:
    """The files, and folders, under `folder` that `pattern` (*, ?) names, sorted; as Spark names them."""
    return [*survey(folder, pattern)]


def survey(folder: str, pattern: str) -> dict[str, fs.FileInfo]:
    """What `find` finds, with what the file system tells of each."""
    if "://" not in folder:
        paths = sorted(map(str, Path(folder).glob(pattern)))
        return dict(zip(paths, fs.LocalFileSystem().get_file_info(paths), strict=True))
    filesystem, root = locate(folder.rstrip("/"))
    selector = fs.FileSelector(root, allow_not_found=True, recursive="/" in pattern)
    below = {info.path.removeprefix(root).lstrip("/"): info for info in filesystem.get_file_info(selector)}
    return {f"{folder.rstrip('/')}/{name}": below[name] for name in sorted(below) if _fits(name, pattern)}


def is_passed_over(name: str) -> bool:
    """Whether Spark's readers pass over a file of this name without a word, even where they are given it by its path.

    >>> [name for name in ("a.csv", "_a.csv", "_a=1.csv", ".a.csv", "a.csv._COPYING_") if is_passed_over(name)]
    ['_a.csv', '.a.csv', 'a.csv._COPYING_']
    """
    return name.startswith(".") or name.endswith("._COPYING_") or (name.startswith("_") and "=" not in name)


def has_folder(uri: str) -> bool:
    """Whether the folder is there. A store of objects knows none: what has no file there may have been emptied."""
    filesystem, path = locate(uri)
    if isinstance(filesystem, fs.S3FileSystem | fs.GcsFileSystem):
        return True
    return bool(filesystem.get_file_info(path).type == fs.FileType.Directory)


def literally(path: str) -> str:
    """A file's name as Spark's readers take it for that very file, where they would take marks for a pattern.

    >>> literally("inbox/sales[1].csv")
    'inbox/sales\\\\[1\\\\].csv'
    """
    return _MARKS.sub(r"\\\g<0>", path)


def about(uri: str) -> fs.FileInfo:
    """What the file system tells of it, or that there is nothing."""
    filesystem, path = locate(uri)
    return filesystem.get_file_info(path)


def is_file(uri: str) -> bool:
    return bool(about(uri).type == fs.FileType.File)


def packing_of(name: str) -> str | None:
    """What packs a file of that name; None where nothing does.

    >>> packing_of("sales.csv.gz"), packing_of("sales.csv")
    ('gzip', None)
    """
    return next((packing for ending, packing in _PACKED.items() if name.endswith(ending)), None)


def read_head(uri: str, size: int) -> bytes:
    """The first `size` bytes, unpacked where the name ends in .gz or .bz2. Raises OSError."""
    filesystem, path = locate(uri)
    with filesystem.open_input_stream(path, compression=packing_of(uri)) as stream:
        return bytes(stream.read(size))


def content_hash(uri: str) -> str:
    """A hash (SHA-256) of what the file holds. Raises FileNotFoundError."""
    filesystem, path = locate(uri)
    digest = hashlib.sha256()
    with filesystem.open_input_stream(path, compression=None) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_bytes(uri: str) -> bytes:
    """The content of the file. Raises FileNotFoundError."""
    filesystem, path = locate(uri)
    with filesystem.open_input_stream(path) as stream:
        return bytes(stream.readall())


def write_bytes(content: bytes, uri: str) -> None:
    """Write a file, whole or not at all."""
    with _whole_file(uri) as stream:
        stream.write(content)


def copy(source: str, target: str) -> None:
    """Copy a file of any size. Whole or not at all, but that a store of objects keeps what it has got where reading
    fails. Raises FileNotFoundError."""
    filesystem, path = locate(source)
    with filesystem.open_input_stream(path) as reader, _whole_file(target) as writer:
        while block := reader.read(_BLOCK):
            writer.write(block)


@contextmanager
def _whole_file(uri: str) -> Iterator[NativeFile]:
    filesystem, path = locate(uri)
    if isinstance(filesystem, fs.S3FileSystem | fs.GcsFileSystem):
        # An object is there once it has been sent, and not before; to move it would be to send it again.
        with filesystem.open_output_stream(path) as stream:
            yield stream
        return
    # In Azure an object is there, and empty, as soon as it is opened.
    filesystem.create_dir(os.path.dirname(path), recursive=True)
    # Of a task that Spark runs twice both write the file at once: the last one stands.
    part = f"{path}.{uuid4().hex[:8]}.part"
    try:
        with filesystem.open_output_stream(part) as stream:
            yield stream
        filesystem.move(part, path)
    except BaseException:
        with suppress(OSError):
            filesystem.delete_file(part)
        raise


def remove(uri: str) -> None:
    """Remove the file; nothing happens where there is none."""
    filesystem, path = locate(uri)
    if is_file(uri):
        filesystem.delete_file(path)


def _fits(name: str, pattern: str) -> bool:
    """Part by part: a mark stands for no slash."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


@cache
def _s3(bucket: str) -> fs.FileSystem:
    """The file system of a bucket: its region is asked for where the environment does not say."""
    told = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    region = s3_region()
    authorities = os.environ.get("AWS_CA_BUNDLE")
    options = {
        **({"scheme": told.scheme, "endpoint_override": told.netloc} if told.netloc else {}),
        **({"region": region} if region else {}),
        # Amazon's tools read this variable; the library that Arrow speaks to S3 by does not.
        **({"tls_ca_file_path": authorities} if authorities else {}),
    }
    filesystem, _ = fs.FileSystem.from_uri(f"s3://{bucket}?{urlencode(options)}" if options else f"s3://{bucket}")
    return filesystem


@cache
def _azure(host: str) -> fs.FileSystem:
    """The file system of an account, by its key where the environment has one, else by the identity of the machine."""
    account, _, authority = host.partition(".")
    return fs.AzureFileSystem(
        account,
        account_key=os.environ.get("AZURE_STORAGE_KEY") or None,
        dfs_storage_authority=f".{authority}",
        blob_storage_authority=f".{authority.replace('dfs', 'blob', 1)}",
    )
