"""The command `shelfcast user`: who has the database in hand needs no token."""

import argparse
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from shelfcast.api.access.accounts import add_user, change_user, list_users, make_link, sign_out_everywhere, user_of
from shelfcast.api.access.audit import Origin, record
from shelfcast.api.access.credentials import make_token
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import ROLES, Grant, unknown_grants
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.settings.serving import Serving

_HERE = Origin("command line", "command line")


def carry_out(configs: Sequence[Config], asked: argparse.Namespace) -> list[str]:
    """What is asked for, in one transaction with its audit; the lines to print. How it is served, the first of the
    configurations says."""
    if asked.deed == "add":
        _require_reach(asked, {config.region for config in configs})
    settings = configs[0].serving
    database = Database(settings)
    try:
        with database.begin() as connection:
            lines = list(_DEEDS[asked.deed](connection, settings, asked))
            if asked.deed != "list":
                record(connection, _HERE, "command line", f"user_{asked.deed}", f"user {asked.name}")
            return lines
    finally:
        database.close()


def _require_reach(asked: argparse.Namespace, regions: set[str]) -> None:
    if not asked.reach:
        raise ConfigError(f"user {asked.name}: reaches nothing; wanted --reach REGION, REGION/STORE or '*'")
    unknown = unknown_grants(map(Grant.parse, asked.reach), regions)
    if unknown:
        wanted = f"wanted one of {', '.join(sorted(regions))}, or its configuration by --config too"
        raise ConfigError(f"--reach {unknown}: no such region or store; {wanted}")


def _add(connection: Connection, settings: Serving, asked: argparse.Namespace) -> Iterator[str]:
    add_user(connection, asked.name, ROLES[asked.role], map(Grant.parse, asked.reach))
    yield from _link(connection, settings, asked)


def _link(connection: Connection, settings: Serving, asked: argparse.Namespace) -> Iterator[str]:
    hours = settings.access.link_hours
    link = make_link(connection, user_of(connection, asked.name), hours)
    yield f"user {asked.name}: choose a password within {hours} hours at {settings.address}/welcome#{link}"


def _list(connection: Connection, _: Serving, __: argparse.Namespace) -> Iterator[str]:
    for user in list_users(connection):
        state = "disabled" if user["disabled"] else "" if user["has_password"] else "no password yet"
        yield "  ".join(filter(None, (user["name"], user["role"], " ".join(user["grants"]), state)))


def _token(connection: Connection, settings: Serving, asked: argparse.Namespace) -> Iterator[str]:
    if not 1 <= asked.days <= settings.access.token_days:
        raise ConfigError(f"--days: found {asked.days}, wanted 1 to {settings.access.token_days} (access.token_days)")
    yield make_token(connection, user_of(connection, asked.name), asked.label, asked.days)[1]


def _disable(connection: Connection, _: Serving, asked: argparse.Namespace) -> Iterator[str]:
    sign_out_everywhere(connection, change_user(connection, asked.name, disabled=True))
    yield f"user {asked.name}: disabled"


def _enable(connection: Connection, _: Serving, asked: argparse.Namespace) -> Iterator[str]:
    change_user(connection, asked.name, disabled=False)
    yield f"user {asked.name}: enabled"


_DEEDS = {
    "add": _add,
    "list": _list,
    "link": _link,
    "token": _token,
    "disable": _disable,
    "enable": _enable,
}
