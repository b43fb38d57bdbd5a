"""The database of users, decisions and audit: SQLite for one process, PostgreSQL for several."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from shelfcast.api.access.tables import METADATA
from shelfcast.errors import ConfigError
from shelfcast.settings.serving import Serving

PASSWORD_VARIABLE = "SHELFCAST_DATABASE_PASSWORD"
_FILE = "access.sqlite"
_BUSY_SECONDS = 30
# PostgreSQL heeds it, and refuses to change anything.
_READING = {"postgresql_readonly": True}


class Database:
    """Raises ConfigError where the address is none, or nobody answers there."""

    def __init__(self, settings: Serving) -> None:
        url = _url(settings)
        try:
            most = settings.limits.threads + settings.limits.waiting
            self.engine = create_engine(url, pool_pre_ping=True, pool_size=most)
            if url.get_backend_name() == "sqlite":
                event.listen(self.engine, "connect", _prepare_sqlite)
                event.listen(self.engine, "begin", _begin_sqlite)
            event.listen(self.engine, "handle_error", _tell_values_apart, retval=True)
            self._reading = self.engine.execution_options(**_READING)
            METADATA.create_all(self.engine)
        except (ArgumentError, ImportError, DBAPIError) as error:
            raise ConfigError(
                f"serving.database: {url!s} cannot be used: {_why(error)}; wanted SQLite or PostgreSQL"
            ) from None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: all that is done in it, or nothing."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction in which nothing is changed."""
        with self._reading.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _url(settings: Serving) -> URL:
    if settings.database is None:
        return URL.create("sqlite", database=str(_own_file(Path(settings.folder)).absolute()))
    try:
        url = make_url(settings.database)
    except ArgumentError:
        raise ConfigError("serving.database: not an address; wanted one such as sqlite:///access.sqlite") from None
    if url.password:
        raise ConfigError(f"serving.database: holds a password; wanted it in the variable {PASSWORD_VARIABLE}")
    password = os.environ.get(PASSWORD_VARIABLE)
    return url.set(password=password) if password and url.get_backend_name() != "sqlite" else url


def _own_file(folder: Path) -> Path:
    """The file in the folder, both made where they are not there: nobody else reads the hashes of passwords in it."""
    path = folder / _FILE
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        path.touch()
        path.chmod(0o600)
    except OSError as error:
        wanted = "wanted a folder that this user may write"
        raise ConfigError(f"serving.folder: {path.absolute()} cannot be made: {error.strerror}; {wanted}") from None
    return path


def _told(error: BaseException | None) -> dict[str, str]:
    """What PostgreSQL says of an error, by its letters: C the SQLSTATE, M in words."""
    told = error.args[0] if error and error.args else None
    return told if isinstance(told, dict) else {}


def _why(error: Exception) -> str:
    return _told(getattr(error, "orig", None)).get("M") or str(error).splitlines()[0]


def _tell_values_apart(context: ExceptionContext) -> Exception | None:
    """A value that the database does not keep, SQLSTATE's class 22: pg8000 has no error of its own for it."""
    if not _told(context.original_exception).get("C", "").startswith("22"):
        return None
    return DataError(context.statement, None, context.original_exception)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver's own transactions begin at the first change, and a savepoint before it ends as if it were one.
    connection.isolation_level = None
    # Who reads does not wait for who writes, and who writes waits for another.
    for setting in ("journal_mode = wal", "foreign_keys = on", f"busy_timeout = {_BUSY_SECONDS * 1000}"):
        connection.execute(f"pragma {setting}")


def _begin_sqlite(connection: Connection) -> None:
    # Who reads before it writes has the writers' lock from the start: nothing changes in between.
    is_reading = _READING.items() <= connection.get_execution_options().items()
    connection.exec_driver_sql("begin" if is_reading else "begin immediate")
