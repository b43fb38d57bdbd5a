"""Text files as received: packed or not, in the encoding that they are said to be in."""

import codecs

from shelfcast import storage
from shelfcast.errors import SourceError
from shelfcast.failures import naming_what_is_away

# So many bytes of a file, unpacked, tell whether it is text.
HEAD_BYTES = 65_536
# What packs files, by the bytes that they begin with.
_PACKED = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def head_of(file: str, encoding: str, what: str) -> str:
    """The first characters of a file, unpacked. Raises SourceError where it is no text of that encoding."""
    wanted = encoding.upper()
    try:
        with naming_what_is_away():
            head = storage.read_head(file, HEAD_BYTES)
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error}); wanted {what}") from None
    if not head.strip():
        raise SourceError(f"{file}: empty; wanted {what}")
    if packed := next((name for mark, name in _PACKED.items() if head.startswith(mark)), None):
        wanted = "wanted it unpacked, or named .gz where gzip packed it, .bz2 where bzip2 did"
        raise SourceError(f"{file}: a packed file ({packed}); {wanted}")
    if head.startswith(_UTF_16) and "16" not in encoding and "32" not in encoding:
        raise SourceError(f"{file}: text in UTF-16; wanted {wanted}")
    if b"\0" in head and "16" not in encoding and "32" not in encoding:
        raise SourceError(f"{file}: not text (a zero byte at {head.index(0)}); wanted {what}")
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SourceError(f"{file}: byte {error.start} is not {wanted} text; wanted the file in {wanted}") from None
