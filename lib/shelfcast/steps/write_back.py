"""monitoring/publications, forecasts/demand, inventory/orders -> tables of the database that write_back names"""

from pyspark.sql import DataFrame

from shelfcast import publications, schemas
from shelfcast.config import Config
from shelfcast.database.connection import Server
from shelfcast.database.upserts import SCOPE, Published, Target, is_there, put
from shelfcast.database.upserts import publications as told_of
from shelfcast.errors import ConfigError, LakeError
from shelfcast.inventory.tables import ORDERS
from shelfcast.job import Job, Run
from shelfcast.publications import Publication
from shelfcast.settings.database import WriteBack
from shelfcast.table import Table

_TABLES = {"forecasts": schemas.FORECASTS, "orders": ORDERS}


def job(config: Config) -> Job:
    settings(config)
    return Job("write_back", (schemas.PUBLICATIONS,), (), ("write_back",), write_back, dated=False, present=_is_there)


def write_back(run: Run) -> None:
    """Put the newest publication of the region into the database: all of it, in one transaction."""
    wanted, publication = settings(run.config), _newest(run)
    targets = {_target(wanted, name, table): _rows(run, publication, table) for name, table in _TABLES.items()}
    server = Server(run.spark, wanted.database)
    written = put(server, told_of(wanted.prefix), targets, _published(publication), wanted.connections)
    run.say(f"{server}: {', '.join(f'{name} {rows:,}' for name, rows in written.items())}")


def settings(config: Config) -> WriteBack:
    """Raises ConfigError where there are none."""
    if config.write_back is None:
        raise ConfigError("write_back: not given; wanted the database that forecasts and orders are written to")
    return config.write_back


def _is_there(run: Run) -> bool:
    wanted = settings(run.config)
    return is_there(Server(run.spark, wanted.database), told_of(wanted.prefix), _published(_newest(run)))


def _newest(run: Run) -> Publication:
    found = publications.newest(run.lake, run.config.region)
    if found is None:
        raise LakeError(f"region {run.config.region}: nothing is published; wanted a report before")
    return found


def _published(publication: Publication) -> Published:
    day, at = publication.forecast_date.isoformat(), publication.published_at.isoformat()
    return Published(publication.region, day, publication.run_id, at)


def _rows(run: Run, publication: Publication, table: Table) -> DataFrame:
    """As published; of a publication without a plan no rows, which take the place of an older one's."""
    if table.name in publication.tables:
        return publication.read(run.lake, table)
    return run.spark.createDataFrame([], table.schema)


def _target(wanted: WriteBack, name: str, table: Table) -> Target:
    columns = {
        field.name: field.dataType.simpleString() for field in table.schema if field.name not in table.operational
    }
    return Target(f"{wanted.prefix}{name}", columns, (*SCOPE, *[key for key in table.key if key not in SCOPE]))
