"""Failures that Spark and its workers tell of in words of others: what was the cause, and whether it may pass."""

import re
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from shelfcast.errors import ShelfcastError, TransientError

# Of a database or an object store that does not answer, in the words of their drivers. What a task met comes to
# Spark's driver as text alone.
_AWAY = re.compile(
    r"PSQLException: (Connection to|The connection attempt|An I/O error|This connection)"
    r"|FATAL: (the database system|terminating connection|sorry, too many|remaining connection)"
    r"|SQL(Non)?TransientConnectionException|SQLRecoverableException"
    r"|ConnectTimeoutException|AWSClientIOException|AWSServiceThrottledException|AWSStatus500Exception"
    r"|Unable to execute HTTP request|ApiCallTimeoutException"
    r"|AWS Error (NETWORK_CONNECTION|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|REQUEST_TIMEOUT)"
)
# What passes, and what was wanted of it.
_PASSING = (
    (_AWAY, "it to answer"),
    (re.compile(r"No space left on device|Disk quota exceeded"), "room for what is written"),
    (re.compile(r"Python worker exited unexpectedly \(crashed\)"), "it to live until its task was done"),
)
# In Spark's words, the file that a task could not read.
_READING = re.compile(r"Encountered error while reading file (\S+)\.(?=\s|$)")


@contextmanager
def naming_what_is_away() -> Iterator[None]:
    """Raises TransientError, in one line, where what Spark or a worker needed was not there: a place that did not
    answer, room on a disk, a worker that was killed."""
    try:
        yield
    except (PySparkException, Py4JJavaError, OSError) as error:
        told = str(error)
        for words, wanted in _PASSING:
            if found := words.search(told):
                said = told[found.start() :].partition("\n")[0].strip()
                raise TransientError(f"{said}; wanted {wanted}") from error
        raise


@contextmanager
def told_as_ours() -> Iterator[None]:
    """As `naming_what_is_away`; what failed in Spark for good is a ShelfcastError in one line."""
    try:
        with naming_what_is_away():
            yield
    except (PySparkException, Py4JJavaError) as error:
        raise ShelfcastError(in_a_line(error)) from error


def in_a_line(error: Exception) -> str:
    """What failed in Spark, and the file that holds all that it says of it."""
    return f"{innermost(error)}; all of it is in {_write_log(error)}"


def _write_log(error: Exception) -> str:
    """The error with the stacks of Python and the JVM, in a file of its own."""
    with tempfile.NamedTemporaryFile("w", prefix="shelfcast-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
        log.write(str(getattr(error, "_stackTrace", None) or ""))
    return log.name


def innermost(error: Exception) -> str:
    """The last cause that Spark names, in one line without the lines of code that led there, behind the file that was
    read then."""
    cause = str(error).rpartition("Caused by: ")[2]
    lines = takewhile(lambda line: not line.startswith(("\tat ", "JVM stacktrace")), cause.splitlines())
    said = " ".join(line.strip() for line in lines if not line.startswith("  "))
    reading = _READING.search(str(error))
    return f"{reading[1]}: {said}" if reading and Path(reading[1]).name not in said else said
