"""A generated chain through the whole flow: what cleaning finds of the dirt that was planted."""

from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from shelfcast import config, schemas
from shelfcast.generator.chain import load_chain
from shelfcast.generator.generate import generate
from shelfcast.job import Runner
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


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny") / "files"
    # A seed that nothing was tuned on.
    generate(spark, load_chain("tiny", None, 4711), out)
    return out


@pytest.fixture(scope="module")
def ran(spark: SparkSession, folder: Path) -> Runner:
    changes = [f"source.path={folder}", f"lake={folder.parent / 'lake'}", "backtest.slow_series=2"]
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
