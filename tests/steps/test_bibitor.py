"""The flow on a source of CSV files that tells of its supply."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from liquor import FILES, sale, text_of, write_files
from shelfcast import config, schemas
from shelfcast.cleaning import supply
from shelfcast.errors import SchemaError
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, clean, ingest, study
from shelfcast.study import tables
from shelfcast.system import InventorySystem

CONFIG = Path(__file__).parents[2] / "conf" / "bibitor.yaml"
SETTINGS = (
    "backtest.horizon=1",
    "backtest.season=2",
    "backtest.reference.min_units=1",
    "backtest.category_models=[zero, naive, moving_average, tsb]",
    "backtest.product_models=[zero, naive, moving_average]",
    "backtest.slow_models=[]",
    "runtime.buckets=2",
)


@pytest.fixture(scope="module")
def make_runner(spark: SparkSession) -> Callable[..., Runner]:
    def make(folder: Path, lake: Path, *changes: str) -> Runner:
        return Runner(spark, config.load(CONFIG, [*SETTINGS, f"source.path={folder}", f"lake={lake}", *changes]))

    return make


@pytest.fixture(scope="module")
def cleaned(make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("bibitor")
    runner = make_runner(write_files(folder / "files"), folder / "lake")
    for step in (ingest, clean):
        runner.run(step.job(runner.config))
    return runner


COUNTS = {
    "closing_stock": {"raw": 7, "clean": 1, "quarantined": 1, "blank": 5},
    "invoices": {"raw": 2, "clean": 2, "quarantined": 0, "blank": 0},
    "opening_stock": {"raw": 1, "clean": 1, "quarantined": 0, "blank": 0},
    "products": {"raw": 5, "clean": 4, "quarantined": 1, "blank": 0},
    "purchases": {"raw": 3, "clean": 1, "quarantined": 2, "blank": 0},
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_row_of_every_file_is_accounted_for(cleaned: Runner, name: str) -> None:
    row = cleaned.lake.read(schemas.ROW_COUNTS, "bibitor").where(f"source_table = '{name}'").first()
    assert row is not None
    assert {key: row[key] for key in COUNTS[name]} == COUNTS[name]


def test_refused_rows_lie_whole_beside_the_rule_that_refused_them(cleaned: Runner) -> None:
    rows = cleaned.lake.read(schemas.QUARANTINE, "bibitor").collect()
    assert {(row.source_table, row.rule) for row in rows} == {
        ("closing_stock", "impossible_quantity"),
        ("products", "impossible_price"),
        ("purchases", "sum_of_rows"),
        ("purchases", "received_before_ordered"),
    }
    assert any('"Dollars":"109.08"' in row.row for row in rows)


def test_supply_has_its_tables(cleaned: Runner) -> None:
    read = {table.name: cleaned.lake.read(table, "bibitor") for table in (supply.VENDORS, supply.PRICES, supply.STOCK)}
    vendors = {row.vendor_id: row.name for row in read["clean/vendors"].collect()}
    assert vendors == {"480": "BACARDI USA INC", "8320": "SHAW ROSS IMPORTERS"}
    assert read["clean/prices"].count() == 4
    assert {(row.moment, row.on_hand) for row in read["clean/stock"].collect()} == {("opening", 11.0), ("closing", 7.0)}


@pytest.mark.slow
def test_it_ends_in_forecasts_and_a_report(cleaned: Runner) -> None:
    InventorySystem(cleaned).run()
    ahead = cleaned.lake.read(schemas.FORECASTS, "bibitor").where("level = 'product'")
    assert ahead.select("store_id", "item_id").distinct().count() == 6
    assert cleaned.lake.has_file("reports/bibitor/index.html")


def test_the_study_reads_the_tax_and_the_purchase_price(cleaned: Runner) -> None:
    assert study.job(cleaned.config).reads[-1] == supply.PRICES


@pytest.mark.parametrize("step", ["before", pytest.param("after", marks=pytest.mark.slow)])
def test_a_file_that_is_none_leaves_the_lake_as_it_was(
    make_runner: Callable[..., Runner], tmp_path: Path, step: str
) -> None:
    folder = write_files(tmp_path / "files")
    good = make_runner(folder, tmp_path / "lake")
    if step == "after":
        for job in (ingest, clean, aggregate):
            good.run(job.job(good.config))
    tables = (schemas.SALES, schemas.ROW_COUNTS, *schemas.DEMAND.values())
    before = {table.name: good.lake.content_hash(table, "bibitor") for table in tables if good.lake.exists(table)}
    (folder / FILES["sales"]).write_text(text_of(sale()).replace("SalesQuantity", "Sold"))
    with pytest.raises(SchemaError, match="no column SalesQuantity"):
        good.run(ingest.job(good.config))
    assert not good.lake.exists(schemas.SALES) if step == "before" else len(before) == len(tables)
    after = {table.name: good.lake.content_hash(table, "bibitor") for table in tables if table.name in before}
    assert after == before


@pytest.fixture(scope="module")
def published(make_runner: Callable[..., Runner], data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The lake of what the publication shows of itself: a month of one store, and all of the catalogue and invoices."""
    there = {name: file for name, file in FILES.items() if (data_root / "bibitor" / file).is_file()}
    files = ", ".join(f"{name}: {file}" for name, file in there.items())
    runner = make_runner(
        data_root / "bibitor", tmp_path_factory.mktemp("published") / "lake", f"source.files={{{files}}}"
    )
    for job in (ingest, clean, aggregate, study):
        runner.run(job.job(runner.config))
    return runner


PUBLISHED = {
    "sales": (2_157, 2_157, 0),
    "products": (12_261, 12_261, 0),
    "purchases": (2_111, 1_013, 0),
    "invoices": (5_543, 5_543, 0),
    "closing_stock": (224_489, 2_782, 221_707),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_rows_are_accounted_for(published: Runner, name: str) -> None:
    row = published.lake.read(schemas.ROW_COUNTS, "bibitor").where(f"source_table = '{name}'").first()
    assert row is not None
    assert (row["raw"], row["clean"], row["blank"]) == PUBLISHED[name]


@pytest.mark.slow
def test_the_study_runs_on_what_is_published(published: Runner) -> None:
    metrics = published.lake.read(tables.STUDY_METRICS, "bibitor").where("split = 'test' and scope = 'all'")
    found = {row.model: row.rmse for row in metrics.collect()}
    assert len(found) == 7
    assert all(0 < rmse < 100 for rmse in found.values())
    described = published.lake.read(tables.STUDY_MODELS, "bibitor").first()
    assert described is not None
    assert (described.absent_inputs, len(described.inputs)) == ([], 8)
