"""clean/sales, clean/products, clean/quantity_bounds, clean/prices -> features/study_rows, forecasts/study_*,
models/study_models"""

from pyspark.sql import DataFrame

from shelfcast import schemas
from shelfcast.cleaning import supply
from shelfcast.code import TRAINING_PACKAGES, installed
from shelfcast.config import Config
from shelfcast.demand import known_on, newest_known
from shelfcast.job import Job, Run
from shelfcast.study import board, protocol, tables
from shelfcast.study.models import MODELS
from shelfcast.study.network import DESCRIPTION, MLP, PREDICTED, StudyFit, fit_study_network
from shelfcast.study.rows import require_bounded, study_rows
from shelfcast.training import distributed

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
    reads = (*_READS, supply.PRICES) if config.source.tells_of_supply else _READS
    settings = ("cleaning", "study", "runtime")
    return Job("study", reads, _WRITES, settings, study, stamp=lambda _: repr(installed(TRAINING_PACKAGES)))


def study(run: Run) -> None:
    rows = _write_rows(run)
    by_network = _predict_by_network(run, rows)
    predicted = protocol.predict(rows, tuple(MODELS), run.config.runtime.seed)
    run.write(tables.STUDY_PREDICTIONS, predicted.unionByName(by_network))
    predictions = run.read(tables.STUDY_PREDICTIONS)
    run.write(tables.STUDY_METRICS, protocol.measure(predictions))
    run.write(tables.STUDY_SAMPLE, protocol.sample(predictions, rows, _SAMPLE_ROWS))
    run.write(tables.STUDY_MODELS, protocol.describe(predictions, rows, {**MODELS, MLP: DESCRIPTION}))
    board.show(run.read(tables.STUDY_METRICS), run.read(tables.STUDY_MODELS))


def _predict_by_network(run: Run, rows: DataFrame) -> DataFrame:
    """The network's predictions, in the shape of STUDY_PREDICTIONS."""
    staging = f"{run.lake.root}/{run.staging}"
    files, seed = tuple(rows.inputFiles()), run.config.runtime.seed
    fit = StudyFit(files, seed, f"{staging}/{MLP}.parquet", f"{staging}/{MLP}.npz")
    seconds = distributed.run(run.spark, fit_study_network, (fit,), run.config.study.processes)
    predicted = run.spark.read.schema(PREDICTED).parquet(fit.predictions)
    return protocol.join_predictions(rows, predicted, MLP, sum(seconds))


def _write_rows(run: Run) -> DataFrame:
    sales = known_on(run.read(schemas.SALES), run.known_on, run.config.cleaning.key_of("sales"))
    products, bounds = run.read(schemas.PRODUCTS), run.read(schemas.QUANTITY_BOUNDS)
    prices = run.spark.createDataFrame([], supply.PRICES.schema)
    if supply.PRICES in run.job.reads:
        key = supply.version_key(supply.PRICES, run.config.cleaning)
        prices = newest_known(run.read(supply.PRICES), run.known_on, key)
    count, seed = run.config.study.products, run.config.runtime.seed
    run.write(tables.STUDY_ROWS, study_rows(sales, products, bounds, prices, count, seed))
    rows = run.read(tables.STUDY_ROWS)
    require_bounded(rows.count(), run.config.study.max_rows)
    return rows
