"""Opens the service of some configurations, and serves it."""

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from shelfcast.api.access.accounts import add_user, has_users, make_link
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import EVERYTHING, Grant, Role
from shelfcast.api.app import make_app
from shelfcast.api.decisions import Outbox
from shelfcast.api.index.reading import Indexes
from shelfcast.api.index.refresh import Refresh
from shelfcast.api.limiter import Limiter
from shelfcast.api.protocol import PatientProtocol
from shelfcast.api.service import Service, decision_folders
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.settings.serving import Serving

FIRST_USER = "admin"
Install = Callable[[FastAPI], None]
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def open_service(configs: Sequence[Config]) -> Service:
    """The service of the lake that the configurations share; how it is served, the first of them says.

    Raises ConfigError where they do not fit together, or the database cannot be used.
    """
    lakes = sorted({config.lake_root for config in configs})
    if len(lakes) != 1:
        raise ConfigError(f"lake: found {', '.join(lakes)}; wanted one lake for all that is served together")
    settings, by_region = configs[0].serving, {config.region: config for config in configs}
    if len(by_region) < len(configs):
        raise ConfigError("region: two configurations of one region; wanted one of each")
    indexes, database = Indexes(), Database(settings)
    outbox = Outbox(database, decision_folders(by_region))
    return Service(
        settings=settings,
        configs=by_region,
        indexes=indexes,
        refresh=Refresh(
            lakes[0],
            Path(settings.folder) / "indexes",
            indexes,
            settings.poll_seconds,
            also={"decisions": outbox.deliver},
        ),
        database=database,
        outbox=outbox,
        limiter=Limiter(settings.limits),
    )


def first_link(service: Service) -> str | None:
    """Where nobody is there yet: an admin, and the one-time link by which it chooses a password."""
    with service.database.begin() as connection:
        if has_users(connection):
            return None
        user_id = add_user(connection, FIRST_USER, Role.ADMIN, [Grant(EVERYTHING)])
        return make_link(connection, user_id, service.settings.access.link_hours)


def serve(configs: Sequence[Config], install: Install | None = None) -> int:
    """Serve until interrupted, and tell on stdout where. install: adds what else is served.

    Raises ConfigError where it cannot: then nobody was added, and no link is lost.
    """
    with _listen(configs[0].serving) as listener:
        service = open_service(configs)
        server = uvicorn.Server(server_config(service, install))
        _log_to_stderr()
        _welcome(service)
        server.run([listener])
    return 0


def _listen(settings: Serving) -> socket.socket:
    place, family = (settings.host, settings.port), socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(place, family=family)
    except OSError as error:
        found = f"port {settings.port} of {settings.host} cannot be listened at: {error.strerror}"
        raise ConfigError(f"serving.port: {found}; wanted one that is free, of a host of this machine") from None


def _welcome(service: Service) -> None:
    address = service.settings.address
    link = first_link(service)
    if link:
        hours = service.settings.access.link_hours
        sys.stdout.write(f"user {FIRST_USER}: choose a password within {hours} hours at {address}/welcome#{link}\n")
    sys.stdout.write(f"serving {', '.join(sorted(service.configs))} at {address} ({address}/openapi.json)\n")
    sys.stdout.flush()


def server_config(service: Service, install: Install | None = None) -> uvicorn.Config:
    """How uvicorn serves it: one process, whose requests wait for nobody's index or password."""
    settings = service.settings
    return uvicorn.Config(
        make_app(service, install),
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=_LOG_FORMAT)
