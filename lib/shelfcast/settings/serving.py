"""The section of a configuration by which forecasts and orders are served."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from shelfcast.settings.sections import Section

_LOOPBACK = "localhost"
Count = Annotated[int, Field(ge=1)]


class Limits(Section):
    """What one client may ask for. requests: a minute, of one user or token; anonymous: a minute, of one address
    without either; sign_ins: a minute, of one address. body_bytes, upload_bytes: of a request, and of a file of sales;
    body_seconds, upload_seconds: in which it has arrived. threads: requests that compute at once, of which more take
    Python's lock from one another; waiting: those that wait for a password's hash or a file beside them."""

    requests: Count = 6000
    anonymous: Count = 60
    sign_ins: Count = 10
    body_bytes: Count = 65_536
    upload_bytes: Count = 104_857_600
    body_seconds: float = Field(default=20, gt=0)
    upload_seconds: float = Field(default=600, gt=0)
    threads: Count = 1
    waiting: Count = 16


class Access(Section):
    """How long what lets somebody in is good for. failures: wrong passwords in a row that lock an account, for
    lock_minutes. session_hours: since the sign-in; idle_minutes: since the last request. link_hours: of a one-time
    link. token_days: of an API token, at most. least_password: its characters."""

    failures: Count = 5
    lock_minutes: Count = 15
    session_hours: Count = 12
    idle_minutes: Count = 60
    link_hours: Count = 24
    token_days: Count = 365
    least_password: int = Field(default=12, ge=8)


class Serving(Section):
    """How the API is served.

    host, port: where it listens. public_url: how its users reach it, with the path where a proxy puts it under one;
    else http at host and port. trusted_proxies: whose word is taken for a client's address. folder: where the indexes
    are built. database: users, tokens and decisions, as SQLAlchemy's address (sqlite:///..., postgresql+pg8000://...),
    its password in the environment variable SHELFCAST_DATABASE_PASSWORD; else a file of SQLite in the folder.
    poll_seconds: how often a new publication is looked for.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    folder: str = "serving"
    database: str | None = None
    poll_seconds: float = Field(default=5, gt=0)
    limits: Limits = Limits()
    access: Access = Access()

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise ValueError("an address such as https://shop.example/forecasts")
        return url

    @model_validator(mode="after")
    def _is_private(self) -> "Serving":
        if self.scheme == "http" and not self._is_loopback:
            raise ValueError("a public_url with https, or a host of this machine alone: passwords go over the wire")
        return self

    @property
    def address(self) -> str:
        """How its users reach it, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def scheme(self) -> str:
        return urlsplit(self.address).scheme

    @property
    def prefix(self) -> str:
        """The path under which a proxy puts it; empty where it puts it under none."""
        return urlsplit(self.address).path

    @property
    def _is_loopback(self) -> bool:
        return self.host == _LOOPBACK or (_is_address(self.host) and ip_address(self.host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
