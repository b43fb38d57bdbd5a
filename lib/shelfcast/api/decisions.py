"""Decisions on suggested orders and transfers: kept in the database, and laid where job collect_decisions reads them.

The database holds each decision together with its audit. A file a day is made of it: each decision is a line at its
end, and of an order the last line counts, so that what a decision costs does not grow with the day. What a crash has
kept from being told is told later: then the file is made anew, whole or not at all. A database that was restored knows
less than they do: what they alone tell stays in them.
"""

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from shelfcast.api.access.accounts import now
from shelfcast.api.access.database import Database
from shelfcast.api.access.tables import DECISIONS
from shelfcast.api.rows.fields import Decision
from shelfcast.api.rows.plan import DecisionRow
from shelfcast.locks import locked

_LOG = logging.getLogger(__name__)
# What collect_decisions checks the order's number by, and what was decided.
_IN_FILE = (
    *("order_id", "store_id", "vendor_id", "product_id", "from_store", "need_by", "decision", "quantity"),
    "decided_on",
)
# When it was decided, in seconds since 1970; files of before do not tell it.
_AT = "decided_at"
_LOCK = ".lock"
# A character may have been cut in two, or written by others in another encoding.
_AS_IT_IS = "surrogateescape"


def hold_order(connection: Connection, region: str, order_id: str) -> None:
    """Let nobody else decide on the order until the transaction ends, so that each sees what the one before decided.
    SQLite has one that writes at a time anyway."""
    if connection.dialect.name == "postgresql":
        key = func.hashtextextended(f"{region}/{order_id}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def add_decision(
    connection: Connection, region: str, order: Mapping[str, Any], decision: Decision, quantity: float, user: str,
    note: str | None, decided_on: date,
) -> DecisionRow:  # fmt: skip
    """Keep what a user decided on an order. order: order_id, store_id, vendor_id, product_id, from_store, need_by."""
    at = now()
    named = {name: order[name] for name in ("order_id", "store_id", "vendor_id", "product_id", "from_store")}
    row = {**named, "region": region, "need_by": date.fromisoformat(order["need_by"]), "decision": decision}
    row |= {"quantity": quantity, "decided_on": decided_on, "decided_at": at, "user": user, "note": note}
    connection.execute(insert(DECISIONS).values(row))
    return _as_row(row)


def last_decisions(connection: Connection, region: str, order_ids: Iterable[str]) -> dict[str, DecisionRow]:
    """Of each order the last word."""
    wanted = (DECISIONS.c.region == region) & DECISIONS.c.order_id.in_(list(order_ids))
    last = select(func.max(DECISIONS.c.id)).where(wanted).group_by(DECISIONS.c.order_id)
    rows = connection.execute(select(DECISIONS).where(DECISIONS.c.id.in_(last)))
    return {row.order_id: _as_row(dict(row._mapping)) for row in rows}


def decided_ids(connection: Connection, region: str, decided_on: date) -> list[str]:
    """The orders of a day's plan on which something has been decided."""
    own = (DECISIONS.c.region == region) & (DECISIONS.c.decided_on == decided_on)
    return list(connection.execute(select(DECISIONS.c.order_id).where(own).distinct()).scalars())


def newest_decision(connection: Connection, region: str) -> int:
    """The number of the last decision of the region: what is shown of orders changes with it."""
    return connection.execute(select(func.max(DECISIONS.c.id)).where(DECISIONS.c.region == region)).scalar() or 0


