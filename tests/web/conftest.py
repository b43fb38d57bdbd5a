import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.conftest import PASSWORD, add, configs_of, indexed, running
from shelfcast.api.server import open_service, server_config
from shelfcast.api.service import Service
from shelfcast.web.install import install_pages
from web.lake import write
from web.windows import CHROMIUM, Open, Window

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


@pytest.fixture(scope="module")
def service(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Served at an address of this machine by a thread of this process."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    changes = (f"serving.port={port}", "serving.public_url=null", "serving.limits.requests=100000")
    service = open_service(configs_of(lake, folder, *changes))
    indexed(lake, folder)
    server = uvicorn.Server(server_config(service, install_pages))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not (server.started and service.indexes.regions):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield service
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: wanted that of `apt-get install chromium`")
    reason = "no Playwright: wanted the packages of `make setup`"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def open_window(chromium: object, service: Service) -> Iterator[Open]:
    """look, options of Playwright -> a window of its own; nothing may have gone wrong in any."""
    windows: list[Window] = []

    def opened(look: str = "light", **options: object) -> Window:
        windows.append(Window(chromium, service.settings.address, look, **options))
        return windows[-1]

    yield opened
    for window in windows:
        window.context.close()
        assert window.wrong == []
