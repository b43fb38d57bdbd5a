"""Failures that Spark and its workers tell of in words of others: what was the cause, and whether a place is away."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from shelfcast.errors import TransientError

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


@contextmanager
def naming_what_is_away() -> Iterator[None]:
    """Raises TransientError, in one line, where a place that Spark or a worker asked did not answer."""
    try:
        yield
    except (PySparkException, Py4JJavaError, OSError) as error:
        told = str(error)
        if found := _AWAY.search(told):
            said = told[found.start() :].partition("\n")[0].strip()
            raise TransientError(f"{said}; wanted it to answer") from error
        raise


def innermost(error: Exception) -> str:
    """The last cause that Spark names, in one line without the lines of code that led there."""
    cause = str(error).rpartition("Caused by: ")[2]
    lines = takewhile(lambda line: not line.startswith(("\tat ", "JVM stacktrace")), cause.splitlines())
    return " ".join(line.strip() for line in lines if not line.startswith("  "))
