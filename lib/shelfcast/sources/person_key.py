"""The secret key by which persons are hashed. A region's lake keeps a mark of the one it was first given, by which
nobody else's is taken for it: by another key a person is another, and one who is to be forgotten is not found."""

import hmac
import os

from shelfcast.errors import ConfigError
from shelfcast.folder import Folder

_VARIABLE = "SHELFCAST_PERSON_KEY"
_MARKED = b"the key of this lake"


def person_key() -> bytes:
    """The secret key for hashing. Raises ConfigError where the environment has none."""
    key = os.environ.get(_VARIABLE)
    if not key:
        raise ConfigError(
            f"source.persons: environment variable {_VARIABLE} is not set; wanted a secret key for hashing"
        )
    return key.encode()


def require_own_key(folder: Folder, region: str) -> None:
    """Raise ConfigError where the region's persons were hashed by another key than the environment's."""
    mark = _mark()
    if folder.has_file(_file(region)) and folder.read_text(_file(region)) != mark:
        raise ConfigError(
            f"{_VARIABLE}: another key than that by which the persons of region {region} are hashed; wanted the same, "
            "or another lake"
        )


def keep_mark(folder: Folder, region: str) -> None:
    """Raises ConfigError where there is that of another key."""
    require_own_key(folder, region)
    if not folder.has_file(_file(region)):
        folder.write_text(_file(region), _mark())


def _mark() -> str:
    return hmac.digest(person_key(), _MARKED, "sha256").hex()


def _file(region: str) -> str:
    return f"_person_keys/{region}"
