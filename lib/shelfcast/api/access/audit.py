"""The audit: who did what, when, from where. Rows are only ever added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, true, tuple_

from shelfcast.api.access.accounts import now
from shelfcast.api.access.principal import EVERYTHING, Grant, Principal, Role
from shelfcast.api.access.tables import AUDIT


@dataclass(frozen=True)
class Origin:
    """Where a deed comes from."""

    address: str
    request_id: str


def record(
    connection: Connection,
    origin: Origin,
    user: str,
    action: str,
    subject: str,
    *,
    region: str | None = None,
    store: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a row, in the transaction of the deed itself: there is none without the other."""
    row = {"at": now(), "user": user[:64], "action": action, "subject": subject[:256], "region": region, "store": store}
    told = json.dumps(dict(detail or {}), default=str, sort_keys=True)
    row |= {"detail": told, "address": origin.address[:64], "request_id": origin.request_id[:64]}
    connection.execute(insert(AUDIT).values(row))


def visible_to(principal: Principal) -> ColumnElement[bool]:
    """That a row is of the user's stores; what concerns no region, such as users, is for admins of all."""
    region, store, grants = AUDIT.c.region, AUDIT.c.store, principal.grants
    if principal.covers(Grant(EVERYTHING)):
        return true() if principal.role >= Role.ADMIN else region.is_not(None)
    whole = [grant.region for grant in grants if grant.store == EVERYTHING]
    single = [(grant.region, grant.store) for grant in grants if EVERYTHING not in (grant.region, grant.store)]
    anywhere = [grant.store for grant in grants if grant.region == EVERYTHING]
    return region.in_(whole) | tuple_(region, store).in_(single) | (region.is_not(None) & store.in_(anywhere))
