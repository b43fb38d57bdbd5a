"""A household forgotten by a small chain's lake of several versions."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from corner import HEADER, Corner, line
from shelfcast import erasure, publications, schemas
from shelfcast.errors import ConfigError, LakeError
from shelfcast.runner import Runner
from shelfcast.sources import open_source
from shelfcast.sources.raw import keyed_hashes
from shelfcast.steps import clean, ingest
from shelfcast.steps.forget import forget

KEY = "a secret"
REGION = "complete_journey"
KEYS = "{sales: [store_id, sold_on, basket_id, product_id]}"
OF_HOUSEHOLDS = f"{HEADER},household"


def hashed(household: str) -> str:
    return str(keyed_hashes(pd.Series([household]), KEY.encode())[0])


@pytest.fixture
def runner(make_runner: Callable[..., Runner], lake_root: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Ingested and cleaned twice: of each table there is an older version, whose files are there still."""
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", KEY)
    made = make_runner(lake_root, "source.persons={household_id: hash}")
    for job in (ingest, clean):
        made.run(job.job(made.config))
    raw = open_source(made.config).raw["sales"]
    note = made.lake.last_commit(raw, {"region": REGION}).note
    made.lake.replace(raw, made.lake.read(raw, REGION).localCheckpoint(), {"region": REGION}, note)
    return made


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corner:
    """One whose households are hashed."""
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", KEY)
    return Corner(spark, tmp_path, KEYS, "source.persons={household: hash}",
                  received=OF_HOUSEHOLDS.split(","))  # fmt: skip


def sales_of(runner: Runner, household: str) -> int:
    return runner.lake.read(open_source(runner.config).raw["sales"], REGION).where(
        F.col("household_id") == hashed(household)
    ).count()  # fmt: skip


def named_files(runner: Runner, household: str) -> dict[str, int]:
    found = erasure.files_that_name(runner.lake, REGION, hashed(household))
    return {name: files for name, (_, files) in found.items() if files}


