"""Sessions and API tokens: what a request shows to be recognised by."""

import secrets
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from shelfcast.api.access.accounts import AccountError, now, principal_of, with_user
from shelfcast.api.access.principal import Principal
from shelfcast.api.access.secrets import digest, hash_token, is_token, new_secret
from shelfcast.api.access.tables import SESSIONS, TOKENS
from shelfcast.settings.serving import Access

_PREFIX = "shelfcast"
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60
# A session's last request is written down so often at most: reading alone takes no lock.
_SEEN_EVERY = 60
# Each request asks one of them: written once, and read with the user in one go.
_BY_SESSION, _BY_TOKEN = with_user(SESSIONS, SESSIONS.c.digest), with_user(TOKENS, TOKENS.c.id)


def open_session(connection: Connection, user_id: int, settings: Access) -> str:
    """A session's secret, for its cookie. What has ended is removed."""
    secret, csrf, at = new_secret(), new_secret(), now()
    connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= at))
    row = {"digest": digest(secret), "user_id": user_id, "csrf": csrf, "created_at": at, "seen_at": at}
    connection.execute(insert(SESSIONS).values(row | {"expires_at": at + settings.session_hours * _HOUR}))
    return secret


def of_session(connection: Connection, secret: str, settings: Access) -> Principal | None:
    """Whose session it is; None where it has ended, or has rested for too long."""
    at, rows = now(), connection.execute(_BY_SESSION, {"key": digest(secret)}).all()
    row = rows[0] if rows else None
    if row is None or row.expires_at <= at or row.seen_at + settings.idle_minutes * _MINUTE <= at:
        return None
    return principal_of(rows, via="session", csrf=row.csrf)


def is_unseen(connection: Connection, secret: str) -> bool:
    """Whether none of the session's requests was written down lately."""
    own = (SESSIONS.c.digest == digest(secret)) & (SESSIONS.c.seen_at + _SEEN_EVERY <= now())
    return connection.execute(select(SESSIONS.c.digest).where(own)).first() is not None


def see_session(connection: Connection, secret: str) -> None:
    connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest(secret)).values(seen_at=now()))


def close_session(connection: Connection, secret: str) -> None:
    connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest(secret)))


def make_token(connection: Connection, user_id: int, label: str, days: int) -> tuple[str, str]:
    """The number of a new token, and the token itself, which is shown this once."""
    token_id, secret, at = secrets.token_hex(8), new_secret(), now()
    row = {"id": token_id, "user_id": user_id, "label": label, "secret": hash_token(secret), "created_at": at}
    connection.execute(insert(TOKENS).values(row | {"expires_at": at + days * _DAY}))
    return token_id, f"{_PREFIX}_{token_id}_{secret}"


def of_token(connection: Connection, token: str) -> Principal | None:
    """Whose token it is; None where it is none, has expired or was revoked."""
    prefix, _, rest = token.partition("_")
    token_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not secret:
        return None
    rows = connection.execute(_BY_TOKEN, {"key": token_id}).all()
    row = rows[0] if rows else None
    if row is None or row.expires_at <= now() or row.revoked_at is not None or not is_token(secret, row.secret):
        return None
    return principal_of(rows, via="token")


def list_tokens(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """id, label, created_at, expires_at, revoked_at of the user's tokens, the newest first."""
    columns = [TOKENS.c[name] for name in ("id", "label", "created_at", "expires_at", "revoked_at")]
    query = select(*columns).where(TOKENS.c.user_id == user_id).order_by(TOKENS.c.created_at.desc(), TOKENS.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def revoke_token(connection: Connection, user_id: int, token_id: str) -> None:
    """Raises AccountError where the user has no such token."""
    own = (TOKENS.c.id == token_id) & (TOKENS.c.user_id == user_id)
    if connection.execute(update(TOKENS).where(own).values(revoked_at=now())).rowcount != 1:
        raise AccountError(f"token {token_id}: not yours, or not there; wanted one of your own")
