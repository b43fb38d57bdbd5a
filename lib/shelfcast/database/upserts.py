"""Tables of a lake put into a database: staged by Spark's tasks, then merged in one transaction. Readers see all of it
or nothing, and done again it changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pyspark.sql import DataFrame

from shelfcast.database.connection import Server, Transaction
from shelfcast.database.dialects import Dialect
from shelfcast.errors import LakeError

# What rows of a scope are told apart by: region and date.
SCOPE = ("region", "forecast_date")


@dataclass(frozen=True, eq=False)
class Target:
    """A table of the database: its columns with Spark's types, and its key, which begins with SCOPE."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]

    def create(self, dialect: Dialect) -> str:
        key = ", ".join(map(dialect.quote, self.key))
        return f"create table if not exists {dialect.quote(self.name)} ({self._typed(dialect)}, primary key ({key}))"

    def create_staging(self, dialect: Dialect, staging: str) -> str:
        return f"create table {dialect.quote(staging)} ({self._typed(dialect)})"

    def _typed(self, dialect: Dialect) -> str:
        return ", ".join(
            f"{dialect.quote(name)} {dialect.types[kind]}{' not null' if name in self.key else ''}"
            for name, kind in self.columns.items()
        )


@dataclass(frozen=True)
class Published:
    """What is told of the rows: of which region and date they are, the run that made them, and when it was published
    (UTC, ISO 8601)."""

    region: str
    forecast_date: str
    run_id: str
    published_at: str


def publications(prefix: str) -> Target:
    """The table that says which run's rows are there: a row for each region and date."""
    columns = {"region": "string", "forecast_date": "date", "run_id": "string", "published_at": "string"}
    return Target(f"{prefix}publications", columns, SCOPE)


def is_there(server: Server, told: Target, published: Published) -> bool:
    """Whether the rows of just this publication are in the database."""
    with server.transaction() as transaction:
        if not transaction.has_table(told.name):
            return False
        quote = server.dialect.quote
        run = f"select run_id from {quote(told.name)} where {_of_scope(server.dialect, published)}"
        return transaction.first(run) == [published.run_id]


def put(
    server: Server, told: Target, frames: Mapping[Target, DataFrame], published: Published, connections: int
) -> dict[str, int]:
    """Replace the rows of the publication's region and date in all tables, in one transaction. Returns their numbers.

    frames: with the columns of their targets. Columns that others have added to the tables keep their values.
    """
    staged = {target: f"{target.name}_{_mark(published.region)}" for target in frames}
    with server.transaction() as transaction:
        for target in (told, *frames):
            transaction.execute(target.create(server.dialect))
        for target, staging in staged.items():
            # What a run that was killed has left.
            _drop(server, transaction, staging)
            transaction.execute(target.create_staging(server.dialect, staging))
    for target, frame in frames.items():
        server.append(frame.select(*target.columns), staged[target], connections)
    wanted = {target: frame.count() for target, frame in frames.items()}
    with server.transaction() as transaction:
        for target, staging in staged.items():
            _merge(server.dialect, transaction, target, staging, published, wanted[target])
        _tell(server.dialect, transaction, told, published)
    with server.transaction() as transaction:
        for staging in staged.values():
            _drop(server, transaction, staging)
    return {target.name: rows for target, rows in wanted.items()}


def _merge(
    dialect: Dialect, transaction: Transaction, target: Target, staging: str, published: Published, wanted: int
) -> None:
    """The staged rows in, those of the scope that are not among them out."""
    quote = dialect.quote
    columns = ", ".join(map(quote, target.columns))
    # A task that was done twice has staged its rows twice.
    distinct = f"select distinct {columns} from {quote(staging)}"
    staged = int((transaction.first(f"select count(*) from ({distinct}) staged") or ["0"])[0])
    if staged != wanted:
        raise LakeError(f"table {target.name}: {staged} rows staged, wanted {wanted}; nothing is written")
    same = " and ".join(f"staged.{quote(name)} = {quote(target.name)}.{quote(name)}" for name in target.key)
    gone = f"not exists (select 1 from {quote(staging)} staged where {same})"
    transaction.execute(f"delete from {quote(target.name)} where {_of_scope(dialect, published)} and {gone}")
    update = dialect.upsert([*target.columns], target.key)
    # The condition tells `on conflict` from the one of a join.
    transaction.execute(f"insert into {quote(target.name)} ({columns}) {distinct} where 1 = 1 {update}")
    held = f"select count(*) from {quote(target.name)} where {_of_scope(dialect, published)}"
    found = int((transaction.first(held) or ["0"])[0])
    if found != wanted:
        raise LakeError(
            f"table {target.name}: would hold {found} of the {wanted} rows that are published, for its primary key "
            f"tells fewer apart; wanted one of {', '.join(target.key)}; nothing is written"
        )


def _tell(dialect: Dialect, transaction: Transaction, told: Target, published: Published) -> None:
    quote = dialect.quote
    columns = ", ".join(map(quote, told.columns))
    values = f"?, {dialect.literal('date', published.forecast_date)}, ?, ?"
    update = dialect.upsert([*told.columns], told.key)
    transaction.execute(
        f"insert into {quote(told.name)} ({columns}) values ({values}) {update}",
        (published.region, published.run_id, published.published_at),
    )


def _of_scope(dialect: Dialect, published: Published) -> str:
    """Region and date as a condition: names of letters and digits, which the configuration sees to, and a date."""
    day = dialect.literal("date", published.forecast_date)
    return f"region = '{published.region}' and forecast_date = {day}"


def _drop(server: Server, transaction: Transaction, staging: str) -> None:
    transaction.execute(f"drop table if exists {server.dialect.quote(staging)}")


def _mark(region: str) -> str:
    """Tells one region's staging table from another's; names of tables have an end."""
    return f"staging_{sha256(region.encode()).hexdigest()[:8]}"
