"""A generated chain through the whole flow: what cleaning finds of the dirt that was planted."""

from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast import config, schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.generator.chain import load_chain
from shelfcast.generator.generate import generate
from shelfcast.insights.tables import FINDINGS
from shelfcast.inventory import tables
from shelfcast.runner import Runner
from shelfcast.steps import insights, plan_inventory, replay
from shelfcast.system import InventorySystem

CONFIG = Path(__file__).parents[2] / "conf" / "tiny.yaml"
TABLES = {
    "sales": "SalesFINAL12312016",
    "products": "2017PurchasePricesDec",
    "purchases": "PurchasesFINAL12312016",
    "invoices": "InvoicePurchases12312016",
    "opening_stock": "BegInvFINAL12312016",
    "closing_stock": "EndInvFINAL12312016",
}
# The rule by which a kind of dirt is refused; what is no sale in another way is no row at all.
RULES = {
    "blank_store": "missing_store",
    "blank_product": "missing_product",
    "unreadable_date": "missing_or_unreadable_date",
    "date_out_of_range": "date_out_of_range",
    "quantity_as_text": "missing_or_unreadable_quantity",
    "impossible_quantity": "impossible_quantity",
    "negative_price": "impossible_price",
    "contradictory_signs": "contradictory_signs",
    "header_again": "repeated_header",
}
# Those that train in a moment.
MODELS = (
    "backtest.category_models=[zero, naive, moving_average, tsb, linear]",
    "backtest.product_models=[zero, naive, moving_average, tsb]",
    "backtest.slow_models=[]",
)


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny") / "files"
    # A seed that nothing was tuned on.
    generate(spark, load_chain("tiny", None, 4711), out)
    return out


@pytest.fixture(scope="module")
def ran(spark: SparkSession, folder: Path) -> Runner:
    changes = [f"source.path={folder}", f"lake={folder.parent / 'lake'}", *MODELS]
    changes += [f"replay.lost_sales={folder / 'truth' / 'spells.parquet'}", "inventory.samples=200"]
    runner = Runner(spark, config.load(CONFIG, changes))
    InventorySystem(runner).run()
    return runner


@pytest.fixture(scope="module")
def planted(folder: Path) -> pd.DataFrame:
    """The rows that are not true, by the table that they lie in."""
    dirty = pd.read_parquet(folder / "truth" / "dirty.parquet").query("not is_true")
    tables = {file: name for name, file in TABLES.items()}
    return dirty.assign(table=dirty["file"].str.rsplit("-", n=1).str[0].map(tables))


@pytest.mark.parametrize("table", TABLES)
def test_as_many_rows_are_refused_as_are_not_true(ran: Runner, planted: pd.DataFrame, table: str) -> None:
    counts = ran.lake.read(schemas.ROW_COUNTS, "tiny").where(f"source_table = '{table}'").first()
    assert counts is not None
    assert counts["raw"] - counts["clean"] == (planted["table"] == table).sum()


@pytest.mark.parametrize("kind", RULES)
def test_each_kind_of_dirt_in_the_sales_is_found_by_its_rule(ran: Runner, planted: pd.DataFrame, kind: str) -> None:
    refused = ran.lake.read(schemas.QUARANTINE, "tiny").where(f"source_table = 'sales' and rule = '{RULES[kind]}'")
    assert refused.count() == len(planted.query("table == 'sales' and kind == @kind")) > 0


def test_every_series_that_sold_has_its_forecast(ran: Runner) -> None:
    counts = ran.lake.read(schemas.SERIES_COUNTS, "tiny").where("level = 'product'").first()
    assert counts is not None
    assert counts["series"] == counts["modelled"] + counts["fallback"] > 200
    assert ran.lake.has_file("reports/tiny/index.html")


def test_what_is_recovered_is_closer_to_what_was_asked_for_than_what_sold(ran: Runner, folder: Path) -> None:
    """Of one small chain: a few hundred units lost in vain leave a chance of a percent."""
    pairs = pd.read_parquet(folder / "truth" / "pairs.parquet")
    spells = pd.read_parquet(folder / "truth" / "spells.parquet")
    wanted = pairs["sold"].sum() + spells["lost"].sum()
    weekly = ran.lake.read(schemas.DEMAND["weekly"], "tiny").where("level = 'product'")
    sold, recovered = weekly.agg(F.sum("quantity"), F.sum("recovered_quantity")).first() or (0, 0)
    assert sold / wanted - 1 < -0.05
    assert abs(recovered / wanted - 1) < 0.02
    assert weekly.where("recovered_quantity < quantity").isEmpty()


def test_days_out_of_stock_are_found_where_they_were(ran: Runner, folder: Path) -> None:
    said = ran.lake.read(AVAILABILITY, "tiny").where("state = 'out_of_stock' and is_stated").toPandas()
    true = pd.read_parquet(folder / "truth" / "spells.parquet").rename(columns={"product_id": "item_id"})
    found, out = _days(said), _days(true)
    assert len(found & out) / len(out) > 0.98
    assert len(found & out) / len(found) > 0.9


