"""What Spark's workers tell of a place that is away, and of one that is not."""

import errno
import os

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from shelfcast.errors import TransientError
from shelfcast.failures import innermost, naming_what_is_away

STAGE = """An error occurred while calling o1.collect.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 1 times
\tat org.apache.spark.Code(Code.scala:1)
Caused by: {}
\tat org.Code(Code.java:1)
"""
AWAY = {
    "PostgreSQL does not listen": "org.postgresql.util.PSQLException: Connection to db:5432 refused. Check it.",
    "PostgreSQL shuts down": "org.postgresql.util.PSQLException: FATAL: terminating connection due to administrator",
    "PostgreSQL has gone": "org.postgresql.util.PSQLException: An I/O error occurred while sending to the backend.",
    "MariaDB does not listen": "java.sql.SQLNonTransientConnectionException: Socket fail to connect to 127.0.0.1",
    "S3 does not listen": "software.amazon.awssdk.SdkClientException: Unable to execute HTTP request: refused",
    "S3 does not listen to a worker": "OSError: AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7",
}


@pytest.mark.parametrize("cause", AWAY.values(), ids=AWAY)
def test_a_place_that_is_away_may_be_back_later(cause: str) -> None:
    with pytest.raises(TransientError, match=r"; wanted it to answer$") as told, naming_what_is_away():
        raise PySparkException(STAGE.format(f"{cause}\nCaused by: java.net.ConnectException: Connection refused"))
    assert "\n" not in str(told.value)
    assert cause.rpartition("Exception: ")[2].rpartition("OSError: ")[2] in str(told.value)


PASSING = {
    "a disk that an executor fills": (
        PySparkException(STAGE.format("java.io.IOException: No space left on device")),
        "No space left on device; wanted room for what is written",
    ),
    "a disk that the driver fills": (
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/lake/reports/index.html"),
        "No space left on device: '/lake/reports/index.html'; wanted room for what is written",
    ),
    "a worker that is killed": (
        PySparkException(STAGE.format("org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)")),
        "Python worker exited unexpectedly (crashed); wanted it to live until its task was done",
    ),
}


@pytest.mark.parametrize(("error", "told"), PASSING.values(), ids=PASSING)
def test_what_a_later_try_may_not_meet_is_told_so(error: Exception, told: str) -> None:
    with pytest.raises(TransientError) as found, naming_what_is_away():
        raise error
    assert str(found.value) == told


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("java.io.EOFException: end of stream", "file:/in/sales.csv.gz: java.io.EOFException: end of stream"),
        ("java.io.IOException: sales.csv.gz is no gzip", "java.io.IOException: sales.csv.gz is no gzip"),
    ],
    ids=["it-is-not-named-yet", "it-is-named"],
)
def test_a_file_that_could_not_be_read_is_named(cause: str, told: str) -> None:
    reading = "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:/in/sales.csv.gz. SQLSTATE: KD001\n"
    assert innermost(PySparkException(reading + STAGE.format(cause))) == told


def test_what_a_database_refuses_is_refused_for_good() -> None:
    cause = 'org.postgresql.util.PSQLException: ERROR: column "shop" does not exist'
    error = PySparkException(STAGE.format(cause))
    with pytest.raises(PySparkException) as told, naming_what_is_away():
        raise error
    assert told.value is error
    assert innermost(error) == cause


def test_a_file_that_is_not_there_is_no_place_that_is_away() -> None:
    with pytest.raises(FileNotFoundError), naming_what_is_away():
        raise FileNotFoundError("nowhere")
    with pytest.raises(Py4JError), naming_what_is_away():
        raise Py4JError("the JVM is gone")
