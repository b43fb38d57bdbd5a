import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.conftest import PASSWORD, add, running
from shelfcast.web.install import install_pages
from web.lake import write

HTML = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of two regions, published, of north the day before too."""
    return write(tmp_path_factory.mktemp("web") / "lake")


@pytest.fixture(scope="module")
def client(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A browser without scripts, signed in as nobody."""
    with running(lake, tmp_path_factory.mktemp("served"), install=install_pages) as client:
        client.follow_redirects = False
        client.headers.update(HTML)
        yield client


class Browser:
    """Somebody's browser: its cookie, and the secret that the forms of its session send back."""

    def __init__(self, client: TestClient, name: str) -> None:
        self._client = client
        client.cookies.clear()
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        self._cookie = re.search("shelfcast_session=([^;]+)", answer.headers["set-cookie"])[1]
        client.cookies.clear()
        self.name, self.csrf = name, re.search('name="csrf" value="([^"]+)"', self.get("/account").text)[1]

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(path, headers={**headers, "cookie": f"shelfcast_session={self._cookie}"})

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Any:
        told = {"csrf": self.csrf, **(fields or {})}
        return self._client.post(path, data=told, headers={**headers, "cookie": f"shelfcast_session={self._cookie}"})


@pytest.fixture(scope="module")
def as_user(client: TestClient) -> Callable[..., Browser]:
    """role, grants -> the browser of such a user."""
    known: dict[tuple[str, ...], Browser] = {}

    def browser(role: str, *grants: str) -> Browser:
        key = (role, *grants)
        if key not in known:
            name = f"{role} {os.urandom(4).hex()}"
            add(client, name, role, *grants, password=PASSWORD)
            known[key] = Browser(client, name)
        return known[key]

    return browser
