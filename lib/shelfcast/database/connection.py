"""A database asked by Spark's tasks, and by the driver in transactions of its own: through the JVM's JDBC, so that one
driver and one set of TLS settings serve both."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from shelfcast.database.dialects import Dialect, dialect_of
from shelfcast.errors import ConfigError, SourceError, TransientError
from shelfcast.settings.database import Database

# SQLSTATE classes and values after which a later try may succeed: no connection, the server shuts down or starts or
# has no room, a deadlock.
_AWAY = ("08", "57P", "53", "40", "70100")

# Drivers take a server whose certificate is not trusted for one that is away.
_STRANGER = re.compile(r"SSL error|certificat|PKIX|could not be verified")


class Server:
    """A database, and the way to it. Raises ConfigError where the environment does not hold the password."""

    def __init__(self, spark: SparkSession, database: Database) -> None:
        self._spark = spark
        self._database = database
        self.dialect: Dialect = dialect_of(database)
        self._password = _password(database)

    def __str__(self) -> str:
        return f"{self._database.kind} database {self._database.name} on {self._database.host}"

    def read(self, query: str) -> DataFrame:
        """What the database answers, by one task. Times without a zone stay what the clock showed."""
        with self.answering():
            return self._reader.options(**self._options()).option("query", query).load()

    def read_slices(self, table: str, slices: Sequence[str], fetch_size: int) -> DataFrame:
        """The rows of `table` (a name or a query in brackets), by a task for each condition of `slices`."""
        options = self._options() | {"fetchsize": str(fetch_size)}
        address = options.pop("url")
        with self.answering():
            return self._reader.jdbc(address, table, predicates=[*slices], properties=options)

    def append(self, frame: DataFrame, table: str, connections: int) -> None:
        """Append the rows to a table that is there, each partition in a transaction: a task that is done again may
        leave rows twice."""
        with self.answering():
            writer = frame.coalesce(connections).write.format("jdbc").mode("append").options(**self._options())
            writer.option("dbtable", self.dialect.quote(table)).option("batchsize", 5000).save()

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """All that is done inside, or nothing of it."""
        with self.answering():
            connection = self._connect()
            try:
                connection.setAutoCommit(False)
                yield Transaction(connection)
                connection.commit()
            except BaseException:
                # Where the server is gone, so is the transaction.
                with suppress(Py4JJavaError):
                    connection.rollback()
                raise
            finally:
                with suppress(Py4JJavaError):
                    connection.close()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """What the database refuses, in one line: TransientError where it is away, else SourceError."""
        try:
            yield
        except (Py4JJavaError, PySparkException) as error:
            refused = _sql_exception(_thrown(error))
            if refused is None:
                raise
            state, said = refused.getSQLState() or "", " ".join(str(refused.getMessage()).split())
            if state.startswith(_AWAY) and not _STRANGER.search(said):
                raise TransientError(f"{self}: {said}; wanted it to answer") from None
            raise SourceError(f"{self}: {said}") from None

    @property
    def _reader(self) -> DataFrameReader:
        return self._spark.read.format("jdbc").option("preferTimestampNTZ", "true")

    def _connect(self) -> Any:
        jvm: Any = self._spark.sparkContext._jvm
        properties = jvm.java.util.Properties()
        for key, value in self._options().items():
            if key not in ("url", "driver"):
                properties.setProperty(key, value)
        driver = reduce(getattr, self.dialect.driver.split("."), jvm)()
        return driver.connect(self.dialect.address(self._database), properties)

    def _options(self) -> dict[str, str]:
        return {
            "url": self.dialect.address(self._database),
            "driver": self.dialect.driver,
            "user": self._database.user,
            "password": self._password,
            **self.dialect.properties(self._database),
        }


class Transaction:
    """Statements of one transaction. Values go beside the statement, as ?, never inside it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_table(self, name: str) -> bool:
        """Whether the schema that the connection is in has it."""
        told = self._connection.getMetaData()
        tables = told.getTables(self._connection.getCatalog(), self._connection.getSchema(), name, None)
        return bool(tables.next())

    def execute(self, sql: str, values: Sequence[str] = ()) -> int:
        """Returns how many rows were touched."""
        with self._prepared(sql, values) as statement:
            return int(statement.executeUpdate())

    def first(self, sql: str, values: Sequence[str] = ()) -> list[Any] | None:
        """The columns of the first row as text; None where there is no row."""
        with self._prepared(sql, values) as statement:
            found = statement.executeQuery()
            if not found.next():
                return None
            return [found.getString(number) for number in range(1, found.getMetaData().getColumnCount() + 1)]

    @contextmanager
    def _prepared(self, sql: str, values: Sequence[str]) -> Iterator[Any]:
        statement = self._connection.prepareStatement(sql)
        try:
            for number, value in enumerate(values, 1):
                statement.setString(number, value)
            yield statement
        finally:
            statement.close()


def _password(database: Database) -> str:
    password = os.environ.get(database.password)
    if not password:
        raise ConfigError(
            f"database {database.name}: environment variable {database.password} is not set; wanted the password of "
            f"user {database.user}"
        )
    return password


def _thrown(error: Py4JJavaError | PySparkException) -> Any:
    """What the JVM threw; None where PySpark keeps it for itself."""
    return getattr(error, "java_exception", None) or getattr(error, "_origin", None)


def _sql_exception(error: Any) -> Any:
    """The database's own exception among the causes; None where there is none."""
    while error is not None:
        if _is_sql(error.getClass()):
            return error
        error = error.getCause()
    return None


def _is_sql(kind: Any) -> bool:
    while kind is not None:
        if kind.getName() == "java.sql.SQLException":
            return True
        kind = kind.getSuperclass()
    return False
