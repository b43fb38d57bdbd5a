"""Tells of alerts: posted to a webhook, appended to a file. No Spark."""

import hashlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shelfcast.errors import ConfigError, TransientError
from shelfcast.locks import locked

Alert = Mapping[str, Any]
_Name = tuple[str, str, str | None]
# Seconds before the second try; before each further one twice as many.
_PAUSE = 0.5


class _Unredirected(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: what was posted would be asked for there, and the answer taken for a delivery."""

    def redirect_request(self, *_: Any) -> None:
        return None


def address_in(variable: str) -> str:
    """The webhook's address. Raises ConfigError, naming the variable and never its value, where it is none."""
    address = os.environ.get(variable, "")
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise ConfigError(f"monitoring.webhook: environment variable {variable} holds no address; wanted one that "
                          f"begins with https:// or http://")  # fmt: skip
    return address


def post(address: str, region: str, alerts: Sequence[Alert], timeout: float, tries: int) -> None:
    """Post the alerts as one JSON object: region, text (their reasons, a line each) and alerts.

    The same alerts have the same Idempotency-Key. Raises TransientError, naming the host alone (an address may hold a
    secret), where no try was answered by 2xx; an answer of 3xx or 4xx is not tried again, but for 408 and 429.
    """
    text = "\n".join(f"{alert['severity']}: {alert['reason']}" for alert in alerts)
    body = json.dumps({"region": region, "text": text, "alerts": list(alerts)}).encode()
    names = sorted("".join(map(str, _name(region, alert))) for alert in alerts)
    key = hashlib.sha256("".join(names).encode()).hexdigest()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    failed, opener = "", urllib.request.build_opener(_Unredirected)
    for number in range(tries):
        if number:
            time.sleep(_PAUSE * 2 ** (number - 1))
        try:
            with opener.open(urllib.request.Request(address, body, headers), timeout=timeout):
                return
        except urllib.error.HTTPError as error:
            failed = f"HTTP {error.code}"
            if error.code < 500 and error.code not in (408, 429):
                break
        except (urllib.error.URLError, HTTPException, OSError) as error:
            failed = str(getattr(error, "reason", "")) or type(error).__name__
    host = urlsplit(address).hostname
    raise TransientError(f"webhook of {host}: {failed}, tries {number + 1}; wanted an answer of 2xx in {timeout:g} s")


def _name(region: str, alert: Alert) -> _Name:
    """One that comes again is another, and so is one of another region: a day is late in each of them."""
    return region, alert["alert_id"], alert.get("since")


def append_lines(path: Path, region: str, alerts: Sequence[Alert]) -> int:
    """Append each alert as a line of JSON with its region, but for those that are there. Returns how many were
    appended.

    A line that a killed run left without its end is cut off first; one that tells of no alert is left as it is. Runs of
    other regions wait: they may share the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock")):
        path.touch()
        with path.open("r+", encoding="utf-8", errors="replace", newline="\n") as file:
            known, end = set(), 0
            while (line := file.readline()).endswith("\n"):
                known.add(_name_in(line))
                end = file.tell()
            file.seek(end)
            file.truncate()
            new = [alert for alert in alerts if _name(region, alert) not in known]
            file.writelines(f"{json.dumps({'region': region, **alert}, sort_keys=True)}\n" for alert in new)
            file.flush()
            os.fsync(file.fileno())
    return len(new)


def _name_in(line: str) -> _Name | None:
    """The name of the alert that a line of the file tells of; None where it tells of none."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("alert_id"), str):
        return None
    # Nobody knows whose a line of before is, which names no region: rather told twice than not at all.
    name = _name(told.get("region", ""), told)
    return name if all(isinstance(part, str | None) for part in name) else None
