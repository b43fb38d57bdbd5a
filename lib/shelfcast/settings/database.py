"""Sections of a configuration that name a database, what is read there, and what is written back."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shelfcast.settings.problems import fitting
from shelfcast.settings.sections import Section

# What no name has: it would end the quotes around it, or part it from its schema in another place.
_UNWANTED = set("\"'`\\;\0\n\r")


def _plain_name(name: str) -> str:
    """A table or column as the database spells it. Quoted as it stands, so that it is a name and nothing else."""
    if not name.strip() or len(name) > 128 or _UNWANTED & set(name):
        raise ValueError("a name of at most 128 characters without quotes, backslashes, semicolons and line ends")
    return name


def _path_of_names(path: str) -> str:
    parts = path.split(".")
    if len(parts) > 3:
        raise ValueError("a table, or schema.table")
    return ".".join(map(_plain_name, parts))


Name = Annotated[str, AfterValidator(_plain_name)]
TableName = Annotated[str, AfterValidator(_path_of_names)]
_Host = Annotated[
    str,
    fitting(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", "the name or address of a host, IPv6 in brackets, without a port"),
]
_Variable = Annotated[str, fitting(r"[A-Z][A-Z0-9_]*", "the name of an environment variable in capitals")]


class Tls(Section):
    """How the connection is closed to others. verify-full: the server's certificate is of an authority in
    `root_certificate` (a PEM file; the system's where none is given), and for the host's name. require: encrypted,
    whoever answers. disable: in clear, for a loopback or a tunnel."""

    mode: Literal["verify-full", "verify-ca", "require", "disable"] = "verify-full"
    root_certificate: str | None = None


class Database(Section):
    """A database, and who asks it. kind mysql: MySQL or MariaDB. password: the environment variable that holds it.

    timeout_seconds: a server that says nothing for so long is away.
    """

    kind: Literal["postgresql", "mysql"]
    host: _Host
    port: int | None = Field(default=None, ge=1, le=65535)
    name: Annotated[str, fitting(r"[\w$-]+", "a database's name, of letters, digits, _, $ and -")]
    user: str
    password: _Variable
    tls: Tls = Field(default_factory=Tls)
    timeout_seconds: int = Field(default=600, ge=1)


class Selection(Section):
    """What is read of a database: the columns received of a `table` (schema.table), or of a `query`.

    partition_by: a column of numbers or dates; its values are cut into `partitions` of as many rows each, which are
    read beside one another. fetch_size: rows at a time. watermark: a column that only ever grows as rows are added or
    changed (a date, an instant, a number); read again is what lies at most `overlap` before the newest row known, days
    or units of it, in which late rows come. A day or moment that is yet to come is no newest one.
    """

    table: TableName | None = None
    query: str | None = None
    partition_by: Name | None = None
    partitions: int = Field(default=8, ge=1, le=512)
    fetch_size: int = Field(default=10_000, ge=1)
    watermark: Name | None = None
    overlap: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _has_one_base(self) -> "Selection":
        if (self.table is None) == (self.query is None):
            raise ValueError("one of table and query")
        return self


class WriteBack(Section):
    """Where published forecasts and orders are written: tables `{prefix}forecasts`, `{prefix}orders` and
    `{prefix}publications` of a database, by `connections` at a time."""

    database: Database
    prefix: Annotated[str, fitting(r"[a-z][a-z0-9_]{0,20}", "up to 21 small letters, digits and underscores")] = (
        "shelfcast_"
    )
    connections: int = Field(default=4, ge=1, le=64)