def test_a_person_is_forgotten_in_every_version_and_nobody_else(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    # Household 3 bought 500,000 of a thing, which is refused.
    lake, person = runner.lake, "3"
    before = {name: sales_of(runner, name) for name in (person, "2")}
    clean_rows, refused = lake.read(schemas.SALES, REGION).count(), lake.read(schemas.QUARANTINE, REGION).count()
    assert {"raw/complete_journey_sales", "clean/quarantine"} <= named_files(runner, person).keys()
    forget(runner, hashed(person))
    told = capsys.readouterr().out.splitlines()
    assert (sales_of(runner, person), sales_of(runner, "2")) == (0, before["2"])
    gone = clean_rows - lake.read(schemas.SALES, REGION).count()
    refused_gone = refused - lake.read(schemas.QUARANTINE, REGION).count()
    assert gone + refused_gone == before[person] > refused_gone > 0
    assert named_files(runner, person) == {}
    of_raw = f"raw/complete_journey_sales {before[person]}"
    assert told[0] == f"deleted: clean/quarantine {refused_gone}, clean/sales {gone}, {of_raw}"
    assert told[1].startswith("proof: ")
    assert told[1].endswith("tables were read, of every version; none names the person")
    row = lake.read(erasure.ERASURES, REGION).first()
    assert (row.person, row.deleted["clean/sales"]) == (erasure.digest(hashed(person)), gone)
    assert [runner.run(job.job(runner.config)) for job in (ingest, clean)] == [False, False], "it does not come back"


def test_the_sales_of_another_region_stand_whose_files_are_put_away(
    shop: Corner, spark: SparkSession, tmp_path: Path
) -> None:
    other = Corner(spark, tmp_path / "other", KEYS, f"lake={shop.runner.lake.root}", "region=far",
                   "source.persons={household: hash}", received=OF_HOUSEHOLDS.split(","))  # fmt: skip
    shop.deliver("sales-1.csv", f"{line('a', '2017-01-02', 1)},4", header=OF_HOUSEHOLDS)
    shop.take_in()
    other.deliver("sales-1.csv", f"{line('a', '2017-01-02', 1)},3", header=OF_HOUSEHOLDS)
    other.ingest()
    forget(other.runner, hashed("3"))
    (shop.folder / "sales-1.csv").unlink()
    shop.deliver("sales-2.csv", f"{line('b', '2017-01-03', 1)},4", header=OF_HOUSEHOLDS)
    assert shop.take_in() == (True, True)
    assert shop.sold() == {"a": 1, "b": 1}


def test_a_receipt_of_the_same_number_is_another_s_in_another_store_and_on_another_day(shop: Corner) -> None:
    receipts = [("s1", "2017-01-02", 3), ("s2", "2017-01-02", 4), ("s1", "2017-01-03", 4)]
    rows = [f"{line('7', day, 1).replace('s1', store)},{household}" for store, day, household in receipts]
    shop.deliver("sales-1.csv", *rows, header=OF_HOUSEHOLDS)
    shop.take_in()
    forget(shop.runner, hashed("3"))
    left = shop.runner.lake.read(schemas.SALES, "corner").select("store_id", "sold_on").collect()
    assert sorted((store, str(day)) for store, day in left) == [("s1", "2017-01-03"), ("s2", "2017-01-02")]


@pytest.mark.slow
def test_what_comes_afterwards_is_counted_with_what_is_left(shop: Corner) -> None:
    rows = [f"{line('a', '2017-01-02', 1)},3", f"{line('b', '2017-01-02', 1)},4"]
    shop.deliver("sales-1.csv", *rows, header=OF_HOUSEHOLDS)
    shop.take_in()
    forget(shop.runner, hashed("3"))
    assert shop.take_in() == (False, False)
    shop.deliver("sales-2.csv", f"{line('c', '2017-01-03', 1)},4", header=OF_HOUSEHOLDS)
    assert shop.take_in() == (True, True)
    assert shop.sold() == {"b": 1, "c": 1}
    assert shop.account() == {"raw": 2, "clean": 2}


def killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("is_killed", [False, True], ids=["at-once", "killed-before-it-is-published-again"])
def test_what_is_published_can_be_read_without_the_person(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    lake = runner.lake
    version = lake.last_commit(schemas.QUARANTINE, {"region": REGION}).version
    row = (REGION, date(2017, 8, 1), "run", datetime(2017, 8, 1), {"clean/quarantine": version})
    lake.append(schemas.PUBLICATIONS, runner.spark.createDataFrame([row], schemas.PUBLICATIONS.schema))
    refused = lake.read(schemas.QUARANTINE, REGION).count()
    if is_killed:
        with monkeypatch.context() as context:
            context.setattr(publications, "publish_again", killed)
            with pytest.raises(KeyboardInterrupt):
                forget(runner, hashed("3"))
    forget(runner, hashed("3"))
    published = publications.newest(lake, REGION)
    assert published.run_id == "run"
    assert 0 < published.read(lake, schemas.QUARANTINE).count() < refused


@pytest.mark.slow
def test_who_is_not_there_is_proved_not_to_be(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    raw = open_source(runner.config).raw["sales"]
    version = runner.lake.last_commit(raw, {"region": REGION}).version
    forget(runner, hashed("nobody"))
    assert capsys.readouterr().out.startswith("deleted: no row names the person\nproof: ")
    assert runner.lake.read(raw, REGION, version).count() > 0, "older versions stay"


@pytest.mark.slow
def test_a_file_that_still_names_the_person_is_told(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shelfcast.upkeep.vacuum", lambda *_, **__: None)
    with pytest.raises(LakeError, match=r"person: still named in clean/quarantine \(\d+ files\), .*; wanted in none"):
        forget(runner, hashed("3"))
    assert not runner.lake.exists(erasure.ERASURES)


@pytest.mark.slow
def test_by_another_key_nobody_is_taken_for_forgotten_and_nothing_is_taken_in(
    shop: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deliver("sales-1.csv", f"{line('a', '2017-01-02', 1)},3", header=OF_HOUSEHOLDS)
    shop.take_in()
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", "a new secret")
    said = "SHELFCAST_PERSON_KEY: another key than that by which the persons of region .* are hashed; wanted the same"
    with pytest.raises(ConfigError, match=said):
        forget(shop.runner, hashed("3"))
    shop.deliver("sales-2.csv", f"{line('b', '2017-01-03', 1)},3", header=OF_HOUSEHOLDS)
    with pytest.raises(ConfigError, match=said):
        shop.take_in()
    monkeypatch.setenv("SHELFCAST_PERSON_KEY", KEY)
    assert shop.take_in() == (True, True)
    assert shop.account() == {"raw": 2, "clean": 2}


def test_where_no_person_is_hashed_nobody_can_be_found(make_runner: Callable[..., Runner], lake_root: Path) -> None:
    with pytest.raises(ConfigError, match=r"source\.persons: no column is hashed"):
        forget(make_runner(lake_root, "source.persons={household_id: drop}"), hashed("3"))
