"""clean/sales, clean/products, clean/quantity_bounds, clean/prices -> features/study_rows, forecasts/study_*,
models/study_models"""

from pyspark.sql import DataFrame

from shelfcast import schemas
from shelfcast.cleaning import supply
from shelfcast.config import Config
from shelfcast.demand import known_on
from shelfcast.job import Job, Run
from shelfcast.sources import tells_of_supply
from shelfcast.study import board, protocol, tables
from shelfcast.study.models import MODELS
from shelfcast.study.rows import require_bounded, study_rows

_READS = (schemas.SALES, schemas.PRODUCTS, schemas.QUANTITY_BOUNDS)
_WRITES = (
    tables.STUDY_ROWS,
    tables.STUDY_PREDICTIONS,
    tables.STUDY_METRICS,
    tables.STUDY_SAMPLE,
    tables.STUDY_MODELS,
)
_SAMPLE_ROWS = 2000


def job(config: Config) -> Job:
    reads = (*_READS, supply.PRICES) if tells_of_supply(config) else _READS
    return Job("study", reads, _WRITES, ("cleaning", "study", "runtime"), study)


def study(run: Run) -> None:
    rows = _write_rows(run)
    predicted = protocol.predict(rows, tuple(MODELS), run.config.runtime.seed)
    run.write(tables.STUDY_PREDICTIONS, predicted)
    predictions = run.read(tables.STUDY_PREDICTIONS)
    run.write(tables.STUDY_METRICS, protocol.measure(predictions))
    run.write(tables.STUDY_SAMPLE, protocol.sample(predictions, rows, _SAMPLE_ROWS))
    run.write(tables.STUDY_MODELS, protocol.describe(predictions, rows))
    board.show(run.read(tables.STUDY_METRICS), run.read(tables.STUDY_MODELS))


def _write_rows(run: Run) -> DataFrame:
    sales = known_on(run.read(schemas.SALES), run.known_on, run.config.cleaning.key_of("sales"))
    products, bounds = run.read(schemas.PRODUCTS), run.read(schemas.QUANTITY_BOUNDS)
    nothing = run.spark.createDataFrame([], supply.PRICES.schema)
    prices = run.read(supply.PRICES) if supply.PRICES in run.job.reads else nothing
    count, seed = run.config.study.products, run.config.runtime.seed
    run.write(tables.STUDY_ROWS, study_rows(sales, products, bounds, prices, count, seed))
    rows = run.read(tables.STUDY_ROWS)
    require_bounded(rows.count(), run.config.study.max_rows)
    return rows
