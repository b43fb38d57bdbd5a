"""Passwords and tokens: only their hashes are kept, passwords and tokens by Argon2id (RFC 9106)."""

import hashlib
import secrets
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shelfcast.errors import ShelfcastError

# RFC 9106, section 4, the second recommended option: 64 MiB, three passes.
_PASSWORDS = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, type=Type.ID)
# A token is 256 random bits, which no dictionary holds: one pass over little memory is enough.
_TOKENS = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1, type=Type.ID)
# What this process has seen to be right, as (digest of the token, what is kept of it): Argon2 is costly by design, and
# a token comes with every request. Whether it is still good is asked each time.
_known_tokens: set[tuple[str, str]] = set()
_MOST_KNOWN = 4096


class WeakPasswordError(ShelfcastError):
    """A password that is too easily guessed."""


def new_secret() -> str:
    """256 random bits as text that stands in a URL, a header and a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a random secret that is sought by its value."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str, name: str, least: int) -> str:
    """Raises WeakPasswordError where it is shorter than `least`, or made of the user's name."""
    if len(password) < least:
        raise WeakPasswordError(f"password: {len(password)} characters; wanted {least} or more")
    if len(password) > 1024:
        raise WeakPasswordError(f"password: {len(password)} characters; wanted 1024 or fewer")
    if name.casefold() in password.casefold() or len(set(password)) < 5:
        raise WeakPasswordError("password: easily guessed; wanted five different characters and not the user's name")
    return _PASSWORDS.hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the password; where there is none it takes as long to say no."""
    return _verify(_PASSWORDS, kept or _nobodys(), password) and kept is not None


def hash_token(secret: str) -> str:
    return _TOKENS.hash(secret)


def is_token(secret: str, kept: str) -> bool:
    known = (digest(secret), kept)
    if known in _known_tokens:
        return True
    is_right = _verify(_TOKENS, kept, secret)
    if is_right:
        if len(_known_tokens) >= _MOST_KNOWN:
            _known_tokens.clear()
        _known_tokens.add(known)
    return is_right


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _PASSWORDS.hash(new_secret())


def _verify(hasher: PasswordHasher, kept: str, secret: str) -> bool:
    try:
        return hasher.verify(kept, secret)
    except (VerificationError, InvalidHashError):
        return False
