"""Progress and failures on stderr, a line each: for people, or as JSON for machines."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_LOG = logging.getLogger("shelfcast")
# What each line of the run that is at work tells of it.
_about: dict[str, object] = {}


class _Stderr(logging.Handler):
    """Stderr as it is when a line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")
        sys.stderr.flush()


class _ForPeople(logging.Formatter):
    """Progress has its time; a failure begins with its kind."""

    def format(self, record: logging.LogRecord) -> str:
        if record.levelno == logging.INFO:
            return f"{datetime.fromtimestamp(record.created):%H:%M:%S} {record.getMessage()}"
        failed = f"{vars(record).get('kind', record.levelname.lower())}: {record.getMessage()}"
        return f"{failed}\n{self.formatException(record.exc_info)}" if record.exc_info else failed


class _AsJson(logging.Formatter):
    """An object a line: time (UTC), level, message, and what is known of the run: region, run_id, job, as_of."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"time": time, "level": record.levelname.lower(), "message": record.getMessage().strip(), **_about}
        told |= {name: vars(record)[name] for name in ("kind", "exit_status") if name in vars(record)}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


FORMATS: dict[str, logging.Formatter] = {"text": _ForPeople(), "json": _AsJson()}


def configure(form: str) -> None:
    """Write lines in one of FORMATS from now on."""
    handler = _Stderr()
    handler.setFormatter(FORMATS[form])
    _LOG.handlers, _LOG.propagate = [handler], False
    _LOG.setLevel(logging.INFO)
    logging.getLogger().addFilter(_is_not_of_py4j)


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    """A JVM that is gone is told of by py4j in stack traces, past its own logger, and by the job in a line."""
    return record.msg != "Exception while sending command."


@contextmanager
def about(**told: object) -> Iterator[None]:
    """Each line in here tells so much of the run: one is at work at a time."""
    before = dict(_about)
    _about.update(told)
    try:
        yield
    finally:
        _about.clear()
        _about.update(before)


def say(message: str) -> None:
    """A line of progress."""
    _LOG.info(message)


def end(kind: str, message: str, exit_status: int) -> None:
    """Why a run ends otherwise than done. kind: error, alerts, interrupted."""
    _LOG.error(message, extra={"kind": kind, "exit_status": exit_status})


configure("text")
