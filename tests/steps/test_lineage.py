"""What is printed of a forecast that three jobs have made."""

from datetime import date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from builders import frame
from shelfcast import config
from shelfcast.errors import ConfigError, LakeError
from shelfcast.job import Job, Run
from shelfcast.runner import Runner
from shelfcast.schemas import FORECASTS, PUBLICATIONS
from shelfcast.steps.lineage import ForecastId, lineage
from shelfcast.table import Table

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
DAY = date(2017, 8, 1)
RAW, SALES = (Table(name, "region string, number int", key=("region",)) for name in ("raw/till", "clean/sales_of_now"))
# A category with a slash in its name.
ROW = {"level": "category", "store_id": "367", "item_id": "MILK/WHITE", "step": 2, "week": date(2017, 8, 14)}
NAME = "2017-08-01/category/367/MILK/WHITE/2"


def put(table: Table):
    def work(run: Run) -> None:
        run.write(table, run.spark.createDataFrame([("here", 1)], table.schema))

    return work


def forecast(run: Run) -> None:
    made = {"region": "here", "forecast_date": run.known_on, "run_id": run.key, "mean": 3.25, "p50": 3.0}
    run.write(FORECASTS, frame(run.spark, FORECASTS, {**ROW, **made, "method": "tsb"}))


JOBS = (
    Job("ingest", (), (RAW,), ("source",), put(RAW), dated=False),
    Job("clean", (RAW,), (SALES,), ("demand",), put(SALES), dated=False),
    Job("forecast", (SALES,), (FORECASTS,), ("runtime",), forecast),
)


@pytest.fixture
def runner(spark: SparkSession, lake_root: Path) -> Runner:
    made = Runner(spark, config.load(CONFIG, [f"lake={lake_root}", "region=here"]), DAY)
    for job in JOBS:
        made.run(job)
    return made


def publish(runner: Runner, version: int) -> None:
    row = ("here", DAY, "report 1", datetime(2017, 8, 2, 5, 15), {FORECASTS.name: version})
    runner.lake.append(PUBLICATIONS, runner.spark.createDataFrame([row], PUBLICATIONS.schema))


def test_a_published_number_leads_back_to_the_source(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    publish(runner, 0)
    lineage(runner, NAME)
    first, published, *runs = capsys.readouterr().out.splitlines()
    assert first == f"{NAME}: mean 3.25, p50 3 units in the week of 2017-08-14, by tsb"
    assert published == "published 2017-08-02 05:15:00 UTC by run report 1: this forecast, version 0"
    assert [line.split(": run ")[0] for line in runs if not line.startswith(" ")] == ["forecast", "clean", "ingest"]
    assert [line.strip() for line in runs if line.startswith(("  wrote", "  read"))] == [
        *("wrote forecasts/demand version 0", "read clean/sales_of_now version 0"),
        *("wrote clean/sales_of_now version 0", "read raw/till version 0"),
        *("wrote raw/till version 0", "read the source"),
    ]
    assert any(line.startswith("  runtime: {") for line in runs)


def test_a_forecast_that_another_has_replaced_since_its_publication_says_so(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(runner, 0)
    changed = Runner(runner.spark, runner.config.model_copy(update={"runtime": runner.config.runtime.model_copy(
        update={"seed": 1})}), DAY)  # fmt: skip
    assert changed.run(JOBS[2])
    lineage(changed, NAME)
    published = capsys.readouterr().out.splitlines()[1]
    assert published.endswith("another forecast of that day, version 0")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2017-08-01/product/1/2", id="no-step"),
        pytest.param("2017-08/product/1/2/1", id="no-day"),
        pytest.param("2017-08-01/product/1/2/first", id="no-number"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_names_no_forecast_is_refused_with_the_shape_that_is_wanted(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"forecast '{text}': wanted DATE/LEVEL/STORE/ITEM/STEP"):
        ForecastId.of(text)


def test_a_forecast_that_is_not_there_is_named(runner: Runner) -> None:
    with pytest.raises(LakeError, match=r"forecast 1999-01-01/product/1/2/1: not in forecasts/demand of region here"):
        lineage(runner, "1999-01-01/product/1/2/1")
