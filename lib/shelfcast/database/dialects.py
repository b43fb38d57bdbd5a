"""What PostgreSQL and MySQL (MariaDB) say differently: addresses, names, literals, types, and the upsert."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shelfcast.settings.database import Database, Tls

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSTGRESQL_TYPES = {
    "string": "text",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "int": "integer",
    "bigint": "bigint",
    "double": "double precision",
    "boolean": "boolean",
}
_MYSQL_TYPES = {
    # The longest that keys of five names have room for.
    "string": "varchar(150)",
    "date": "date",
    "timestamp": "timestamp(6) null",
    "int": "int",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
}
_MYSQL_MODES = {"verify-full": "verify-full", "verify-ca": "verify-ca", "require": "trust", "disable": "disable"}


class Dialect(Protocol):
    """driver: its class. types: Spark's simple name of a type -> the column type that holds it."""

    driver: str
    types: Mapping[str, str]

    def address(self, database: Database) -> str:
        """The JDBC address; who asks, and the password, are no part of it."""

    def properties(self, database: Database) -> dict[str, str]:
        """What the driver is to know beside user and password: encryption and patience."""

    def quote(self, name: str) -> str:
        """A name, or names parted by points, as no keyword and no case of it is mistaken."""

    def literal(self, kind: str, text: str) -> str:
        """A number, date, timestamp_ntz or timestamp (text in UTC, ISO 8601) of Spark's as the database writes it."""

    def upsert(self, columns: Sequence[str], key: Sequence[str]) -> str:
        """What follows `insert into table (columns) select ...`: rows of a key that is there take the new values."""


class PostgreSQL:
    driver = "org.postgresql.Driver"
    types: Mapping[str, str] = _POSTGRESQL_TYPES

    def address(self, database: Database) -> str:
        return f"jdbc:postgresql://{database.host}:{database.port or 5432}/{database.name}"

    def properties(self, database: Database) -> dict[str, str]:
        return {
            **self._encryption(database.tls),
            "connectTimeout": "20",
            "socketTimeout": str(database.timeout_seconds),
            "tcpKeepAlive": "true",
            "ApplicationName": "shelfcast",
        }

    def _encryption(self, tls: Tls) -> dict[str, str]:
        if tls.root_certificate:
            return {"sslmode": tls.mode, "sslrootcert": tls.root_certificate}
        # The driver would look for a file in the user's home: what Java trusts is asked instead.
        trusted = {"sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"} if tls.mode.startswith("verify") else {}
        return {"sslmode": tls.mode, **trusted}

    def quote(self, name: str) -> str:
        return ".".join(f'"{part}"' for part in name.split("."))

    def literal(self, kind: str, text: str) -> str:
        names = {"date": "date", "timestamp_ntz": "timestamp", "timestamp": "timestamp with time zone"}
        return f"{names[kind]} '{text}'" if kind in names else text

    def upsert(self, columns: Sequence[str], key: Sequence[str]) -> str:
        taken = ", ".join(f"{self.quote(name)} = excluded.{self.quote(name)}" for name in columns if name not in key)
        return f"on conflict ({', '.join(map(self.quote, key))}) do update set {taken}"


class MySQL:
    # MariaDB's driver speaks to both.
    driver = "org.mariadb.jdbc.Driver"
    types: Mapping[str, str] = _MYSQL_TYPES

    def address(self, database: Database) -> str:
        # By this name Spark knows how the database quotes; the driver wants to be told that it is meant.
        return f"jdbc:mysql://{database.host}:{database.port or 3306}/{database.name}?permitMysqlScheme"

    def properties(self, database: Database) -> dict[str, str]:
        certificate = database.tls.root_certificate
        return {
            "sslMode": _MYSQL_MODES[database.tls.mode],
            **({"serverSslCert": certificate} if certificate else {}),
            "connectTimeout": "20000",
            "socketTimeout": str(1000 * database.timeout_seconds),
            # The server tells instants in the session's zone: it is to be the one that the driver reads them in.
            "forceConnectionTimeZoneToSession": "true",
        }

    def quote(self, name: str) -> str:
        return ".".join(f"`{part}`" for part in name.split("."))

    def literal(self, kind: str, text: str) -> str:
        if kind == "timestamp":
            # An instant, whatever zone the session is in; in whole microseconds, as a float is not.
            seconds, micros = divmod((datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1), 1_000_000)
            return f"from_unixtime({seconds}.{micros:06d})"
        names = {"date": "date", "timestamp_ntz": "timestamp"}
        return f"{names[kind]} '{text}'" if kind in names else text

    def upsert(self, columns: Sequence[str], key: Sequence[str]) -> str:
        taken = ", ".join(f"{self.quote(name)} = values({self.quote(name)})" for name in columns if name not in key)
        return f"on duplicate key update {taken}"


def dialect_of(database: Database) -> Dialect:
    return PostgreSQL() if database.kind == "postgresql" else MySQL()
