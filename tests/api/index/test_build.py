from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from api.lake import AHEAD, DAY, LAST_WEEK, PRODUCTS, STORES, TABLES, mean_of, publish, put, rows, write_region
from shelfcast import schemas
from shelfcast.api.index import before, writing
from shelfcast.api.index.build import build, index_name, remove_others
from shelfcast.api.index.contest import BACKTESTS
from shelfcast.api.index.packed import as_date, unpack
from shelfcast.api.index.parts import FORECAST_WEEKS, PACKED, PANEL_WEEKS, ROWS, SOLD_WEEKS
from shelfcast.api.index.reading import Index
from shelfcast.api.reader import Lake
from shelfcast.challengers import CHAMPIONS
from shelfcast.errors import LakeError
from shelfcast.inventory import tables as plans
from shelfcast.monitoring.tables import DRIFT
from shelfcast.table import Table

DECLARED: dict[str, Table] = {
    table.name: table
    for table in (*[table for table, _ in TABLES], *vars(schemas).values(), *vars(plans).values(), DRIFT)
    if isinstance(table, Table)
} | {table.name: table for table in schemas.DEMAND.values()}


def built(root: Path, folder: Path, region: str = "north") -> Index:
    lake = Lake(str(root))
    return Index(build(lake, lake.newest_publications()[region], folder))


