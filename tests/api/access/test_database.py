"""Transactions of the database that the service opens where it is told of none: SQLite's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from shelfcast.api.access import database
from shelfcast.api.access.accounts import AccountError, add_user, has_users, list_users
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import Grant, Role
from shelfcast.api.access.tables import USERS
from shelfcast.errors import ConfigError
from shelfcast.settings.serving import Serving

NORTH = [Grant("north")]


def opened(folder: Path) -> Database:
    return Database(Serving(folder=str(folder)))


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Database]:
    database = opened(tmp_path)
    yield database
    database.close()


def test_the_file_is_read_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "serving"
    database = opened(folder)
    with database.begin() as connection:
        add_user(connection, "ada", Role.ADMIN, NORTH)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"serving": 0o700, **dict.fromkeys(modes.keys() - {"serving"}, 0o600)}
    assert "access.sqlite-wal" in modes
    database.close()


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigError, match=r"serving\.folder: .*file/access\.sqlite cannot be made: .*; wanted a folder"
    ):
        opened(tmp_path / "file")


def test_a_user_is_added_with_all_that_goes_along_or_not_at_all(users: Database) -> None:
    with pytest.raises(ZeroDivisionError), users.begin() as connection:
        _ = add_user(connection, "ada", Role.ADMIN, NORTH) / 0
    with users.read() as connection:
        assert not has_users(connection)


def test_a_name_that_is_taken_leaves_the_rest_of_the_transaction(users: Database) -> None:
    with users.begin() as connection:
        add_user(connection, "ada", Role.VIEWER, NORTH)
        with pytest.raises(AccountError, match="user ada: there already"):
            add_user(connection, "ada", Role.ADMIN, NORTH)
        add_user(connection, "bob", Role.VIEWER, NORTH)
    with users.read() as connection:
        assert [(user["name"], user["role"]) for user in list_users(connection)] == [
            ("ada", "viewer"),
            ("bob", "viewer"),
        ]


def test_who_writes_is_alone_from_its_first_reading_and_others_read_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    first, second = opened(tmp_path), opened(tmp_path)
    with first.begin() as connection:
        assert not has_users(connection)
        with pytest.raises(OperationalError, match="locked"), second.begin():
            pass
        add_user(connection, "ada", Role.VIEWER, NORTH)
        with second.read() as other:
            assert not has_users(other)
    with second.begin() as connection:
        assert has_users(connection)
    first.close()
    second.close()


def test_writers_wait_for_one_another(users: Database) -> None:
    with users.begin() as connection:
        add_user(connection, "ada", Role.VIEWER, NORTH)

    def count(_: int) -> None:
        with users.begin() as connection:
            failures = connection.execute(select(USERS.c.failures)).scalar_one()
            connection.execute(update(USERS).values(failures=failures + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(100)))
    with users.read() as connection:
        assert connection.execute(select(USERS.c.failures)).scalar_one() == 100
