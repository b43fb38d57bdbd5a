import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.lake import write_lake
from shelfcast import config
from shelfcast.api.access.accounts import add_user, make_link, use_link
from shelfcast.api.access.credentials import make_token
from shelfcast.api.access.principal import ROLES, Grant
from shelfcast.api.app import make_app
from shelfcast.api.index.build import build
from shelfcast.api.reader import Lake
from shelfcast.api.server import open_service
from shelfcast.api.service import Service
from shelfcast.config import Config

CONFIG = Path(__file__).parents[2] / "conf" / "tiny.yaml"
ADDRESS = "https://shelf.test"
PASSWORD = "a long day in March"


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of two regions, published; who changes it copies it."""
    return write_lake(tmp_path_factory.mktemp("api") / "lake")


def configs_of(root: Path, folder: Path, *changes: str) -> list[Config]:
    """The configurations of both regions, served from `folder`."""
    common = [f"lake={root}", f"serving.folder={folder}", f"serving.public_url={ADDRESS}", "serving.poll_seconds=0.1"]
    # Refusals are many here, and all from one address.
    common += ["serving.limits.anonymous=1000000", "serving.limits.sign_ins=1000000"]
    return [config.load(CONFIG, [*common, *_own(folder, region), *changes]) for region in ("north", "south")]


def _own(folder: Path, region: str) -> list[str]:
    paths = [f"inventory.decisions={folder}/{region}", f"adjustments={folder}/{region}.yaml"]
    return [f"region={region}", *paths]


@contextmanager
def running(
    root: Path, folder: Path, *changes: str, install: Callable[[FastAPI], None] | None = None
) -> Iterator[TestClient]:
    """A client of the API, with the indexes of both regions in place."""
    service = open_service(configs_of(root, folder, *changes))
    indexed(root, folder)
    service.refresh.refresh()
    with TestClient(make_app(service, install), base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client


def indexed(root: Path, folder: Path) -> None:
    """Lay the lake's indexes into the folder that is served from."""
    shutil.copytree(_indexes(root), folder / "indexes")


@cache
def _indexes(root: Path) -> Path:
    """The lake's indexes as they were when it was first asked for: building them takes longer than most tests."""
    folder, lake = root.parent / f"indexes of {root.name}", Lake(str(root))
    for publication in lake.newest_publications().values():
        build(lake, publication, folder)
    return folder


def service_of(client: TestClient) -> Service:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


@pytest.fixture(scope="module")
def client(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Without a user's token."""
    with running(lake, tmp_path_factory.mktemp("served")) as client:
        yield client


def add(client: TestClient | Service, name: str, role: str, *grants: str, password: str | None = None) -> int:
    service = client if isinstance(client, Service) else service_of(client)
    with service.database.begin() as connection:
        user_id = add_user(connection, name, ROLES[role], map(Grant.parse, grants))
        if password:
            use_link(connection, make_link(connection, user_id, 1), password, service.settings.access)
    return user_id


def token_of(client: TestClient, user_id: int, days: int = 1) -> dict[str, str]:
    """The headers of a user's requests."""
    return token_of_service(service_of(client), user_id, days)


def token_of_service(service: Service, user_id: int, days: int = 1) -> dict[str, str]:
    with service.database.begin() as connection:
        _, token = make_token(connection, user_id, "test", days)
    return {"authorization": f"Bearer {token}"}


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def as_user(client: TestClient) -> Callable[..., dict[str, str]]:
    """role, grants -> the headers of such a user's requests."""
    known: dict[tuple[Any, ...], dict[str, str]] = {}

    def headers(role: str, *grants: str) -> dict[str, str]:
        key = (role, *grants)
        if key not in known:
            known[key] = token_of(client, add(client, f"user {len(known)} {os.urandom(3).hex()}", role, *grants))
        return known[key]

    return headers
