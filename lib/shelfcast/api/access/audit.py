"""The audit: who did what, when, from where. Rows are only ever added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from shelfcast.api.access.accounts import now
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