@pytest.fixture(scope="module")
def index(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return built(lake, tmp_path_factory.mktemp("index"))


@pytest.mark.parametrize("part", [*PACKED, *ROWS, BACKTESTS, *before.ROWS, before.STORES], ids=lambda part: part.name)
def test_an_index_asks_for_columns_that_the_lake_s_tables_have(part: object) -> None:
    wanted = {*part.key, *part.columns, *part.where, *getattr(part, "packed", ())}
    assert wanted <= {*DECLARED[part.source].names}


def test_a_store_s_series_lie_together_each_with_its_weeks_in_order(index: Index) -> None:
    found = index.rows("select store_id, item_id, weeks from forecasts where level = 'product'")
    expected = sorted((store, product) for store in STORES["north"] for product in PRODUCTS)
    assert [(row["store_id"], row["item_id"]) for row in found] == expected
    for row in found:
        weeks = unpack(row["weeks"], len(FORECAST_WEEKS))
        assert [as_date(day) for day in weeks[:, 0]] == AHEAD
        np.testing.assert_allclose(weeks[:, 2], mean_of("north", row["store_id"], row["item_id"]))


def test_a_quantile_that_nobody_knows_is_not_there(index: Index) -> None:
    (row,) = index.rows("select weeks from forecasts where level = 'region'")
    weeks = unpack(row["weeks"], len(FORECAST_WEEKS))
    assert np.isnan(weeks[:, FORECAST_WEEKS.index("p98")]).all()
    assert not np.isnan(weeks[:, FORECAST_WEEKS.index("p90")]).any()


def test_history_and_what_the_champion_reads_are_those_of_the_series(index: Index) -> None:
    key = "where store_id = '2' and item_id = 'p1'"
    (history,) = index.rows(f"select weeks from history {key}")
    (panel,) = index.rows(f"select weeks from panel {key}")
    sold, read = unpack(history["weeks"], len(SOLD_WEEKS)), unpack(panel["weeks"], len(PANEL_WEEKS))
    assert as_date(sold[-1, 0]) == LAST_WEEK
    assert as_date(read[-1, 0]) == AHEAD[1]
    assert read[-1, 2] == 1.0
    np.testing.assert_array_equal(sold[:, 1], read[:-1, 1])


def test_orders_alerts_and_refusals_are_rows(index: Index) -> None:
    (order,) = index.rows("select * from orders where order_id = 'north-1-p1'")
    assert (order["store_id"], order["need_by"], order["is_due"], order["quantity"]) == ("1", "2017-08-07", 1, 36.0)
    assert [row["store_id"] for row in index.rows("select * from alerts order by alert_id")] == ["1", "2", "3", None]
    assert index.rows("select * from refusals") == [{"source_table": "sales", "rule": "negative_price", "rows": 2}]


def test_of_the_backtests_those_of_champion_and_challenger_are_kept(index: Index) -> None:
    assert {row["model"] for row in index.rows("select model from backtests")} == {"naive", "tsb"}


def test_the_index_tells_what_it_is_of(index: Index) -> None:
    assert index.origin["region"] == "north"
    assert index.origin["forecast_date"] == str(DAY)
    assert index.origin["last_week"] == str(LAST_WEEK)
    (row,) = index.rows("select * from lineage where table_name = 'forecasts/demand'")
    assert (row["run_key"], row["version"]) == ("run of forecasts/demand", 0)


def test_nothing_can_be_written_to_it(index: Index) -> None:
    with pytest.raises(Exception, match="readonly"):
        index.rows("delete from orders")


def test_parts_that_fit_into_memory_make_the_same_index(
    lake: Path, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_MOST_ROWS", 20)
    cut = built(lake, tmp_path)
    for table in ("forecasts", "history", "panel"):
        assert cut.rows(f"select * from {table}") == index.rows(f"select * from {table}")


def test_a_region_without_a_plan_has_no_orders(tmp_path: Path) -> None:
    versions = {
        table.name: put(tmp_path, table, of_region("north", 1.0))
        for table, of_region in TABLES
        if not table.name.startswith("inventory/")
    }
    publish(tmp_path, "north", versions)
    index = built(tmp_path, tmp_path / "index")
    assert index.rows("select * from orders") == []
    assert len(index.rows("select * from forecasts")) == 22


def test_decisions_that_count_for_nothing_keep_no_day_from_being_served(tmp_path: Path) -> None:
    good = {"region": "north", "order_id": "a", "decided_on": DAY, "decision": "approved", "quantity": 6.0}
    bad = {**good, "decision": "aproved", "problem": "decision is none of approved, amended, rejected"}
    none = {"region": "north", "problem": "a date is missing or unreadable"}
    told = [good, bad, {**bad, "quantity": 5.0}, none, {**none, "store_id": "1"}]
    version = put(tmp_path, plans.ORDER_DECISIONS, told)
    series = put(tmp_path, schemas.SERIES, rows(schemas.SERIES))
    publish(tmp_path, "north", {plans.ORDER_DECISIONS.name: version, schemas.SERIES.name: series})
    index = built(tmp_path, tmp_path / "index")
    assert index.rows("select order_id, decision from decided") == [{"order_id": "a", "decision": "approved"}]


def test_a_day_before_any_champion_has_backtests_of_none(tmp_path: Path) -> None:
    versions = {table.name: put(tmp_path, table, of_region("north", 1.0)) for table, of_region in TABLES}
    later = [{**row, "as_of": DAY + timedelta(days=1)} for row in rows(CHAMPIONS)]
    publish(tmp_path, "north", {**versions, CHAMPIONS.name: put(tmp_path, CHAMPIONS, later)})
    assert built(tmp_path, tmp_path / "index").rows("select * from backtests") == []


def test_a_table_that_is_not_there_leaves_no_half_of_an_index(tmp_path: Path) -> None:
    version = put(tmp_path, schemas.LEADERBOARD, [{"region": "north", "panel": "product", "model": "m"}])
    publish(tmp_path, "north", {schemas.LEADERBOARD.name: version, plans.ORDERS.name: 3})
    with pytest.raises(LakeError, match="table inventory/orders: version 3"):
        built(tmp_path, tmp_path / "index")
    assert list((tmp_path / "index").iterdir()) == []


def test_another_publication_has_another_index_and_the_others_of_its_region_go(tmp_path: Path) -> None:
    root, folder = tmp_path / "lake", tmp_path / "index"
    names = []
    for number in range(3):
        write_region(root, "north", 1.0 + number, f"run {number}", minute=number)
        names.append(built(root, folder).name)
    write_region(root, "south")
    other = built(root, folder, "south").name
    killed = folder / f"{names[0]}.part123"
    killed.touch()
    remove_others(folder, names[1:], "north")
    assert {path.name for path in folder.iterdir()} == {*names[1:], other}
    lake = Lake(str(root))
    assert index_name(lake.newest_publications()["north"]) == names[2]


def test_the_columns_that_a_table_lacks_are_null(tmp_path: Path) -> None:
    narrow = Table(schemas.STORES.name, "region string, store_id string", key=("region", "store_id"))
    version = put(tmp_path, narrow, [{"region": "north", "store_id": "1"}])
    series = put(tmp_path, schemas.SERIES, rows(schemas.SERIES))
    publish(tmp_path, "north", {narrow.name: version, schemas.SERIES.name: series})
    assert built(tmp_path, tmp_path / "index").rows("select * from stores") == [
        {"store_id": "1", "first_sold_on": None, "last_sold_on": None}
    ]


YESTERDAY = DAY - timedelta(days=1)


def _publish_yesterday(root: Path, version: int | None = None) -> None:
    risks = [{**row, "forecast_date": YESTERDAY} for row in rows(plans.RISKS)[:2]]
    put_at = put(root, plans.RISKS, risks)
    publish(root, "north", {plans.RISKS.name: put_at if version is None else version}, "yesterday's", YESTERDAY)


def test_the_day_before_is_there_to_be_compared_with(tmp_path: Path) -> None:
    _publish_yesterday(tmp_path)
    write_region(tmp_path, "north")
    index = built(tmp_path, tmp_path / "index")
    assert index.rows("select * from origin_before") == [{"forecast_date": str(YESTERDAY), "planned": 1}]
    assert [row["store_id"] for row in index.rows("select * from risks_before")] == ["1", "2"]
    assert len(index.rows("select * from risks")) == 3
    assert index.rows("select * from orders_before") == []


def test_a_day_before_whose_files_are_gone_keeps_nothing_from_being_served(tmp_path: Path) -> None:
    _publish_yesterday(tmp_path, version=9)
    write_region(tmp_path, "north")
    index = built(tmp_path, tmp_path / "index")
    assert index.rows("select * from origin_before") == []
    assert index.rows("select * from risks_before") == []
    assert len(index.rows("select * from risks")) == 3
