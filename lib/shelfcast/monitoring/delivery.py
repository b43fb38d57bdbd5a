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
# Seconds before the second try; before each further one twice as many.
_PAUSE = 0.5


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
    secret), where no try was answered by 2xx; an answer of 4xx is not tried again, but for 408 and 429.
    """
    text = "\n".join(f"{alert['severity']}: {alert['reason']}" for alert in alerts)
    body = json.dumps({"region": region, "text": text, "alerts": list(alerts)}).encode()
    names = sorted("".join(map(str, _name(region, alert))) for alert in alerts)
    key = hashlib.sha256("".join(names).encode()).hexdigest()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    failed = ""
    for number in range(tries):
        if number:
            time.sleep(_PAUSE * 2 ** (number - 1))
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=timeout):
                return
        except urllib.error.HTTPError as error:
            failed = f"HTTP {error.code}"
            if error.code < 500 and error.code not in (408, 429):
                break
        except (urllib.error.URLError, HTTPException, OSError) as error:
            failed = str(getattr(error, "reason", "")) or type(error).__name__
    host = urlsplit(address).hostname
    raise TransientError(f"webhook of {host}: {failed}, tries {number + 1}; wanted an answer of 2xx in {timeout:g} s")


def _name(region: str, alert: Alert) -> tuple[str, str, str | None]:
    """One that comes again is another, and so is one of another region: a day is late in each of them."""
    return region, alert["alert_id"], alert.get("since")


def append_lines(path: Path, region: str, alerts: Sequence[Alert]) -> int:
    """Append each alert as a line of JSON with its region, but for those that are there. Returns how many were
    appended.

    A line that a killed run left without its end is cut off first. Runs of other regions wait: they may share the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock")):
        path.touch()
        with path.open("r+", encoding="utf-8", newline="\n") as file:
            known, end = set(), 0
            while (line := file.readline()).endswith("\n"):
                told = json.loads(line)
                # Nobody knows whose a line of before is, which names no region: rather told twice than not at all.
                known.add(_name(told.get("region", ""), told))
                end = file.tell()
            file.seek(end)
            file.truncate()
            new = [alert for alert in alerts if _name(region, alert) not in known]
            file.writelines(f"{json.dumps({'region': region, **alert}, sort_keys=True)}\n" for alert in new)
            file.flush()
            os.fsync(file.fileno())
    return len(new)
