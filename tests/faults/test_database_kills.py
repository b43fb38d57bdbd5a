"""The job that writes back, or the database it writes to, killed at random points: a reader of the database sees one
publication or the next, whole, and done again it is the next.

SHELFCAST_RANDOM_KILLS says how many kills there are (a tenth of it), SHELFCAST_RANDOM_SEED which (27).
"""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults.processes import ended, ends_within, kill_all, read_until, refusal
from servers import PASSWORD, Sql
from submitted import ROOT, start
from written_back import CONF, Shop

pytestmark = pytest.mark.faults

KILLS = max(int(os.environ.get("SHELFCAST_RANDOM_KILLS", "50")) // 10, 2)
SEED = int(os.environ.get("SHELFCAST_RANDOM_SEED", "27"))
ITEMS = 20_000
THE_JOB, THE_DATABASE = "the job", "the database"


def begin(shop: Shop) -> subprocess.Popen[str]:
    flags = [word for change in shop.changes for word in ("--set", change)]
    process = start(ROOT / "jobs" / "write_back.py", "--config", str(CONF), *flags)
    read_until(process, "write_back: started")
    return process


def held(shop: Shop) -> tuple[int, int, int]:
    """The numbers of the publications whose forecasts, orders and name the database holds: each all of one."""
    whole = (f"{ITEMS}", "1")
    (forecasts,) = shop.told("count(*), count(distinct mean), max(mean) from shelfcast_forecasts")
    (orders,) = shop.told("count(*), count(distinct quantity), max(quantity) from shelfcast_orders")
    ((name,),) = shop.told("run_id from shelfcast_publications")
    assert tuple(forecasts[:2]) == tuple(orders[:2]) == whole
    return round(float(forecasts[2])), round(float(orders[2])), int(name.removeprefix("run "))


def publish(shop: Shop, run: int) -> None:
    names = [f"{number}" for number in range(ITEMS)]
    shop.publish(run, dict.fromkeys(names, float(run)), dict.fromkeys(names, float(run)))


def test_killed_at_random_points_the_database_holds_one_publication_and_done_again_the_next(
    spark: SparkSession, database: Sql, lake_root: Path
) -> None:
    draw, shop = random.Random(f"{SEED} {database.settings['kind']}"), Shop(spark, database, lake_root)
    publish(shop, 1)
    process, started = begin(shop), time.monotonic()
    status, told = ended(process)
    assert status == 0, told
    seconds, killed, run = time.monotonic() - started, dict.fromkeys((THE_JOB, THE_DATABASE), 0), 1
    while min(killed.values()) < KILLS:
        if held(shop) == (run, run, run):
            run += 1
            publish(shop, run)
        victim, process = min(killed, key=lambda each: killed[each]), begin(shop)
        if ends_within(process, draw.uniform(0, seconds)):
            assert ended(process)[0] == 0
            continue
        killed[victim] += 1
        if victim == THE_JOB:
            kill_all(process)
        else:
            database.process.crash()
            status, told = ended(process)
            database.process.start()
            assert PASSWORD not in told
            # It may have done all, and have been about to end.
            assert status in (0, 75), told
            assert status == 0 or refusal(told).endswith("wanted it to answer")
            assert status == 75 or held(shop) == (run, run, run)
        assert held(shop) in ((run - 1,) * 3, (run,) * 3)
    assert ended(begin(shop))[0] == 0
    assert held(shop) == (run, run, run)
    names = shop.told("table_name from information_schema.tables where table_name like 'shelfcast_%'")
    assert sorted(names) == [["shelfcast_forecasts"], ["shelfcast_orders"], ["shelfcast_publications"]]