def _days(spells: pd.DataFrame) -> set[tuple[str, str, object]]:
    return {
        (row.store_id, row.item_id, day)
        for row in spells.itertuples(index=False)
        for day in pd.date_range(row.first_day, row.last_day).date
    }


def test_what_was_lost_stands_in_the_spells_that_lost_it(ran: Runner) -> None:
    daily = ran.lake.read(schemas.DEMAND["daily"], "tiny").where("level = 'product'")
    lost = daily.agg(F.sum(F.col("recovered_quantity") - F.col("quantity"))).first()
    spells = ran.lake.read(AVAILABILITY, "tiny").agg(F.sum("units")).first()
    assert lost is not None
    assert spells is not None
    assert lost[0] == pytest.approx(spells[0])


@pytest.fixture(scope="module")
def planned(ran: Runner) -> Runner:
    ran.run(plan_inventory.job(ran.config))
    return ran


def test_every_order_obeys_its_pack_and_is_due(planned: Runner) -> None:
    ordered = planned.lake.read(tables.ORDERS, "tiny")
    policies = planned.lake.read(tables.POLICIES, "tiny").drop("need_by", "stock_out", "stock_out_after")
    joined = ordered.join(policies.drop("vendor_id", "days_of_supply"), ["store_id", "product_id"])
    assert joined.count() == ordered.count() > 20
    wrong = joined.where("quantity % pack != 0 or position > reorder_point or quantity < least(minimum, 1)")
    assert wrong.count() == 0


def test_the_counted_stock_of_the_last_day_is_what_is_on_hand(planned: Runner, folder: Path) -> None:
    found = planned.lake.read(tables.ON_HAND, "tiny").select("store_id", "product_id", "on_hand").toPandas()
    true = pd.read_parquet(folder / "truth" / "pairs.parquet")[["store_id", "product_id", "closing"]]
    both = true.merge(found, how="left", on=["store_id", "product_id"]).fillna({"on_hand": 0.0})
    assert (both["on_hand"] == both["closing"]).mean() > 0.98


def test_packs_and_lead_times_are_those_that_made_the_purchases(planned: Runner, folder: Path) -> None:
    costs = planned.lake.read(tables.COSTS, "tiny").select("product_id", "pack").toPandas()
    products = pd.read_parquet(folder / "truth" / "products.parquet")[["product_id", "pack"]]
    packs = products.merge(costs, on="product_id", suffixes=("_true", ""))
    assert (packs["pack"] % packs["pack_true"] == 0).mean() > 0.85
    leads = planned.lake.read(tables.LEAD_TIMES, "tiny").where("store_id = '(all)'").toPandas()
    vendors = pd.read_parquet(folder / "truth" / "vendors.parquet").merge(leads, on="vendor_id")
    assert len(vendors) == 6
    assert (vendors["mean"] - vendors["lead_least"] - vendors["lead_more"]).abs().max() < 1


@pytest.mark.slow
def test_insights_tell_of_vendors_stock_and_moves_what_the_plan_knows(planned: Runner, folder: Path) -> None:
    planned.run(insights.job(planned.config))
    found = planned.lake.read(FINDINGS, "tiny").toPandas()
    told = found[found["figure"].notna()]
    assert {"vendor_lead_times", "vendor_freight", "store_excess", "transfers"} <= {*told["topic"]}
    slowest = told[(told["topic"] == "vendor_lead_times") & (told["rank"] == 1)].iloc[0]
    vendors = pd.read_parquet(folder / "truth" / "vendors.parquet").set_index("vendor_id")
    true = vendors["lead_least"] + vendors["lead_more"]
    assert abs(slowest["figure"] - true[slowest["subject"]]) < 1
    assert true[slowest["subject"]] > true.max() - 2
    moved = planned.lake.read(tables.TRANSFERS, "tiny").agg(F.sum("quantity")).first()[0]
    assert told[(told["topic"] == "transfers") & (told["rank"] == 1)]["figure"].tolist() == [moved]


def test_the_replay_tells_what_the_plan_saves(planned: Runner) -> None:
    planned.run(replay.job(planned.config))
    replays = planned.lake.read(tables.REPLAYS, "tiny").where("class = '(all)'")
    assert replays.count() == (3 * 7 + 6 + 5) * 5
    assert replays.where("fill_rate between 0 and 1 and stock >= 0 and cost >= 0").count() == replays.count()
    calibration = planned.lake.read(tables.LEAD_TIME_CALIBRATION, "tiny").where("class = '(all)'").collect()
    assert {row.level for row in calibration} == {0.9, 0.95, 0.98}
    assert all(0.5 < row.below <= row.observed <= 1 for row in calibration)
    gains = planned.lake.read(tables.REPLAY_GAINS, "tiny").collect()
    assert {(row.other, row.given, row.saved) for row in gains} >= {("min_max", "stock", "short_days")}