class Outbox:
    """The files of decisions, `{day}.jsonl`, in the folder of each region that collects them."""

    def __init__(self, database: Database, folders: Mapping[str, Path]) -> None:
        self._database, self._folders = database, folders
        self._waiting: set[tuple[str, date]] = set()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Make the folders, and write what has not been written. Raises OSError where they cannot be made."""
        for folder in self._folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        with self._database.read() as connection:
            days = connection.execute(select(DECISIONS.c.region, DECISIONS.c.decided_on).distinct()).all()
        self._wait({(region, day) for region, day in days if region in self._folders})
        self.deliver()

    def put(self, region: str, day: date, order_id: str) -> None:
        """Tell the last word on an order at the end of the day's file; one that is not whole is written anew, and one
        that cannot be written waits for the next `deliver`."""
        is_told = False
        try:
            is_told = self._append(region, day, order_id)
        finally:
            if not is_told:
                self._wait({(region, day)})
        self.deliver()

    def deliver(self) -> None:
        """Write what waits; what cannot be written waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, set()
        try:
            for region, day in sorted(taken):
                try:
                    self._write(region, day)
                    taken.remove((region, day))
                except OSError as error:
                    _LOG.error("decisions of region %s on %s: not written, will be tried again: %s", region, day, error)
        finally:
            self._wait(taken)

    def _wait(self, files: set[tuple[str, date]]) -> None:
        # Whatever is added while another thread writes the same file waits for its own turn: it may not be in there.
        with self._lock:
            self._waiting |= files

    def _append(self, region: str, day: date, order_id: str) -> bool:
        """Whether the file was whole, and now tells the last word on the order."""
        own = (DECISIONS.c.region == region) & (DECISIONS.c.decided_on == day) & (DECISIONS.c.order_id == order_id)
        last = select(DECISIONS).where(own).order_by(DECISIONS.c.id.desc()).limit(1)
        with suppress(OSError), locked(self._folders[region] / _LOCK):
            # Read under the lock: an earlier word on the order never comes after a later one.
            with self._database.read() as connection:
                row = connection.execute(last).mappings().one()
            return _append_line(self._path(region, day), _line(row))
        return False

    def _write(self, region: str, day: date) -> None:
        folder, path = self._folders[region], self._path(region, day)
        # Read under the lock: an older file never takes a newer one's place.
        with locked(folder / _LOCK):
            *told, rest = path.read_text("utf-8", _AS_IT_IS).split("\n") if path.exists() else [""]
            # What a crash has cut off tells of no order.
            if _order_of(rest) != rest:
                told.append(rest)
            lines = later_lines(told, self._known(region, day))
            if not rest and _last_lines(told) == _last_lines(lines):
                return
            part = folder / f".{day}.part"
            with open(part, "w", encoding="utf-8", errors=_AS_IT_IS) as file:
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)

    def _known(self, region: str, day: date) -> list[tuple[str, str]]:
        """The order and the line of each decision of the day, as they were made."""
        own = (DECISIONS.c.region == region) & (DECISIONS.c.decided_on == day)
        with self._database.read() as connection:
            rows = connection.execute(select(DECISIONS).where(own).order_by(DECISIONS.c.id)).mappings().all()
        return [(row["order_id"], _line(row)) for row in rows]

    def _path(self, region: str, day: date) -> Path:
        return self._folders[region] / f"{day}.jsonl"


def _line(row: RowMapping) -> str:
    return json.dumps({name: row[name] for name in (*_IN_FILE, _AT)}, default=str, ensure_ascii=False)


def _append_line(path: Path, line: str) -> bool:
    """Whether the file was whole, and now ends in the line. Raises OSError where it is not there."""
    told = f"{line}\n".encode()
    with open(path, "r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 1, 0))
        if file.read(1) != b"\n":
            return False
        # Of a line that the disk has no room for it takes the beginning.
        if file.write(told) < len(told):
            file.truncate(end)
            return False
        os.fsync(file.fileno())
        return True


def later_lines(told: Sequence[str], known: Sequence[tuple[str, str]]) -> list[str]:
    """What a file is to tell: a line an order, the last that is known of it, or a later one that the file alone told.
    known: order and line, as they were decided."""
    last, lines = dict(known), {line for _, line in known}
    for order, line in _last_lines(told).items():
        if line not in lines and (order not in last or _stands(json.loads(line), json.loads(last[order]))):
            last[order] = line
    return [*last.values()]


def _last_lines(told: Iterable[str]) -> dict[str, str]:
    """order -> the line that counts."""
    return {_order_of(line): line for line in told if line}


def _order_of(line: str) -> str:
    """Its order; of a line that tells of none, itself."""
    try:
        return str(json.loads(line)["order_id"])
    except (ValueError, TypeError, KeyError):
        return line


def _stands(told: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether it was told later, or is the same but for its moment: written anew, a file would be later than others."""
    return told.get(_AT, 0) >= known.get(_AT, 0) or {**known, **told} == known


def _as_row(row: Mapping[str, Any]) -> DecisionRow:
    at = datetime.fromtimestamp(row["decided_at"], UTC)
    told = {name: row[name] for name in ("decision", "quantity", "decided_on", "user", "note")}
    return DecisionRow(**told, decided_at=at)
