"""Users: who they are, what they reach, and the one-time links by which they choose a password."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from shelfcast.api.access.principal import ROLES, Grant, Principal, Role
from shelfcast.api.access.secrets import digest, hash_password, is_password, new_secret
from shelfcast.api.access.tables import GRANTS, LINKS, SESSIONS, TOKENS, USERS
from shelfcast.errors import ShelfcastError
from shelfcast.settings.serving import Access

_HOUR, _MINUTE = 3600, 60


class AccountError(ShelfcastError):
    """A user that is not there, is there already, or may not be changed so."""


def now() -> int:
    return int(time.time())


def add_user(connection: Connection, name: str, role: Role, grants: Iterable[Grant]) -> int:
    """Add a user without a password, and return its number. Raises AccountError where the name is taken or none."""
    if not name or len(name) > 64 or not name.isprintable() or name != name.strip():
        raise AccountError(f"user {name!r}: wanted a name of 1 to 64 characters")
    row = {"name": name, "role": role.title, "failures": 0, "locked_until": 0, "disabled": False, "created_at": now()}
    try:
        with connection.begin_nested():
            user_id = int(connection.execute(insert(USERS).values(row).returning(USERS.c.id)).scalar_one())
    except IntegrityError:
        raise AccountError(f"user {name}: there already; wanted another name") from None
    set_grants(connection, user_id, grants)
    return user_id


def set_grants(connection: Connection, user_id: int, grants: Iterable[Grant]) -> None:
    connection.execute(delete(GRANTS).where(GRANTS.c.user_id == user_id))
    rows = [{"user_id": user_id, "region": grant.region, "store": grant.store} for grant in {*grants}]
    if rows:
        connection.execute(insert(GRANTS), rows)


def change_user(connection: Connection, name: str, **changes: Any) -> int:
    """Set columns of a user; who is disabled, or whose role changes, is signed out. Raises AccountError."""
    user_id = user_of(connection, name)
    connection.execute(update(USERS).where(USERS.c.id == user_id).values(changes))
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
    return user_id


def user_of(connection: Connection, name: str) -> int:
    """The user's number. Nobody else changes the user until the transaction ends: SQLite has one that writes at a time
    anyway. Raises AccountError."""
    found = connection.execute(select(USERS.c.id).where(USERS.c.name == name).with_for_update()).scalar()
    if found is None:
        raise AccountError(f"user {name}: not there; wanted one that `shelfcast user list` names")
    return int(found)


def has_users(connection: Connection) -> bool:
    return bool(connection.execute(select(func.count()).select_from(USERS)).scalar())


def list_users(connection: Connection) -> list[dict[str, Any]]:
    """name, role, grants, whether it is disabled and has a password, by name; version: changes with the first four."""
    grants: dict[int, list[str]] = {}
    for row in connection.execute(select(GRANTS)):
        grants.setdefault(row.user_id, []).append(str(Grant(row.region, row.store)))
    rows = connection.execute(select(USERS).order_by(USERS.c.name))
    return [_as_user(row, sorted(grants.get(row.id, []))) for row in rows]


def _as_user(row: Row[Any], grants: list[str]) -> dict[str, Any]:
    told = {"name": row.name, "role": row.role, "grants": grants, "disabled": row.disabled}
    version = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    return {**told, "has_password": row.password is not None, "version": version}


def make_link(connection: Connection, user_id: int, hours: int) -> str:
    """A secret by which the user chooses a password, once; one that was made before is good no longer."""
    secret = new_secret()
    connection.execute(delete(LINKS).where(LINKS.c.user_id == user_id))
    row = {"digest": digest(secret), "user_id": user_id, "expires_at": now() + hours * _HOUR}
    connection.execute(insert(LINKS).values(row))
    return secret


def use_link(connection: Connection, secret: str, password: str, settings: Access) -> str:
    """Set the password of the link's user, and return the user's name. The link, and all that let the user in with the
    password before, are good no longer.

    Raises AccountError where there is no such link, WeakPasswordError where the password is easily guessed.
    """
    query = select(LINKS.c.expires_at, USERS.c.id, USERS.c.name, USERS.c.disabled).join(USERS)
    row = connection.execute(query.where(LINKS.c.digest == digest(secret))).first()
    if row is None or row.expires_at <= now() or row.disabled:
        raise AccountError("link: used, too old or none; wanted a new one from an admin")
    kept = hash_password(password, row.name, settings.least_password)
    # Of two that come at once one finds it.
    if connection.execute(delete(LINKS).where(LINKS.c.digest == digest(secret))).rowcount != 1:
        raise AccountError("link: used, too old or none; wanted a new one from an admin")
    connection.execute(update(USERS).where(USERS.c.id == row.id).values(password=kept, failures=0, locked_until=0))
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == row.id))
    return str(row.name)


def knows_password(connection: Connection, name: str, password: str) -> bool:
    """Whether it is that of a user of the name. Slow, and so without a lock that others wait for."""
    row = connection.execute(select(USERS).where(USERS.c.name == name)).first()
    return is_password(password, row.password if row and not row.disabled else None)


def count_attempt(connection: Connection, name: str, is_right: bool, settings: Access) -> int | None:
    """The user's number; None where the name or the password is wrong, which is counted, or where too many in a row
    were wrong lately: which of these is not told, for it would tell whose names there are."""
    row = connection.execute(select(USERS).where(USERS.c.name == name)).first()
    if row is None or row.locked_until > now():
        return None
    if is_right:
        connection.execute(update(USERS).where(USERS.c.id == row.id).values(failures=0))
        return int(row.id)
    _count_failure(connection, row.id, settings)
    return None


def _count_failure(connection: Connection, user_id: int, settings: Access) -> None:
    own = USERS.c.id == user_id
    connection.execute(update(USERS).where(own).values(failures=USERS.c.failures + 1))
    reached = own & (USERS.c.failures >= settings.failures)
    until = now() + settings.lock_minutes * _MINUTE
    connection.execute(update(USERS).where(reached).values(failures=0, locked_until=until))


def with_user(table: Table, key: Column[str]) -> Select[Any]:
    """The row of the table whose key is the parameter `key`, beside what its user is: once for each grant."""
    columns = (USERS.c.name, USERS.c.role, USERS.c.disabled, GRANTS.c.region, GRANTS.c.store)
    joined = table.join(USERS, USERS.c.id == table.c.user_id).outerjoin(GRANTS, GRANTS.c.user_id == USERS.c.id)
    return select(table, *columns).select_from(joined).where(key == bindparam("key"))


def principal_of(rows: Sequence[Row[Any]], **recognised: Any) -> Principal | None:
    """The user of the rows of such a query; None where it is disabled."""
    first = rows[0]
    if first.disabled:
        return None
    grants = frozenset(Grant(row.region, row.store) for row in rows if row.region is not None)
    return Principal(first.user_id, first.name, ROLES[first.role], grants, **recognised)


def sign_out_everywhere(connection: Connection, user_id: int) -> None:
    """End the user's sessions and revoke its tokens."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
    own = (TOKENS.c.user_id == user_id) & TOKENS.c.revoked_at.is_(None)
    connection.execute(update(TOKENS).where(own).values(revoked_at=now()))
