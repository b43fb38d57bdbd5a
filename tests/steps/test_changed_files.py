"""A delivery in another form than the last: what is new is kept, what is lost is named, what changed its type is put
aside."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from liquor import FILES, SALES, every_day, sale, text_of, write_files
from shelfcast import config, schemas
from shelfcast.errors import SchemaError
from shelfcast.runner import Runner
from shelfcast.steps import clean, ingest

CONFIG = Path(__file__).parents[2] / "conf" / "bibitor.yaml"
ROWS = [*every_day()]
Deliver = Callable[[str], Runner]


@pytest.fixture(scope="module")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The lake of the first delivery."""
    return delivered(spark, tmp_path_factory.mktemp("first"), text_of(*ROWS))


def delivered(spark: SparkSession, folder: Path, sales: str) -> Runner:
    """A lake of one delivery of sales and a catalogue, ingested and cleaned."""
    files = ", ".join(f"{name}: {FILES[name]}" for name in ("sales", "products"))
    changes = [f"source.path={write_files(folder / 'files', sales=sales)}", f"source.files={{{files}}}"]
    runner = Runner(spark, config.load(CONFIG, [*changes, f"lake={folder / 'lake'}"]))
    for job in (ingest, clean):
        runner.run(job.job(runner.config))
    return runner


def sold(runner: Runner) -> str:
    return runner.lake.content_hash(schemas.SALES, "bibitor")


def account(runner: Runner) -> dict[str, int]:
    row = runner.lake.read(schemas.ROW_COUNTS, "bibitor").where("source_table = 'sales'").first()
    assert row is not None
    assert row["raw"] == row["clean"] + row["quarantined"] + row["duplicates"] + row["superseded"] + row["blank"]
    return {name: row[name] for name in ("raw", "clean", "quarantined")}


@pytest.mark.slow
def test_a_new_column_is_kept_beside_the_same_sales(spark: SparkSession, first: Runner, tmp_path: Path) -> None:
    wider = text_of(*(f"{row},7" for row in ROWS), header=f"{SALES},LeadTime")
    runner = delivered(spark, tmp_path, wider)
    assert sold(runner) == sold(first)
    raw = runner.lake.read(ingest.job(runner.config).writes[0], "bibitor")
    assert {row["_extra"] for row in raw.select("_extra").distinct().collect()} == {'{"LeadTime":"7"}'}


@pytest.mark.slow
def test_columns_in_another_order_are_the_same_sales(spark: SparkSession, first: Runner, tmp_path: Path) -> None:
    turned = text_of(*(",".join(row.split(",")[::-1]) for row in ROWS), header=",".join(SALES.split(",")[::-1]))
    assert sold(delivered(spark, tmp_path, turned)) == sold(first)


def test_a_number_that_became_a_word_refuses_its_rows_alone(spark: SparkSession, first: Runner, tmp_path: Path) -> None:
    runner = delivered(spark, tmp_path, text_of(*ROWS, *[sale(quantity="two")] * 5))
    assert account(runner) == {"raw": len(ROWS) + 5, "clean": len(ROWS), "quarantined": 5}
    assert sold(runner) == sold(first)
    refused = runner.lake.read(schemas.QUARANTINE, "bibitor").where("source_table = 'sales'").collect()
    assert {row.rule for row in refused} == {"missing_or_unreadable_quantity"}


@pytest.mark.slow
def test_a_column_of_another_type_throughout_leaves_nothing_clean_and_nothing_lost(
    spark: SparkSession, tmp_path: Path
) -> None:
    runner = delivered(spark, tmp_path, text_of(*(sale(day="20160129") for _ in range(9))))
    assert account(runner) == {"raw": 9, "clean": 0, "quarantined": 9}


@pytest.mark.parametrize("name", ["SalesDate", "Store", "VendorName"])
def test_a_column_that_is_gone_is_named_with_its_file_and_the_lake_stays(
    spark: SparkSession, first: Runner, tmp_path: Path, name: str
) -> None:
    before, place = sold(first), SALES.split(",").index(name)
    narrower = [",".join(field for n, field in enumerate(row.split(",")) if n != place) for row in (SALES, *ROWS)]
    files = write_files(tmp_path, sales="\n".join(narrower))
    later = Runner(
        spark, first.config.model_copy(update={"source": first.config.source.model_copy(update={"path": str(files)})})
    )
    with pytest.raises(SchemaError, match=rf"{FILES['sales']}: no column {name}; found"):
        later.run(ingest.job(later.config))
    assert sold(first) == before
