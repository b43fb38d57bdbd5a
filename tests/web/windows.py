"""Windows of a real browser, Chromium, on pages that are served."""

import os
import shutil
from collections.abc import Callable
from urllib.parse import urlsplit

from api.conftest import PASSWORD, add
from shelfcast.api.service import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}
# What the sign-in's own refusal, or a page that is not there, has a browser say.
EXPECTED = "Failed to load resource: the server responded with a status of"


class Window:
    """A window, and what went wrong in it."""

    def __init__(self, browser: object, address: str, look: str = "light", **options: object) -> None:
        self.context = browser.new_context(**{"base_url": address, "locale": "en-GB", **LOOKS[look], **options})
        self.context.set_default_timeout(20_000)
        self.page, self.wrong, self._address = self.context.new_page(), [], address
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)

    def _heard(self, message: object) -> None:
        if message.type in ("error", "warning") and EXPECTED not in message.text:
            self.wrong.append(message.text)

    def _asked(self, request: object) -> None:
        if urlsplit(request.url).netloc != urlsplit(self._address).netloc:
            self.wrong.append(f"asks another: {request.url}")

    def sign_in(self, name: str) -> None:
        self.page.goto("/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()


Open = Callable[..., Window]


def user(service: Service, role: str, *grants: str) -> str:
    name = f"{role} {os.urandom(3).hex()}"
    add(service, name, role, *grants, password=PASSWORD)
    return name
