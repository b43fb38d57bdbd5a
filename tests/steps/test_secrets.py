"""What Spark shows of a job that reads a database: no page, no event and no line tells the password."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from servers import PASSWORD, Sql

ROOT = Path(__file__).parents[2]
LOOK = """
import sys
import urllib.request

from shelfcast.command import run_job
from shelfcast.session import open_session
from shelfcast.steps import ingest

events, *flags = sys.argv[1:]
shown = {"spark.ui.enabled": "true", "spark.eventLog.enabled": "true", "spark.eventLog.dir": events}
spark = open_session("look", {"spark.master": "local[1]", "spark.log.level": "INFO", **shown})
status = run_job("", ingest.job, flags)
ui, api = spark.sparkContext.uiWebUrl, f"api/v1/applications/{spark.sparkContext.applicationId}"
for page in ("environment/", "SQL/", f"{api}/environment", f"{api}/sql?details=true&planDescription=true"):
    print(urllib.request.urlopen(f"{ui}/{page}").read().decode())
sys.exit(status)
"""


@pytest.mark.slow
def test_nothing_that_spark_shows_tells_the_password(database: Sql, tmp_path: Path) -> None:
    database.run(
        "drop table if exists shown; create table shown (id int, day date); insert into shown values (1, null);"
    )
    sales = {
        "format": "jdbc",
        "select": {"table": "shown", "partition_by": "id", "partitions": 2},
        "received": {"id": "int", "day": "date"},
        "columns": {"store_id": "id", "product_id": "id", "sold_on": "day", "source_quantity": "id", "revenue": "id"},
    }
    source = {"kind": "mapped", "name": "shop", "database": database.asked, "tables": {"sales": sales}}
    changes = (f"source={yaml.safe_dump(source)}", f"lake={tmp_path / 'lake'}", "cleaning.keys={}")
    flags = [flag for change in changes for flag in ("--set", change)]
    events = tmp_path / "events"
    events.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(events), "--config", str(ROOT / "conf" / "walmart.yaml"), *flags],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    told = "".join([done.stdout, done.stderr, *[path.read_bytes().decode("utf-8", "replace") for path in kept]])
    assert "JDBCRelation" in done.stdout, "the pages tell how the rows were read"
    assert "JDBCRelation" in "".join(path.read_text() for path in events.rglob("*") if path.is_file())
    assert PASSWORD not in told
