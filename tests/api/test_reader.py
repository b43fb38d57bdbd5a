from datetime import timedelta
from pathlib import Path

import pytest

from api.lake import DAY, publish, put, rows_of
from shelfcast import schemas
from shelfcast.api.reader import Lake
from shelfcast.errors import LakeError
from shelfcast.inventory import tables as plans

BOARD = {"region": "north", "panel": "product"}
ORDER = {"region": "north", "store_id": "1", "product_id": "p1", "quantity": 1.0}


def test_a_lake_in_which_nothing_is_published_has_no_publication(tmp_path: Path) -> None:
    assert Lake(str(tmp_path)).newest_publications() == {}


def test_a_lake_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=f"lake {tmp_path}/nowhere: not there; wanted the folder"):
        Lake(f"{tmp_path}/nowhere").newest_publications()


def test_the_newest_publication_is_of_the_newest_day_and_of_those_of_a_day_the_last(tmp_path: Path) -> None:
    for run_id, day, minute in (("a", DAY, 1), ("b", DAY, 3), ("c", DAY - timedelta(days=1), 9), ("d", DAY, 2)):
        publish(tmp_path, "north", {}, run_id, day, minute)
    publish(tmp_path, "south", {}, "e", DAY, 0)
    found = Lake(str(tmp_path)).newest_publications()
    assert {region: publication.run_id for region, publication in found.items()} == {"north": "b", "south": "e"}


def test_a_publication_that_comes_later_is_seen(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    for run_id, minute in (("a", 1), ("b", 2)):
        publish(tmp_path, "north", {}, run_id, DAY, minute)
        assert lake.newest_publications()["north"].run_id == run_id


def test_rows_are_those_of_the_version_region_and_day_that_are_published(tmp_path: Path) -> None:
    yesterday = DAY - timedelta(days=1)
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "model": "published"}])
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "region": "south", "model": "of another region"}])
    put(tmp_path, plans.ORDERS, [{**ORDER, "forecast_date": yesterday, "order_id": "of another day"}])
    put(tmp_path, plans.ORDERS, [{**ORDER, "forecast_date": DAY, "order_id": "published"}])
    publish(tmp_path, "north", {schemas.LEADERBOARD.name: 1, plans.ORDERS.name: 1})
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "model": "since"}])
    put(tmp_path, plans.ORDERS, [{**ORDER, "forecast_date": DAY, "order_id": "since"}])
    assert rows_of(tmp_path, schemas.LEADERBOARD, "model") == ["published"]
    assert rows_of(tmp_path, plans.ORDERS, "order_id") == ["published"]
    assert rows_of(tmp_path, plans.RISKS, "risk") == []


def test_a_version_that_is_gone_is_named(tmp_path: Path) -> None:
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "model": "m"}])
    publish(tmp_path, "north", {schemas.LEADERBOARD.name: 7})
    with pytest.raises(LakeError, match=r"table models/leaderboard: version 7 cannot be read"):
        rows_of(tmp_path, schemas.LEADERBOARD, "model")


def test_a_table_is_of_the_run_that_wrote_the_region_s_rows_whatever_rearranged_them_since(tmp_path: Path) -> None:
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "model": "m"}], run_key="k", job="evaluate", reads={"x": 3})
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "region": "south", "model": "m"}], run_key="other")
    put(tmp_path, schemas.LEADERBOARD, [{**BOARD, "region": "west", "model": "m"}], run_key="third")
    publish(tmp_path, "north", {schemas.LEADERBOARD.name: 2})
    lake = Lake(str(tmp_path))
    commit = lake.snapshot(lake.newest_publications()["north"]).commit(schemas.LEADERBOARD.name)
    assert (commit.run_key, commit.job, commit.reads, commit.version) == ("k", "evaluate", {"x": 3}, 0)


def test_the_day_before_is_the_last_publication_of_an_earlier_day(tmp_path: Path) -> None:
    for run_id, ago, minute in (("a", 2, 1), ("b", 1, 2), ("c", 1, 3), ("d", 0, 4), ("e", 0, 5)):
        publish(tmp_path, "north", {}, run_id, DAY - timedelta(days=ago), minute)
    publish(tmp_path, "south", {}, "f", DAY - timedelta(days=1), 6)
    found = Lake(str(tmp_path)).newest_publications()
    assert (found["north"].run_id, found["north"].before.run_id) == ("e", "c")
    assert found["south"].before is None
